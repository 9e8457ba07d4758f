// write_answer(): the session, then one m-section for each of the offer's (RFC 9429 section 5.3).

#include <algorithm>
#include <string>
#include <type_traits>

#include "base/check.h"
#include "protocol/sdp/fmtp.h"
#include "protocol/sdp/sdp.h"

namespace viaduct::sdp {
namespace {

std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::SendRecv: return "sendrecv";
    case Direction::SendOnly: return "sendonly";
    case Direction::RecvOnly: return "recvonly";
    case Direction::Inactive: return "inactive";
  }
  return "inactive";
}

std::string_view name_of(Setup setup) {
  switch (setup) {
    case Setup::ActPass: return "actpass";
    case Setup::Active: return "active";
    case Setup::Passive: return "passive";
  }
  return "passive";
}

std::string hex(const std::vector<uint8_t>& bytes) {
  constexpr std::string_view Digits = "0123456789ABCDEF";
  std::string text;
  for (const uint8_t b : bytes) {
    if (!text.empty()) text += ':';
    text += Digits[b >> 4];
    text += Digits[b & 15];
  }
  return text;
}

// What the bridge asks of a client that sends this format. Limits a browser states for its own receiver (max-fs,
// stereo) are not repeated: in the answer they would limit what it sends.
std::string answer_fmtp(const PayloadFormat& format) {
  switch (format.type) {
    case codec::CodecType::Opus: return "minptime=10;useinbandfec=1";
    case codec::CodecType::Vp8: return "";
    case codec::CodecType::Vp9: return fmtp_parameter(format.fmtp, "profile-id") ? "profile-id=0" : "";
    case codec::CodecType::H264:
    case codec::CodecType::Av1: return format.fmtp;
  }
  return "";
}

class AnswerWriter {
 public:
  AnswerWriter(const Offer& offer, const Answer& answer, const std::vector<codec::CodecType>& video_preference)
      : offer_(offer), answer_(answer) {
    CHECK(answer.media.size() == offer.media.size());
    for (const MediaSection& section : offer.media) formats_.push_back(accepted_formats(section, video_preference));
  }

  std::string write() {
    write_session();
    bool candidates_written = false;
    for (size_t i = 0; i < offer_.media.size(); ++i) {
      if (formats_[i].empty()) {
        write_rejected(offer_.media[i]);
        continue;
      }
      write_accepted(offer_.media[i], answer_.media[i], formats_[i]);
      if (!candidates_written) write_candidates();  // the whole bundle has those of its first section
      candidates_written = true;
    }
    return std::move(text_);
  }

 private:
  void write_session();
  void write_rejected(const MediaSection& section);
  void write_accepted(const MediaSection& section, const AnswerSection& ours,
                      const std::vector<PayloadFormat>& formats);
  void write_media_line(const MediaSection& section, const std::vector<PayloadFormat>& formats);
  void write_transport();
  void write_extensions(const MediaSection& section, Direction direction);
  void write_format(const PayloadFormat& format, Direction direction);
  void write_simulcast(const std::vector<std::string>& rids);
  void write_stream(const AnswerSection& ours);
  void write_candidates();

  template <typename... Parts>
  void line(const Parts&... parts) {
    (append(parts), ...);
    text_ += "\r\n";
  }
  void append(std::string_view text) { text_ += text; }
  template <typename Number>
    requires std::is_integral_v<Number>
  void append(Number number) { text_ += std::to_string(number); }

  const Offer& offer_;
  const Answer& answer_;
  std::vector<std::vector<PayloadFormat>> formats_;  // accepted, of each section; none: the section is rejected
  std::string text_;
};

void AnswerWriter::write_session() {
  line("v=0");
  line("o=- 1 1 IN IP4 0.0.0.0");  // a session has one answer: no identifier or version needs telling apart
  line("s=-");
  line("t=0 0");
  line("a=ice-lite");
  std::string bundled;
  for (size_t i = 0; i < offer_.media.size(); ++i) {
    if (!formats_[i].empty()) bundled += " " + offer_.media[i].mid;
  }
  if (!bundled.empty()) line("a=group:BUNDLE", bundled);
}

void AnswerWriter::write_rejected(const MediaSection& section) {
  line("m=", section.media, " 0 ", section.protocol, " ", section.format_list);
  line("c=IN IP4 0.0.0.0");
  if (!section.mid.empty()) line("a=mid:", section.mid);
  line("a=inactive");
}

void AnswerWriter::write_accepted(const MediaSection& section, const AnswerSection& ours,
                                  const std::vector<PayloadFormat>& formats) {
  write_media_line(section, formats);
  write_transport();
  line("a=mid:", section.mid);
  line("a=", name_of(ours.direction));
  line("a=rtcp-mux");
  if (section.reduced_size_rtcp) line("a=rtcp-rsize");
  write_extensions(section, ours.direction);
  for (const PayloadFormat& format : formats) write_format(format, ours.direction);
  if (ours.direction == Direction::RecvOnly) write_simulcast(section.rids);
  write_stream(ours);
}

// All that the client would send (RFC 8853 section 5.3.2).
void AnswerWriter::write_simulcast(const std::vector<std::string>& rids) {
  std::string list;
  for (const std::string& rid : rids) {
    line("a=rid:", rid, " recv");
    list += (list.empty() ? "" : ";") + rid;
  }
  if (!list.empty()) line("a=simulcast:recv ", list);
}

void AnswerWriter::write_media_line(const MediaSection& section, const std::vector<PayloadFormat>& formats) {
  std::string payload_types;
  for (const PayloadFormat& format : formats) {
    payload_types += " " + std::to_string(format.payload_type);
    if (format.rtx_payload_type) payload_types += " " + std::to_string(*format.rtx_payload_type);
    if (format.red_payload_type) payload_types += " " + std::to_string(*format.red_payload_type);
  }
  // Without a candidate: port 9 and the unspecified address (RFC 9429 section 5.3.1).
  const SocketAddress address = answer_.candidates.empty() ? SocketAddress{{}, 9} : answer_.candidates.front();
  line("m=", section.media, " ", address.port, " ", section.protocol, payload_types);
  line("c=IN ", address.ip.is_v6() ? "IP6 " : "IP4 ", address.ip.to_string());
}

void AnswerWriter::write_transport() {
  line("a=ice-ufrag:", answer_.ice_ufrag);
  line("a=ice-pwd:", answer_.ice_pwd);
  line("a=fingerprint:", answer_.fingerprint_algorithm, " ", hex(answer_.fingerprint));
  line("a=setup:", name_of(answer_.setup));
}

// Each extension says which way it flows: what a client offers as /recvonly may only be answered as /sendonly
// (RFC 8285 section 8), and so it is for all.
void AnswerWriter::write_extensions(const MediaSection& section, Direction direction) {
  const rtp::ExtensionMap accepted = accepted_extensions(section, direction);
  for (int i = 0; i < rtp::ExtensionTypes; ++i) {
    const auto type = static_cast<rtp::ExtensionType>(i);
    if (accepted.has(type)) line("a=extmap:", accepted.id(type), "/", name_of(direction), " ", rtp::uri_of(type));
  }
  if (section.mixed_extensions) line("a=extmap-allow-mixed");
}

void AnswerWriter::write_format(const PayloadFormat& format, Direction direction) {
  const unsigned pt = format.payload_type;
  const bool video = codec::kind_of(format.type) == codec::MediaKind::Video;
  line("a=rtpmap:", pt, " ", codec::to_string(format.type), "/", codec::clock_rate_of(format.type), video ? "" : "/2");
  if (const std::string fmtp = answer_fmtp(format); !fmtp.empty()) line("a=fmtp:", pt, " ", fmtp);
  if (video && format.nack) line("a=rtcp-fb:", pt, " nack");
  if (video && format.pli) line("a=rtcp-fb:", pt, " nack pli");
  if (video && format.fir) line("a=rtcp-fb:", pt, " ccm fir");
  if (format.transport_cc) line("a=rtcp-fb:", pt, " transport-cc");
  const bool to_client = direction == Direction::SendOnly;
  if (to_client && !format.transport_cc && format.ccfb) line("a=rtcp-fb:", pt, " ack ccfb");
  if (to_client && !format.transport_cc && format.remb) line("a=rtcp-fb:", pt, " goog-remb");
  if (format.rtx_payload_type) {
    line("a=rtpmap:", *format.rtx_payload_type, " rtx/", codec::clock_rate_of(format.type));
    line("a=fmtp:", *format.rtx_payload_type, " apt=", pt);
  }
  if (format.red_payload_type) {
    line("a=rtpmap:", *format.red_payload_type, " red/", codec::clock_rate_of(format.type), "/2");
    line("a=fmtp:", *format.red_payload_type, " ", pt, "/", pt);
  }
}

void AnswerWriter::write_stream(const AnswerSection& ours) {
  if (!ours.msid.empty()) line("a=msid:", ours.msid);
  if (!ours.ssrc) return;
  if (ours.rtx_ssrc) line("a=ssrc-group:FID ", *ours.ssrc, " ", *ours.rtx_ssrc);
  line("a=ssrc:", *ours.ssrc, " cname:", ours.cname);
  if (ours.rtx_ssrc) line("a=ssrc:", *ours.rtx_ssrc, " cname:", ours.cname);
}

void AnswerWriter::write_candidates() {
  constexpr uint32_t HostPreference = 126;  // RFC 8445 section 5.1.2.2
  constexpr uint32_t Component = 1;
  uint32_t rank = 0;
  for (const SocketAddress& candidate : answer_.candidates) {
    const uint32_t local_preference = 65535 - std::min<uint32_t>(rank++, 65535);
    const uint32_t priority = (HostPreference << 24) | (local_preference << 8) | (256 - Component);
    line("a=candidate:", rank, " ", Component, " udp ", priority, " ", candidate.ip.to_string(), " ", candidate.port,
         " typ host");
  }
  if (!answer_.candidates.empty()) line("a=end-of-candidates");
}

}  // namespace

std::string write_answer(const Offer& offer, const Answer& answer,
                         const std::vector<codec::CodecType>& video_preference) {
  return AnswerWriter(offer, answer, video_preference).write();
}

}  // namespace viaduct::sdp
