// SDP as far as a bridge needs it: read a browser's offer, write the answer (RFC 8866, RFC 9429, RFC 8843 BUNDLE).
//
// A client negotiates once. Its offer holds m-sections it sends in (sendonly or sendrecv: its sources) and
// m-sections it only receives in (recvonly: its receive slots). Everything is bundled on one transport with
// rtcp-mux. The reader trusts nothing: it never holds more than limits::SdpBytes and never repeats a control
// character into the answer or an error.
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
#include "secrecy/secret_string.h"

namespace viaduct::sdp {

enum class Direction : uint8_t { SendRecv, SendOnly, RecvOnly, Inactive };  // from the writer of the SDP
enum class Setup : uint8_t { ActPass, Active, Passive };                    // RFC 8842

// One payload type of an m-section that names a format the bridge forwards.
struct PayloadFormat {
  uint8_t payload_type = 0;
  std::optional<uint8_t> rtx_payload_type;  // whose apt is payload_type (RFC 4588)
  std::optional<uint8_t> red_payload_type;  // Opus: of RED with blocks of payload_type alone (RFC 2198)
  codec::CodecType type = codec::CodecType::Opus;
  std::string fmtp;                         // as offered, without the payload type
  bool nack = false;                        // a=rtcp-fb ... nack
  bool pli = false;                         // nack pli
  bool fir = false;                         // ccm fir
  bool transport_cc = false;                // transport-cc
  bool remb = false;                        // goog-remb
  bool ccfb = false;                        // ack ccfb (RFC 8888 section 6)
};

struct MediaSection {
  codec::MediaKind kind = codec::MediaKind::Audio;
  std::string mid;
  Direction direction = Direction::Inactive;
  bool rejected = false;                    // port 0, or nothing the bridge forwards; the answer rejects it too
  std::vector<PayloadFormat> formats;       // in the offer's order of preference
  rtp::ExtensionMap extensions;
  std::optional<uint32_t> ssrc;             // the client's media SSRC, when it sends here and the offer states one
  std::optional<uint32_t> rtx_ssrc;         // its FID partner (RFC 5576)
  std::vector<std::string> rids;            // of simulcast that the client would send (RFC 8853), in its order
  std::string msid;                         // "stream track", empty when absent
  bool mixed_extensions = false;            // a=extmap-allow-mixed (RFC 8285 section 6), here or for the session
  bool reduced_size_rtcp = false;           // a=rtcp-rsize (RFC 5506)
  std::string media;                        // the m= line as offered: "application", "UDP/DTLS/SCTP",
  std::string protocol;                     // "webrtc-datachannel". The answer repeats it when it rejects the section
  std::string format_list;
};

struct Offer {
  std::vector<MediaSection> media;
  std::string ice_ufrag;
  secrecy::SecretString ice_pwd;
  std::string fingerprint_algorithm;        // lower case: "sha-256"
  std::vector<uint8_t> fingerprint;
  Setup setup = Setup::ActPass;
};

// Reads a browser's offer. InvalidArgument, with a sentence that names the line or what is missing, for: not SDP,
// longer than limits::SdpBytes, no BUNDLE over all accepted sections, no rtcp-mux, no ICE credentials or
// fingerprint, a payload type or extension identifier that means two different things, more sections than the
// limits allow.
Result<Offer> parse_offer(std::string_view text);

// The DTLS role in answer to `offered`: passive, unless the client insists on being passive itself (RFC 8842).
Setup answer_setup(Setup offered);

// The formats of `section` that the answer accepts, most wanted first and at most one of each codec, so that a
// codec has one payload type towards a client. `video_preference` names the video formats to accept; Opus needs
// no naming. Of several H.264 formats this is the one with packetization-mode=1 that most decode, constrained
// baseline where it is offered.
std::vector<PayloadFormat> accepted_formats(const MediaSection& section,
                                            const std::vector<codec::CodecType>& video_preference);

// The extensions of `section` that the answer accepts when it gives the section `direction` (the bridge's).
rtp::ExtensionMap accepted_extensions(const MediaSection& section, Direction direction);

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
  secrecy::SecretString ice_pwd;
  std::string fingerprint_algorithm;
  std::vector<uint8_t> fingerprint;
  Setup setup = Setup::Passive;               // Active when the client insists on being passive
  std::vector<SocketAddress> candidates;      // host candidates, best first; component 1, UDP
  std::vector<AnswerSection> media;
};

// The answer to `offer`: ice-lite, rtcp-mux, accepted_formats() with the feedback that both sides support, and
// accepted_extensions(). A section without an acceptable format is rejected. Never ulpfec or flexfec, and red for Opus
// alone: browsers would wrap all video in it. It stands behind Opus, so that a browser goes on sending plain Opus
// unless its page wants RED.
// `answer.media` has one entry for each section of the offer.
std::string write_answer(const Offer& offer, const Answer& answer,
                         const std::vector<codec::CodecType>& video_preference);

}  // namespace viaduct::sdp
