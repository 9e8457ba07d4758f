// Offers that no browser writes. Run under the sanitizers; the fuzzer in tests/fuzz goes on from here.

#include "base/random.h"
#include "limits.h"
#include "tests/unit/sdp/offers.h"

namespace viaduct::sdp {
namespace {

// A copy of exactly this size on the heap, so that AddressSanitizer sees a read past the end.
bool accepts(std::string_view text) {
  const std::vector<char> exact(text.begin(), text.end());
  auto offer = parse_offer({exact.data(), exact.size()});
  if (!offer) return false;
  EXPECT_FALSE(write_answer(*offer, answer_for(*offer), AllVideo).empty());
  return true;
}

TEST(SdpHostile, SurvivesTruncationAtEveryByte) {
  int accepted = 0;
  for (size_t length = 0; length <= ShortOffer.size(); ++length) accepted += accepts(ShortOffer.substr(0, length));
  EXPECT_GT(accepted, 0);
  EXPECT_FALSE(accepts(ShortOffer.substr(0, ShortOffer.size() / 2)));
}

TEST(SdpHostile, SurvivesTruncatedBrowserOffers) {
  const std::string offer = browser_offer("firefox");
  for (size_t length = 0; length < offer.size(); length += 97) accepts(std::string_view(offer).substr(0, length));
  EXPECT_TRUE(accepts(offer));
}

TEST(SdpHostile, SurvivesAlteredBytes) {
  SeededRandom random(1);
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text(ShortOffer);
    for (uint64_t n = random.below(4) + 1; n > 0; --n) {
      text[random.below(text.size())] = static_cast<char>(random.next());
    }
    refused += !accepts(text);
  }
  EXPECT_GT(refused, 2500);
}

TEST(SdpHostile, SurvivesLinesInAnotherOrder) {
  std::vector<std::string> lines;
  std::istringstream text{std::string(ShortOffer)};
  for (std::string line; std::getline(text, line);) lines.push_back(line + "\n");
  SeededRandom random(2);
  for (int round = 0; round < 2000; ++round) {
    std::string shuffled = lines.front();
    for (size_t n = lines.size() * 2; n > 0; --n) shuffled += lines[1 + random.below(lines.size() - 1)];
    accepts(shuffled);
  }
  EXPECT_TRUE(accepts(ShortOffer));
}

// Fills an offer of the longest allowed size with one line over and over.
std::string filled_with(std::string_view line) {
  std::string text(ShortOffer);
  while (text.size() + line.size() <= limits::SdpBytes) text += line;
  return text;
}

TEST(SdpHostile, BoundsWhatRepeatedLinesCanCost) {
  // Each would take minutes if reading one line cost as much as all before it.
  EXPECT_TRUE(accepts(filled_with("a=x\r\n")));
  EXPECT_TRUE(accepts(filled_with("a=rtcp-fb:96 nack\r\n")));
  EXPECT_TRUE(accepts(filled_with("a=rtpmap:96 VP8/90000\r\n")));
  EXPECT_TRUE(accepts(filled_with("a=ssrc:1 cname:x\r\n")));
  EXPECT_TRUE(accepts(filled_with("a=ssrc-group:FID 1 2\r\n")));
  EXPECT_TRUE(accepts(filled_with("\n")));
  EXPECT_FALSE(accepts(filled_with("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n")));
  EXPECT_FALSE(accepts(filled_with("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n")));
}

TEST(SdpHostile, BoundsWhatLongLinesCanCost) {
  const auto lengthened = [](std::string_view line, std::string_view with) {
    std::string text = replaced(ShortOffer, line, line);
    std::string filler;
    while (text.size() + filler.size() + with.size() <= limits::SdpBytes) filler += with;
    return replaced(ShortOffer, line, std::string(line) + filler);
  };
  EXPECT_TRUE(accepts(lengthened("a=group:BUNDLE a v", " x")));
  EXPECT_TRUE(accepts(lengthened("a=fmtp:97 apt=96", ";a=b")));
  EXPECT_TRUE(accepts(lengthened("a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", " x")));
  EXPECT_FALSE(accepts(lengthened("SAVPF 111", " 112")));
  EXPECT_FALSE(accepts(lengthened("a=mid:a", "a")));
  EXPECT_FALSE(accepts(lengthened("a=ice-pwd:0123456789abcdefghijklmn", "x")));
}

TEST(SdpHostile, LimitsTheAnswersLengthToAMultipleOfTheOffers) {
  // The most that a short section can make the bridge write: its own transport, streams and one format.
  std::string text(ShortOffer);
  std::string group = "BUNDLE a v";
  for (int i = 0; i < 31; ++i) {
    const std::string mid = "m" + std::to_string(i);
    group += " " + mid;
    text += "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:" + mid + "\r\n";
    text += "a=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n";
  }
  text = replaced(text, "BUNDLE a v", group);
  EXPECT_LT(answer_text(text).size(), 4 * text.size());
}

}  // namespace
}  // namespace viaduct::sdp
