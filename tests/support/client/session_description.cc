#include "tests/support/client/session_description.h"

#include <algorithm>
#include <sstream>

#include "protocol/rtp/extension.h"
#include "tests/support/hex.h"

namespace viaduct::client {
namespace {

constexpr const char* Formats[] = {
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\n",
    "a=rtpmap:96 VP8/90000\r\n"
    "a=rtcp-fb:96 ccm fir\r\n"
    "a=rtcp-fb:96 nack\r\n"
    "a=rtcp-fb:96 nack pli\r\n"
    "a=rtpmap:97 rtx/90000\r\n"
    "a=fmtp:97 apt=96\r\n"};

class OfferWriter {
 public:
  explicit OfferWriter(const OfferDescription& offer) : offer_(offer) {}

  std::string write() {
    for (const SendStream& stream : offer_.streams) {
      begin_section(stream.kind, stream.mid, "sendonly");
      write_ssrcs(stream);
    }
    write_slots(codec::MediaKind::Audio, offer_.audio_slots);
    write_slots(codec::MediaKind::Video, offer_.video_slots);
    return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE" + bundled_ +
           "\r\na=extmap-allow-mixed\r\n" + sections_.str();
  }

 private:
  void write_slots(codec::MediaKind kind, size_t count) {
    const char letter = kind == codec::MediaKind::Audio ? 'a' : 'v';
    for (size_t i = 0; i < count; ++i) begin_section(kind, letter + std::to_string(i), "recvonly");
  }

  void begin_section(codec::MediaKind kind, const std::string& mid, const char* direction) {
    const bool audio = kind == codec::MediaKind::Audio;
    bundled_ += " " + mid;
    sections_ << (audio ? "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
                        : "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n")
              << "c=IN IP4 0.0.0.0\r\na=mid:" << mid << "\r\na=" << direction
              << "\r\na=ice-ufrag:" << offer_.credentials.ufrag
              << "\r\na=ice-pwd:" << offer_.credentials.password.view()
              << "\r\na=fingerprint:" << offer_.fingerprint.to_string()
              << "\r\na=setup:actpass\r\na=rtcp-mux\r\na=rtcp-rsize\r\n";
    write_extension(MidId, rtp::ExtensionType::Mid);
    write_extension(TransportSequenceId, rtp::ExtensionType::TransportSequence);
    if (audio)
      write_extension(AudioLevelId, rtp::ExtensionType::AudioLevel);
    else
      write_extension(DependencyDescriptorId, rtp::ExtensionType::DependencyDescriptor);
    sections_ << Formats[audio ? 0 : 1];
    if (offer_.reports_arrivals)
      sections_ << "a=rtcp-fb:" << int{audio ? OpusPayloadType : Vp8PayloadType} << " transport-cc\r\n";
  }

  void write_extension(uint8_t id, rtp::ExtensionType type) {
    sections_ << "a=extmap:" << int{id} << " " << rtp::uri_of(type) << "\r\n";
  }

  void write_ssrcs(const SendStream& stream) {
    sections_ << "a=msid:- " << stream.mid << "\r\n";
    if (stream.rtx_ssrc != 0)
      sections_ << "a=ssrc-group:FID " << stream.ssrc << " " << stream.rtx_ssrc << "\r\n";
    for (const uint32_t ssrc : {stream.ssrc, stream.rtx_ssrc})
      if (ssrc != 0) sections_ << "a=ssrc:" << ssrc << " cname:bot\r\n";
  }

  const OfferDescription& offer_;
  std::string bundled_;
  std::ostringstream sections_;
};

// Reads what write_answer() of the bridge writes, line by line. (Its own parser is for offers and
// holds them to the limits of one client.)
class AnswerReader {
 public:
  Result<AnswerView> read(const std::string& sdp) {
    std::istringstream lines(sdp);
    for (std::string line; std::getline(lines, line);) {
      while (line.ends_with('\r')) line.pop_back();
      read_line(line);
    }
    end_section();
    if (view_.credentials.ufrag.empty() || view_.credentials.password.empty())
      return missing("ICE credentials");
    if (view_.fingerprint.digest.empty()) return missing("fingerprint");
    if (view_.bridge.port == 0) return missing("IPv4 candidate");
    if (!passive_) return missing("a=setup:passive");
    return std::move(view_);
  }

 private:
  static Error missing(const std::string& what) {
    return {ErrorCode::InvalidArgument, "the answer has no " + what};
  }

  void read_line(const std::string& line) {
    std::istringstream rest(line.substr(std::min(line.find_first_of(": ") + 1, line.size())));
    if (line.starts_with("m=")) {
      end_section();
      slot_.kind = line.starts_with("m=audio") ? codec::MediaKind::Audio : codec::MediaKind::Video;
    } else if (line.starts_with("a=ice-ufrag:")) {
      rest >> view_.credentials.ufrag;
    } else if (line.starts_with("a=ice-pwd:")) {
      std::string password;
      rest >> password;
      view_.credentials.password = password;
    } else if (line.starts_with("a=fingerprint:")) {
      std::string digest;
      rest >> view_.fingerprint.algorithm >> digest;
      view_.fingerprint.digest = testing::from_hex(digest);
    } else if (line == "a=setup:passive") {
      passive_ = true;
    } else if (line.starts_with("a=ssrc-group:FID")) {
      std::string fid;
      rest >> fid >> slot_.ssrc >> slot_.rtx_ssrc;
    } else if (line.starts_with("a=ssrc:") && slot_.ssrc == 0) {
      rest >> slot_.ssrc;
    } else if (line.starts_with("a=candidate:") && view_.bridge.port == 0) {
      read_candidate(rest);
    }
  }

  // <foundation> <component> <transport> <priority> <address> <port> typ ... (RFC 8839 section 5.1)
  void read_candidate(std::istringstream& words) {
    std::string skipped, address;
    uint16_t port = 0;
    words >> skipped >> skipped >> skipped >> skipped >> address >> port;
    const auto ip = IpAddress::parse(address);
    if (words && ip && !ip->is_v6()) view_.bridge = {*ip, port};
  }

  void end_section() {
    if (slot_.ssrc != 0) view_.slots.push_back(slot_);
    slot_ = {};
  }

  AnswerView view_;
  ReceiveSlot slot_;
  bool passive_ = false;
};

}  // namespace

std::string write_offer(const OfferDescription& offer) { return OfferWriter(offer).write(); }

Result<AnswerView> read_answer(const std::string& sdp) { return AnswerReader().read(sdp); }

}  // namespace viaduct::client
