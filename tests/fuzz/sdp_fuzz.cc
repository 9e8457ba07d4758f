// Whatever a client sends as its offer is either refused with a sentence, or answered section by section.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "protocol/sdp/sdp.h"

namespace {

using namespace viaduct;

sdp::Answer answer_for(const sdp::Offer& offer) {
  sdp::Answer answer;
  answer.ice_ufrag = "brdg";
  answer.ice_pwd = "0123456789abcdefghijklmn";
  answer.fingerprint_algorithm = "sha-256";
  answer.fingerprint.assign(32, 0x5a);
  answer.setup = sdp::answer_setup(offer.setup);
  answer.candidates = {{IpAddress::v4(0xc0000201), 10000}};
  for (const sdp::MediaSection& section : offer.media) {
    const bool slot = section.direction == sdp::Direction::RecvOnly;
    sdp::AnswerSection ours;
    ours.direction = slot ? sdp::Direction::SendOnly : sdp::Direction::RecvOnly;
    if (slot) ours.ssrc = 1;
    ours.cname = "bridge";
    answer.media.push_back(ours);
  }
  return answer;
}

// Checks the form of every line: nothing from the offer can end a line of the answer early.
size_t count_sections(std::string_view text) {
  size_t sections = 0;
  while (!text.empty()) {
    const size_t end = text.find("\r\n");
    CHECK(end != std::string_view::npos && end >= 2 && text[1] == '=');
    CHECK(text.substr(0, end).find_first_of("\r\n") == std::string_view::npos);
    if (text[0] == 'm') ++sections;
    text.remove_prefix(end + 2);
  }
  return sections;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto offer = sdp::parse_offer(as_text({data, size}));
  if (!offer) {
    CHECK(!offer.error().text.empty());
    return 0;
  }
  using enum codec::CodecType;
  const std::string answer = sdp::write_answer(*offer, answer_for(*offer), {Vp8, Vp9, H264, Av1});
  CHECK(count_sections(answer) == offer->media.size());
  return 0;
}
