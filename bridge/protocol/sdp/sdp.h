// SDP as far as a bridge needs it: read a browser's offer, write the answer (RFC 8866, RFC 9429, RFC 8843 BUNDLE).
//
// A client negotiates once. Its offer holds m-sections it sends in (sendonly or sendrecv: its sources) and m-sections it only
// receives in (recvonly: its receive slots). Everything is bundled on one transport with rtcp-mux.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/socket_address.h"
#include "protocol/codec/codec.h"
#include "protocol/rtp/extension.h"

namespace viaduct::sdp {

enum class Direction : uint8_t { SendRecv, SendOnly, RecvOnly, Inactive };  // from the writer of the SDP
enum class Setup : uint8_t { ActPass, Active, Passive };                    // RFC 8842

// One payload type of an m-section that names a format the bridge forwards.
struct PayloadFormat {
  uint8_t payload_type = 0;
  std::optional<uint8_t> rtx_payload_type;  // whose apt is payload_type (RFC 4588)
  codec::CodecType type = codec::CodecType::Opus;
  std::string fmtp;                         // as offered, without the payload type
  bool nack = false;                        // a=rtcp-fb ... nack
  bool pli = false;                         // nack pli
  bool fir = false;                         // ccm fir
  bool transport_cc = false;                // transport-cc
};

struct MediaSection {
  codec::MediaKind kind = codec::MediaKind::Audio;
  std::string mid;
  Direction direction = Direction::Inactive;
  bool rejected = false;                    // port 0 or a kind the bridge does not know; the answer rejects it too
  std::vector<PayloadFormat> formats;       // in the offer's order of preference
  rtp::ExtensionMap extensions;
  std::optional<uint32_t> ssrc;             // the sender's media SSRC, when the offer states one
  std::optional<uint32_t> rtx_ssrc;         // its FID partner (RFC 5576)
  std::string msid;                         // "stream track", empty when absent
};

struct Offer {
  std::vector<MediaSection> media;
  std::string ice_ufrag;
  std::string ice_pwd;
  std::string fingerprint_algorithm;        // lower case: "sha-256"
  std::vector<uint8_t> fingerprint;
  Setup setup = Setup::ActPass;
};

// Reads a browser's offer. InvalidArgument, with a sentence that names the line or what is missing, for: not SDP, longer than
// limits::SdpBytes, no BUNDLE over all accepted sections, no rtcp-mux, no ICE credentials or fingerprint, a payload type
// or extension identifier that means two different things, more sections than the limits allow.
Result<Offer> parse_offer(std::string_view text);

// What the answer says of one m-section, in the offer's order.
struct AnswerSection {
  Direction direction = Direction::Inactive;  // from the bridge: RecvOnly for a source, SendOnly for a slot
  std::optional<uint32_t> ssrc;               // of a slot
  std::optional<uint32_t> rtx_ssrc;
  std::string cname;
  std::string msid;                           // "stream track"
};

struct Answer {
  std::string ice_ufrag;
  std::string ice_pwd;
  std::string fingerprint_algorithm;
  std::vector<uint8_t> fingerprint;
  Setup setup = Setup::Passive;               // Active when the client insists on being passive
  std::vector<SocketAddress> candidates;      // host candidates, best first; component 1, UDP
  std::vector<AnswerSection> media;
};

// The answer to `offer`: ice-lite, rtcp-mux, the formats and feedback that both sides support with the offer's payload types,
// the extensions that the bridge carries in that direction. `video_preference` orders the video formats, most wanted first; formats
// it does not name are left out. Never red, ulpfec or flexfec.
std::string write_answer(const Offer& offer, const Answer& answer, const std::vector<codec::CodecType>& video_preference);

}  // namespace viaduct::sdp
