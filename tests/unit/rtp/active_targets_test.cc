// What descriptors say to a receiver that does not get all layers.
#include "protocol/rtp/active_targets.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"
#include "tests/support/layered_stream.h"

namespace viaduct::rtp {
namespace {

using testing::DescriptorFields;
using testing::ExactBytes;
using testing::from_hex;
using testing::LayeredStream;
using testing::Spatial;
using testing::write_descriptor;

// What a receiver of the layers up to `given` is told by a stream's descriptors, and what it makes of that.
class Receiver {
 public:
  explicit Receiver(LayerId given) : given_(given) {}

  // What its descriptor says to it; null where it is malformed.
  std::optional<FrameInfo> hear(const std::vector<uint8_t>& element) {
    const auto frame = sender_.read(element);
    if (!frame) return std::nullopt;
    const auto mask = targets_.next(ExactBytes(element), *frame, given_);
    said = mask.has_value();
    if (!mask) return receiver_.read(element);
    std::array<uint8_t, MaxDescriptorBytes> space;
    const size_t size = write_active_targets(space, ExactBytes(element), *mask);
    sent.assign(space.begin(), space.begin() + static_cast<ptrdiff_t>(size));
    return receiver_.read(sent);
  }
  void give(LayerId layer) { given_ = layer; }

  std::vector<uint8_t> sent;  // the last one that was written
  bool said = false;          // the last one has a mask of the bridge's

 private:
  LayerId given_;
  DependencyReader sender_, receiver_;
  ActiveTargets targets_;
};

uint16_t layers(std::initializer_list<LayerId> of) {
  uint16_t bits = 0;
  for (const LayerId layer : of) bits |= static_cast<uint16_t>(1u << layer.index());
  return bits;
}

TEST(ActiveTargets, AreTheSendersWhereEverythingIsGiven) {
  LayeredStream stream(Spatial::Full, 3, 3);
  Receiver all({2, 2});
  for (int i = 0; i < 8; ++i) {
    for (const auto& frame : stream.next(i == 0)) {
      all.hear(stream.descriptor(frame, true, true));
      EXPECT_FALSE(all.said);
    }
  }
}

// Nothing but the layers that there are changes, in descriptors with a structure and without.
TEST(ActiveTargets, AreThoseOfWhichTheReceiverHasEveryFrame) {
  struct Row {
    Spatial kind;
    LayerId given;
    uint16_t layers;
  };
  const Row rows[] = {
      {Spatial::Full, {0, 0}, layers({{0, 0}})},
      {Spatial::Full, {1, 1}, layers({{0, 0}, {0, 1}, {1, 0}, {1, 1}})},
      {Spatial::Full, {2, 0}, layers({{0, 0}, {1, 0}, {2, 0}})},
      {Spatial::KeyPicturesOnly, {1, 1}, layers({{1, 0}, {1, 1}})},
      {Spatial::KeyPicturesOnly, {0, 2}, layers({{0, 0}, {0, 1}, {0, 2}})},
      {Spatial::Independent, {2, 1}, layers({{2, 0}, {2, 1}})},
  };
  for (const Row& row : rows) {
    LayeredStream stream(row.kind, 3, 3);
    Receiver receiver(row.given);
    DependencyReader untouched;
    for (int i = 0; i < 12; ++i) {
      for (const auto& frame : stream.next(i % 6 == 0)) {
        const auto element = stream.descriptor(frame, true, i % 2 == 0);
        auto expected = untouched.read(element);
        ASSERT_TRUE(expected);
        expected->layers = row.layers;
        EXPECT_EQ(receiver.hear(element), expected);
        EXPECT_TRUE(receiver.said);
      }
    }
  }
}

TEST(ActiveTargets, TakeTwoBytesOfAShortDescriptor) {
  LayeredStream stream(Spatial::Full, 3, 3);
  Receiver receiver({0, 2});
  for (const auto& frame : stream.next(true)) receiver.hear(stream.descriptor(frame, true, true));
  const auto element = stream.descriptor(stream.next(false)[0], true, true);
  ASSERT_EQ(element.size(), 3u);
  receiver.hear(element);
  EXPECT_EQ(testing::to_hex(receiver.sent), testing::to_hex(element) + "401c") << "00001000 000111 for targets 8 to 0";
}

// The packet that said it first may be lost.
TEST(ActiveTargets, AreSaidInEveryPacketUntilAStructureComesWithAllOfThem) {
  LayeredStream stream(Spatial::Full, 2, 1);
  Receiver receiver({1, 0});
  const auto next = [&](bool key) {
    std::optional<FrameInfo> heard;
    for (const auto& frame : stream.next(key)) heard = receiver.hear(stream.descriptor(frame, true, true));
    return heard->layers;
  };
  EXPECT_EQ(next(true), layers({{0, 0}, {1, 0}}));
  EXPECT_FALSE(receiver.said);
  receiver.give({0, 0});
  EXPECT_EQ(next(false), layers({{0, 0}}));
  receiver.give({1, 0});
  EXPECT_EQ(next(false), layers({{0, 0}, {1, 0}}));
  EXPECT_TRUE(receiver.said);
  EXPECT_EQ(next(false), layers({{0, 0}, {1, 0}}));
  EXPECT_TRUE(receiver.said);
  EXPECT_EQ(next(true), layers({{0, 0}, {1, 0}}));
  EXPECT_FALSE(receiver.said);
}

TEST(ActiveTargets, AreNeverMoreThanTheSenderHas) {
  LayeredStream stream(Spatial::Full, 2, 2);
  Receiver receiver({1, 0});
  for (const auto& frame : stream.next(true)) receiver.hear(stream.descriptor(frame, true, true));
  // Of four targets the sender has the first two left: the lower spatial layer.
  const auto element =
      write_descriptor(stream.structure(), {.template_index = 1, .number = 9, .active_targets = 0b0011});
  EXPECT_EQ(receiver.hear(element)->layers, layers({{0, 0}}));
  EXPECT_EQ(receiver.sent.size(), element.size()) << "its mask stands in the place of the sender's";
}

// Receivers read no structure that comes late, nor do they count targets by it.
TEST(ActiveTargets, AreNotThoseOfAStructureThatComesLate) {
  LayeredStream small(Spatial::Full, 1, 2, 10), large(Spatial::Full, 3, 3, 20);
  const auto late = small.descriptor(small.next(true)[0], true, true);
  Receiver receiver({0, 0});
  receiver.hear(large.descriptor(large.next(true)[0], true, true));
  ASSERT_TRUE(receiver.said);
  receiver.hear(late);
  EXPECT_FALSE(receiver.said);
  EXPECT_EQ(receiver.hear(large.descriptor(large.next(false)[0], true, true))->layers, layers({{0, 0}}));
}

TEST(ActiveTargets, AreLeftAloneWhereTheStructureIsNotKnown) {
  LayeredStream stream(Spatial::Full, 2, 2);
  ActiveTargets targets;
  stream.next(true);
  const auto element = stream.descriptor(stream.next(false)[0], true, true);
  EXPECT_FALSE(targets.next(element, FrameInfo(), {0, 0}));
  EXPECT_FALSE(targets.next(from_hex("c0000180ff"), FrameInfo(), {0, 0})) << "cut short";
  EXPECT_FALSE(targets.next({}, FrameInfo(), {0, 0}));
}

TEST(ActiveTargets, AreNotWrittenIntoWhatIsMalformedOrTooLong) {
  std::array<uint8_t, MaxDescriptorBytes> space;
  const TargetMask mask{1, 9};
  for (const char* cut : {"", "c0", "c000", "c0000180ff", "c000014a"})
    EXPECT_EQ(write_active_targets(space, from_hex(cut), mask), 0u) << cut;
  std::vector<uint8_t> longest(MaxDescriptorBytes, 0xff);
  longest[3] = 0;
  EXPECT_EQ(write_active_targets(space, longest, mask), 0u);
}

}  // namespace
}  // namespace viaduct::rtp
