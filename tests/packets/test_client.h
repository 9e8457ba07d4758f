// A client whose every packet a test writes down. It has keys but no DTLS: the fixture gives both
// sides the same.
//
// Numbers are to be recognised. Client n sends with SSRC n01 (microphone), n02 (camera) and n03
// (the camera's RTX), and receives under n10, n11 ... (audio slots), n20, n21 ... (video slots) and
// n30, n31 ... (their RTX), all hexadecimal.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "conference/messages.h"
#include "protocol/congestion/controller.h"
#include "protocol/rtp/extension.h"
#include "protocol/rtp/packet.h"
#include "tests/support/ice_client.h"
#include "tests/support/srtp_session.h"

namespace viaduct::testing {

// An RTP packet in clear.
struct Rtp {
  uint8_t payload_type = 0;
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  bool marker = false;
  bool padding = false;  // the payload ends with padding and its count
  std::vector<std::pair<rtp::ExtensionType, std::vector<uint8_t>>> extensions;
  std::vector<uint8_t> payload;
};
// Its bytes, for a client that numbers extensions by `ids`.
std::vector<uint8_t> write_rtp(const Rtp& packet, const rtp::ExtensionMap& ids);

struct ReceivedRtp {
  std::vector<uint8_t> bytes;  // in clear
  rtp::HeaderView header;

  // Without padding; empty when that is not valid.
  Bytes payload() const {
    const size_t media = rtp::payload_bytes_without_padding(bytes, header).value_or(0);
    return Bytes(bytes).subspan(header.header_bytes, media);
  }
  Bytes extension(uint8_t id) const { return rtp::find_extension(bytes, header, id); }
};

// `bytes` bytes that follow from `seed`.
std::vector<uint8_t> pattern(size_t bytes, uint32_t seed);

struct Vp8Frame {
  bool key = false;
  uint16_t picture_id = 0;
  uint8_t tl0 = 0;
  size_t body_bytes = 40;
};
// One packet that is a whole frame, with all that a browser's descriptor holds.
std::vector<uint8_t> write_vp8(const Vp8Frame& frame);

class TestClient {
 public:
  struct Options {
    uint32_t number = 1;
    uint64_t conference = 1;
    srtp::SrtpProfile profile = srtp::SrtpProfile::AeadAes128Gcm;
    std::vector<sdp::PayloadFormat> formats;
    rtp::ExtensionMap extensions;       // in what it sends
    rtp::ExtensionMap slot_extensions;  // in what it receives
    std::vector<conference::SourceDescription> sources;
    std::vector<conference::SlotDescription> slots;
    conference::E2eePolicy e2ee;  // of its conference, when it joins
    bool mixed = false;           // hears a mix in its first audio slot
    congestion::Reporting reporting{};  // what it says of what arrives
  };
  // A microphone, a camera, two slots of each kind, every format; numbered as Chromium does.
  static Options like_chromium(uint32_t number);
  // The same with other numbers for everything.
  static Options like_firefox(uint32_t number);
  // Receives only.
  static Options listener(uint32_t number);

  TestClient(Options options, const SocketAddress& bridge, Random& random, Timestamp now);

  conference::AddEndpoint describe() const;
  conference::EndpointId id() const { return conference::EndpointId{options.number}; }
  uint32_t ssrc(uint32_t low) const { return options.number << 8 | low; }
  uint32_t feedback_ssrc() const { return ssrc(0xff); }  // of the bridge's RTCP to this client

  // Packets of the microphone and the camera. All follows from the sequence number.
  Rtp mic(uint16_t sequence, uint8_t level = 30) const;
  Rtp cam(uint16_t sequence, bool key_frame = false) const;
  // `original` again on the camera's RTX stream (RFC 4588 section 4).
  Rtp rtx(uint16_t sequence, const Rtp& original) const;
  uint8_t payload_type(codec::CodecType codec) const;

  // Takes what came from the bridge.
  void handle(Bytes datagram, const SocketAddress& from, Timestamp now);
  // Forgets what was received so far.
  void forget_received();
  // What was received on one SSRC.
  std::vector<ReceivedRtp> received_on(uint32_t ssrc) const;

  const Options options;
  const std::string bridge_ufrag, bridge_password, ufrag, password;
  SocketAddress address;
  IceClient ice;
  std::unique_ptr<SrtpSession> srtp;  // once connected
  bool checks = true;                 // sends consent checks as they fall due

  std::vector<ReceivedRtp> media;          // in the order of arrival
  std::vector<std::vector<uint8_t>> rtcp;  // compound packets in clear
  std::vector<std::vector<uint8_t>> stun;
  std::vector<std::vector<uint8_t>> dtls;
  size_t undecryptable = 0;
};

}  // namespace viaduct::testing
