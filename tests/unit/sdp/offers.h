// Offers to test with: what real browsers wrote, and a short one that is easy to alter.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/sdp/sdp.h"

namespace viaduct::sdp {

// The offer of "chromium" or "firefox" with a microphone, a camera, 3 audio and 12 video slots, in that order of
// sections.
inline std::string browser_offer(const std::string& browser) {
  const auto path = std::filesystem::path(VIADUCT_SOURCE_DIR) / "tests/unit/sdp/data" / (browser + ".sdp");
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

inline constexpr std::string_view ShortOffer =
    "v=0\r\n"
    "o=- 1 1 IN IP4 0.0.0.0\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE a v\r\n"
    "a=ice-ufrag:abcd\r\n"
    "a=ice-pwd:0123456789abcdefghijklmn\r\n"
    "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1f\r\n"
    "a=setup:actpass\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:a\r\n"
    "a=sendonly\r\n"
    "a=rtcp-mux\r\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=rtcp-fb:111 transport-cc\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:v\r\n"
    "a=recvonly\r\n"
    "a=rtcp-mux\r\n"
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=rtpmap:96 VP8/90000\r\n"
    "a=rtpmap:97 rtx/90000\r\n"
    "a=fmtp:97 apt=96\r\n"
    "a=rtcp-fb:* nack\r\n"
    "a=rtcp-fb:96 nack pli\r\n";

// `text` with the first `from` replaced by `to`.
inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string copy(text);
  const size_t at = copy.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) copy.replace(at, from.size(), to);
  return copy;
}

inline Offer parsed(std::string_view text) {
  auto offer = parse_offer(text);
  EXPECT_TRUE(offer.ok()) << offer.error().text;
  return offer.ok() ? *offer : Offer{};
}

// The sentence that refuses `text`; empty when it is accepted.
inline std::string refusal(std::string_view text) {
  const auto offer = parse_offer(text);
  if (offer.ok()) return "";
  EXPECT_EQ(offer.error().code, ErrorCode::InvalidArgument);
  return offer.error().text;
}

// An answer with transport and streams for every section: RecvOnly where the client sends, SendOnly where it
// receives.
inline Answer answer_for(const Offer& offer) {
  Answer answer;
  answer.ice_ufrag = "brdg";
  answer.ice_pwd = "nmlkjihgfedcba9876543210";
  answer.fingerprint_algorithm = "sha-256";
  answer.fingerprint.assign(32, 0xab);
  answer.setup = answer_setup(offer.setup);
  answer.candidates = {{IpAddress::v4(0xc0000201), 10000}};
  uint32_t ssrc = 1000;
  for (const MediaSection& section : offer.media) {
    AnswerSection ours;
    ours.direction = section.direction == Direction::RecvOnly ? Direction::SendOnly : Direction::RecvOnly;
    if (section.direction == Direction::RecvOnly) {
      ours.ssrc = ssrc++;
      if (section.kind == codec::MediaKind::Video) ours.rtx_ssrc = ssrc++;
      ours.cname = "bridge";
      ours.msid = "slot track";
    }
    answer.media.push_back(ours);
  }
  return answer;
}

inline const std::vector<codec::CodecType> AllVideo = {codec::CodecType::Vp8, codec::CodecType::Vp9,
                                                       codec::CodecType::H264, codec::CodecType::Av1};

inline std::string answer_text(std::string_view offer_text) {
  const Offer offer = parsed(offer_text);
  return write_answer(offer, answer_for(offer), AllVideo);
}

// The text of the m-section with this mid, from its m= line to the next.
inline std::string section_of(std::string_view sdp, std::string_view mid) {
  const size_t at = sdp.find("a=mid:" + std::string(mid) + "\r\n");
  EXPECT_NE(at, std::string_view::npos) << mid;
  if (at == std::string_view::npos) return "";
  const size_t begin = sdp.rfind("m=", at);
  return std::string(sdp.substr(begin, sdp.find("\r\nm=", at) - begin));
}

}  // namespace viaduct::sdp
