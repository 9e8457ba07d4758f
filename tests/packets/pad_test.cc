// Step 11: packets to one receiver that are nearly of one size leave in one size, and arrive as they
// were.
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

// Bytes of media in each packet of a burst, and bytes of padding that each leaves with.
struct Burst {
  const char* name;
  std::vector<size_t> bodies;
  std::vector<size_t> padding;
};

class Pad : public PathFixture {
 protected:
  Pad() {
    io.tight = false;
    join_sender(1);
  }

  // A turn in which packets with these bodies arrive from the camera.
  void send_burst(const std::vector<size_t>& bodies) {
    sent.clear();
    for (const size_t bytes : bodies) {
      Rtp packet = sender().cam(++sequence);
      packet.payload = write_vp8({.picture_id = sequence, .tl0 = 1, .body_bytes = bytes});
      sent.push_back(packet.payload);
      send(sender(), packet);
    }
    turn();
  }
  // The padding of what a receiver got, having seen that the media is what was sent.
  std::vector<size_t> padding_at(const TestClient& receiver) const {
    std::vector<size_t> padding;
    for (size_t i = 0; i < receiver.media.size(); ++i) {
      const ReceivedRtp& r = receiver.media[i];
      const size_t behind_header = r.bytes.size() - r.header.header_bytes;
      EXPECT_EQ(r.header.padding, behind_header > r.payload().size());
      // The frame behind the descriptor, whose numbers are the slot's.
      constexpr size_t Descriptor = 6;
      EXPECT_THAT(std::vector(r.payload().begin() + Descriptor, r.payload().end()),
                  ElementsAreArray(sent.at(i).begin() + Descriptor, sent.at(i).end()));
      padding.push_back(behind_header - r.payload().size());
    }
    return padding;
  }

  TestClient& sender() { return *clients.front(); }

  std::vector<std::vector<uint8_t>> sent;
  uint16_t sequence = 200;
};

// A slot begins at a key frame: the one that a receiver's arrival asks for.
void begin(PathFixture& fixture, TestClient& sender, uint16_t& sequence) {
  fixture.send_now(sender, sender.cam(++sequence, true));
  fixture.forget_received();
}

class PadOf : public Pad, public ::testing::WithParamInterface<Burst> {};
INSTANTIATE_TEST_SUITE_P(
    Bursts, PadOf,
    ::testing::Values(Burst{"One", {1000}, {0}},
                      Burst{"OfOneSize", {1000, 1000, 1000}, {0, 0, 0}},
                      Burst{"OfAFrame", {1001, 1000, 1000, 999}, {0, 1, 1, 0}},
                      Burst{"WithAShortEnd", {1000, 995, 300}, {0, 5, 0}},
                      Burst{"OfTwoFrames", {1000, 990, 200, 800, 799, 100}, {0, 10, 0, 0, 1, 0}},
                      Burst{"ThatGrow", {1000, 1010, 1020}, {20, 10, 0}},
                      Burst{"ThatGrowTooMuch", {1000, 1020, 1040}, {20, 0, 0}},
                      Burst{"OfDifferentSizes", {500, 1000, 400, 900}, {0, 0, 0, 0}},
                      Burst{"OfSmallOnes", {60, 62, 61, 61}, {2, 0, 1, 0}}),
    [](const auto& test) { return test.param.name; });

TEST_P(PadOf, MakesNeighboursOneSizeAndChangesNoMedia) {
  TestClient& receiver = join(2);
  begin(*this, sender(), sequence);
  send_burst(GetParam().bodies);
  EXPECT_THAT(padding_at(receiver), ElementsAreArray(GetParam().padding));
  uint64_t total = 0;
  for (const size_t bytes : GetParam().padding) total += bytes;
  EXPECT_EQ(counters.padding.bytes.value(), total);
}

TEST_F(Pad, ServesReceiversWhoseHeadersDiffer) {
  TestClient& one = join(2);
  TestClient& other = join(TestClient::like_firefox(3));
  begin(*this, sender(), sequence);
  send_burst({1000, 996, 998, 300});
  EXPECT_THAT(padding_at(one), ElementsAreArray({0, 4, 2, 0}));
  EXPECT_THAT(padding_at(other), ElementsAreArray({0, 4, 2, 0}));
}

TEST_F(Pad, LeavesOutWhatASenderHasPaddedItself) {
  TestClient& receiver = join(2);
  begin(*this, sender(), sequence);
  Rtp padded = sender().cam(++sequence);
  padded.payload = write_vp8({.picture_id = sequence, .tl0 = 1, .body_bytes = 600});
  sent = {padded.payload};
  padded.padding = true;
  padded.payload.insert(padded.payload.end(), 200, uint8_t{200});
  send_now(sender(), padded);
  EXPECT_THAT(padding_at(receiver), ElementsAreArray({0}));
}

TEST_F(Pad, TouchesNothingWhereTheBufferHasNoRoom) {
  io.tight = true;
  TestClient& receiver = join(2);
  begin(*this, sender(), sequence);
  send_burst({1000, 999, 998, 300});
  EXPECT_THAT(padding_at(receiver), ElementsAreArray({0, 0, 0, 0}));
}

TEST_F(Pad, IsNotPartOfWhatIsResent) {
  TestClient& receiver = join(2);
  begin(*this, sender(), sequence);
  send_burst({1000, 990, 1000});
  ASSERT_THAT(padding_at(receiver), ElementsAreArray({0, 10, 0}));
  const ReceivedRtp lost = receiver.media.at(1);
  forget_received();
  nack(receiver, lost.header.ssrc, {lost.header.sequence});
  ASSERT_EQ(receiver.media.size(), 1u);
  EXPECT_FALSE(receiver.media[0].header.padding);
  EXPECT_EQ(receiver.media[0].payload().size(), 2 + lost.payload().size());
}

}  // namespace
}  // namespace viaduct::testing
