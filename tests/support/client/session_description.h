// A client's side of the negotiation: the offer it writes and what it reads from the answer (RFC
// 9429).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/socket_address.h"
#include "protocol/codec/codec.h"
#include "protocol/dtls/certificate.h"
#include "protocol/ice/ice_lite.h"

namespace viaduct::client {

inline constexpr uint8_t OpusPayloadType = 111;
inline constexpr uint8_t Vp8PayloadType = 96;
inline constexpr uint8_t Vp8RtxPayloadType = 97;
inline constexpr uint8_t AudioLevelId = 1;
inline constexpr uint8_t TransportSequenceId = 3;
inline constexpr uint8_t MidId = 5;
inline constexpr uint8_t DependencyDescriptorId = 8;

// What a client sends under one m-section.
struct SendStream {
  codec::MediaKind kind{};
  std::string mid;
  uint32_t ssrc = 0;
  uint32_t rtx_ssrc = 0;  // 0: none
};

struct OfferDescription {
  ice::Credentials credentials;
  dtls::Fingerprint fingerprint;
  std::vector<SendStream> streams;
  size_t audio_slots = 0;
  size_t video_slots = 0;
  // Whether the client writes transport-wide feedback. One that offers it and writes none is sent less and less.
  bool reports_arrivals = false;
};

std::string write_offer(const OfferDescription& offer);

// A receive slot as the bridge fills it.
struct ReceiveSlot {
  codec::MediaKind kind{};
  uint32_t ssrc = 0;
  uint32_t rtx_ssrc = 0;
};

struct AnswerView {
  ice::Credentials credentials;
  dtls::Fingerprint fingerprint;
  SocketAddress bridge;  // its first IPv4 candidate
  std::vector<ReceiveSlot> slots;
};

// InvalidArgument, with a sentence, for an answer that leaves out what a client needs.
Result<AnswerView> read_answer(const std::string& sdp);

}  // namespace viaduct::client
