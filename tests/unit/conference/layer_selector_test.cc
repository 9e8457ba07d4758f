#include "conference/layer_selector.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "protocol/rtp/dependency_descriptor.h"
#include "tests/support/layered_stream.h"

namespace viaduct::conference {
namespace {

using rtp::FrameInfo;
using rtp::Indication;
using rtp::LayerId;
using rtp::Prediction;
using testing::LayeredStream;
using testing::Spatial;
using Decision = LayerSelector::Decision;

constexpr std::optional<Layer> layer(uint8_t spatial, uint8_t temporal, uint8_t encoding = 0) {
  return Layer{encoding, {spatial, temporal}};
}

// An encoding of one packet a frame, described by dependency descriptors.
class Encoding {
 public:
  Encoding(Spatial kind, uint8_t spatial, uint8_t temporal, uint8_t index = 0)
      : stream_(kind, spatial, temporal), index_(index), timestamp_(0xffffe000u + index) {}

  // What is forwarded of the next picture, as "spatial temporal", and * where the picture ends.
  std::string next(LayerSelector& selector, bool key = false) {
    timestamp_ += 3000;
    std::string text;
    for (const auto& f : stream_.next(key)) {
      const auto frame = frames_.emplace_back(*reader_.read(stream_.descriptor(f, true, true)));
      const auto picked = selector.pick({index_, sequence_++, timestamp_}, frame);
      if (picked.decision != Decision::Forward) continue;
      if (!text.empty()) text += ' ';
      text += std::to_string(f.layer.spatial) + std::to_string(f.layer.temporal) + (picked.ends_picture ? "*" : "");
    }
    return text;
  }
  // What the packet of that sequence number was.
  const FrameInfo& frame(int64_t sequence) const { return frames_.at(static_cast<size_t>(sequence)); }

 private:
  LayeredStream stream_;
  rtp::DependencyReader reader_;
  std::vector<FrameInfo> frames_;
  uint8_t index_;
  uint32_t timestamp_;
  int64_t sequence_ = 0;
};

// A picture: what is aimed at from it on, whether it is a key picture, what is forwarded, and whether a key frame is
// waited for behind it.
struct Row {
  std::optional<Layer> aim;
  bool key;
  const char* forwarded;
  bool awaits = false;
};

void run(Spatial kind, uint8_t spatial, uint8_t temporal, const std::vector<Row>& rows) {
  Encoding encoding(kind, spatial, temporal);
  LayerSelector selector;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].aim) selector.aim(rows[i].aim);
    EXPECT_EQ(encoding.next(selector, rows[i].key), rows[i].forwarded) << "picture " << i;
    EXPECT_EQ(selector.awaited().has_value(), rows[i].awaits) << "picture " << i;
  }
}

// Pictures are of the temporal layers 0 2 1 2, from each key picture on.
TEST(LayerSelector, TakesTemporalLayersAwayAtOnceAndOpensThemWhereAFrameAllows) {
  run(Spatial::Full, 1, 3,
      {
          {layer(0, 2), true, "00*"},
          {{}, false, "02*"},
          {layer(0, 1), false, "01*"},
          {{}, false, ""},
          {{}, false, "00*"},
          {{}, false, ""},
          {layer(0, 0), false, ""},
          {layer(0, 1), false, ""},
          {{}, false, "00*"},         // layer 1 can be begun with it
          {layer(0, 2), false, "02*"},  // and so can layer 2, of which nothing was skipped since
          {layer(0, 0), false, ""},
          {layer(0, 2), false, ""},  // it may build on the last one
          {layer(0, 1), false, "00*"},
          {{}, false, ""},
          {layer(0, 2), false, "01*"},  // layer 2 was skipped, but can be begun with it
          {{}, false, "02*"},
      });
}

TEST(LayerSelector, TakesSpatialLayersOfFullSvcAwayAtOnceAndOpensThemWithKeyFrames) {
  run(Spatial::Full, 3, 3,
      {
          {layer(2, 2), true, "00 10 20*"},
          {{}, false, "02 12 22*"},
          {layer(1, 2), false, "01 11*"},
          {{}, false, "02 12*"},
          {layer(0, 1), false, "00*"},
          {{}, false, ""},
          {layer(2, 1), false, "01*", true},
          {{}, false, "", true},
          {{}, false, "00*", true},
          {{}, false, "", true},
          {{}, true, "00 10 20*"},
          {{}, false, ""},
          {{}, false, "01 11 21*"},
          {layer(2, 2), false, "02 12 22*"},
          {{}, false, "00 10 20*"},
      });
}

// What is whole of the lower one is its lowest frame rate; the others open up by themselves.
TEST(LayerSelector, TakesASpatialLayerAwayWithoutAKeyFrameWhenItComesBackToAHigherFrameRate) {
  run(Spatial::Full, 2, 3,
      {
          {layer(1, 2), true, "00 10*"},
          {layer(1, 0), false, ""},
          {{}, false, ""},
          {{}, false, ""},
          {layer(0, 2), false, "00*"},
          {{}, false, "02*"},
          {{}, false, "01*"},
      });
}

// Pictures are of the temporal layers 0 2 1 2, each of a frame in three sizes.
TEST(LayerSelector, HasARemedyForEachPacketThatIsLost) {
  using Remedy = LayerSelector::Remedy;
  Encoding encoding(Spatial::Full, 3, 3);
  LayerSelector selector;
  const auto remedy = [&](int64_t sequence, uint8_t index = 0) {
    return selector.remedy_of(index, sequence, encoding.frame(sequence));
  };
  selector.aim(layer(2, 2));
  encoding.next(selector, true);
  for (int i = 0; i < 3; ++i) encoding.next(selector);
  for (int64_t sequence = 0; sequence < 12; ++sequence) EXPECT_EQ(remedy(sequence), Remedy::Resend);
  EXPECT_EQ(remedy(0, 1), Remedy::None) << "another encoding";

  selector.aim(layer(1, 1));
  encoding.next(selector);
  EXPECT_EQ(remedy(12), Remedy::Resend);
  EXPECT_EQ(remedy(2), Remedy::KeyFrame) << "the picture stays incomplete, and others are built on it";
  EXPECT_EQ(remedy(1), Remedy::KeyFrame) << "which may be so there, too";
  EXPECT_EQ(remedy(5), Remedy::None) << "nothing is built on that picture";
  EXPECT_EQ(remedy(4), Remedy::None) << "of a higher frame rate";
  EXPECT_EQ(remedy(7), Remedy::Resend);
  EXPECT_EQ(remedy(8), Remedy::None);

  encoding.next(selector, true);
  EXPECT_EQ(remedy(2), Remedy::None) << "decoding has begun anew since";
  EXPECT_EQ(remedy(1), Remedy::Resend);

  selector.aim(std::nullopt);
  EXPECT_EQ(remedy(13), Remedy::None);
}

TEST(LayerSelector, ChangesSpatialLayersOfKeySvcWithKeyFrames) {
  run(Spatial::KeyPicturesOnly, 3, 3,
      {
          {layer(2, 2), true, "00 10 20*"},
          {{}, false, "22*"},
          {{}, false, "21*"},
          {{}, false, "22*"},
          {{}, false, "20*"},
          {layer(0, 2), false, "22*", true},  // a picture of layer 0 has come since
          {{}, false, "21*", true},
          {{}, true, "00*"},
          {{}, false, "02*"},
          {layer(1, 2), false, "01*", true},
          {{}, false, "02*", true},
          {{}, true, "00 10*"},
          {{}, false, "12*"},
          {layer(1, 0), false, ""},
          {{}, false, ""},
          {{}, false, "10*"},
      });
}

// As long as all that a lower layer is made of was forwarded, it needs no key frame, independent as it is.
TEST(LayerSelector, LeavesALayerOfKeySvcEarlyWithoutAKeyFrame) {
  run(Spatial::KeyPicturesOnly, 3, 3,
      {
          {layer(2, 2), true, "00 10 20*"},
          {{}, false, "22*"},
          {layer(0, 2), false, "01*"},  // it builds on the key picture
          {{}, false, "02*"},
          {{}, false, "00*"},
      });
}

// The lower layers of a key picture bring the structure that all frames refer to.
TEST(LayerSelector, ForwardsOneSpatialLayerOfSimulcastInOneStream) {
  run(Spatial::Independent, 3, 3,
      {
          {layer(1, 2), true, "00 10*"},
          {{}, false, "12*"},
          {{}, false, "11*"},
          {layer(2, 2), false, "12*", true},
          {{}, true, "00 10 20*"},
          {{}, false, "22*"},
          {{}, false, "21*"},
          {{}, false, "22*"},
          {{}, false, "20*"},
          {layer(0, 0), false, "", true},  // of layer 2, as little as there is
          {{}, false, "", true},
          {{}, false, "", true},
          {{}, false, "20*", true},
          {{}, true, "00*"},
          {{}, false, ""},
          {{}, false, ""},
          {{}, false, ""},
          {{}, false, "00*"},
      });
}

TEST(LayerSelector, FallsToTheBestLayerThatTheStreamHas) {
  run(Spatial::Full, 2, 2,
      {
          {layer(3, 3), true, "00 10*"},
          {{}, false, "01 11*"},
      });
}

TEST(LayerSelector, ForwardsNothingWithoutATarget) {
  Encoding encoding(Spatial::Full, 1, 3);
  LayerSelector selector;
  EXPECT_EQ(encoding.next(selector, true), "");
  EXPECT_FALSE(selector.awaited());
  EXPECT_FALSE(selector.may_want(0));
  selector.aim(layer(0, 2));
  EXPECT_EQ(encoding.next(selector), "");
  EXPECT_EQ(selector.awaited(), 0);
  EXPECT_EQ(encoding.next(selector, true), "00*");
  EXPECT_EQ(selector.current(), layer(0, 2));
  selector.aim(std::nullopt);
  EXPECT_EQ(encoding.next(selector, true), "");
  selector.aim(layer(0, 2));
  EXPECT_EQ(encoding.next(selector), "") << "it was paused, and begins with a key frame";
  selector.restart();
  EXPECT_EQ(selector.awaited(), 0);
  EXPECT_EQ(encoding.next(selector, true), "00*");
}

TEST(LayerSelector, SwitchesEncodingsAtKeyFramesOfTheNewOne) {
  Encoding low(Spatial::Full, 1, 3, 0), high(Spatial::Full, 1, 3, 2);
  LayerSelector selector;
  selector.aim(layer(0, 2, 2));
  EXPECT_EQ(low.next(selector, true), "") << "a key frame of another encoding";
  EXPECT_EQ(selector.awaited(), 2);
  EXPECT_EQ(high.next(selector, true), "00*");
  selector.aim(layer(0, 2, 0));
  EXPECT_TRUE(selector.may_want(0));
  EXPECT_TRUE(selector.may_want(2));
  EXPECT_FALSE(selector.may_want(1));
  EXPECT_EQ(low.next(selector), "");
  EXPECT_EQ(high.next(selector), "02*") << "it goes on until then";
  EXPECT_EQ(selector.awaited(), 0);
  EXPECT_EQ(high.next(selector, true), "00*") << "its own key frame is not what is waited for";
  EXPECT_EQ(low.next(selector, true), "00*");
  EXPECT_EQ(high.next(selector), "");
  EXPECT_FALSE(selector.may_want(2));
  EXPECT_FALSE(selector.awaited());
  EXPECT_EQ(selector.current(), layer(0, 2, 0));
}

// Frames as payload descriptors and markers tell them, packet by packet.
class Slot {
 public:
  explicit Slot(std::optional<Layer> aim) { selector.aim(aim); }

  LayerSelector::Picked pick(int64_t sequence, uint32_t timestamp, FrameInfo frame, uint8_t encoding = 0) {
    return selector.pick({encoding, sequence, timestamp}, frame);
  }
  bool forwards(int64_t sequence, uint32_t timestamp, FrameInfo frame, uint8_t encoding = 0) {
    return pick(sequence, timestamp, frame, encoding).decision == Decision::Forward;
  }

  LayerSelector selector;
};

FrameInfo key_frame() {
  FrameInfo frame{.starts_frame = true, .key_frame = true, .prediction = Prediction::Nothing};
  frame.layers = 0x0f;
  return frame;
}
FrameInfo temporal(uint8_t t, bool switches = false) {
  FrameInfo frame{.layer = {0, t}, .layers = 0x0f};
  frame.prediction = t == 0 || switches ? Prediction::LowestFrames : Prediction::Unknown;
  for (uint8_t lower = 0; lower < t; ++lower) frame.indicate({0, lower}, Indication::NotPresent);
  if (switches) frame.indicate({0, t}, Indication::Switch);
  return frame;
}
FrameInfo unmarked() { return {.unmarked = true}; }

TEST(LayerSelector, SaysWhereTheStreamBegins) {
  Slot slot(layer(0, 3));
  EXPECT_EQ(slot.pick(9, 0, temporal(0)).decision, Decision::Await);
  const auto first = slot.pick(10, 3000, key_frame());
  EXPECT_EQ(first.decision, Decision::Forward);
  EXPECT_TRUE(first.begins);
  EXPECT_FALSE(slot.pick(11, 3000, key_frame()).begins) << "a second packet of it";
  EXPECT_EQ(slot.pick(8, 0, temporal(0)).decision, Decision::Skip) << "late, from before it";
}

TEST(LayerSelector, BeginsUnmarkedStreamsWithAnyPacket) {
  Slot slot(layer(0, 0));
  EXPECT_TRUE(slot.pick(5, 0, unmarked()).begins);
  EXPECT_TRUE(slot.forwards(6, 0, unmarked()));
  EXPECT_TRUE(slot.forwards(7, 3000, unmarked()));
  slot.selector.aim(layer(0, 0, 1));
  EXPECT_TRUE(slot.pick(90, 50, unmarked(), 1).begins);
  EXPECT_FALSE(slot.forwards(8, 3000, unmarked()));
}

TEST(LayerSelector, OpensATemporalLayerOfVp8WhereALayerSyncFrameComes) {
  Slot slot(layer(0, 0));
  ASSERT_TRUE(slot.forwards(1, 0, key_frame()));
  EXPECT_FALSE(slot.forwards(2, 3000, temporal(2)));
  slot.selector.aim(layer(0, 2));
  EXPECT_TRUE(slot.forwards(3, 6000, temporal(0)));
  EXPECT_FALSE(slot.forwards(4, 9000, temporal(2))) << "it may build on the one that was skipped";
  EXPECT_TRUE(slot.forwards(5, 12'000, temporal(1, true))) << "layer 1 was never skipped";
  EXPECT_FALSE(slot.forwards(6, 15'000, temporal(2)));
  EXPECT_TRUE(slot.forwards(7, 18'000, temporal(2, true)));
  EXPECT_TRUE(slot.forwards(8, 21'000, temporal(2)));
  EXPECT_EQ(slot.selector.current(), layer(0, 2));
}

// Spatial layer `s` of a VP9 picture.
FrameInfo spatial(uint8_t s, Prediction prediction, bool key = false) {
  FrameInfo frame{.starts_frame = true, .ends_frame = true, .key_frame = key && s == 0, .layer = {s, 0}};
  frame.prediction = prediction;
  frame.layers = 0xffff;
  for (uint8_t lower = 0; lower < s; ++lower) {
    for (uint8_t t = 0; t < 4; ++t) frame.indicate({lower, t}, Indication::NotPresent);
  }
  if (prediction != Prediction::Unknown) frame.indicate({s, 0}, Indication::Switch);
  return frame;
}

TEST(LayerSelector, OpensASpatialLayerOfVp9WhereItBuildsOnTheLayerBelowAlone) {
  Slot slot(layer(0, 0));
  ASSERT_TRUE(slot.forwards(1, 0, spatial(0, Prediction::Nothing, true)));
  EXPECT_FALSE(slot.forwards(2, 0, spatial(1, Prediction::LayerBelow)));
  EXPECT_FALSE(slot.forwards(3, 0, spatial(2, Prediction::LayerBelow)));
  slot.selector.aim(layer(2, 0));
  EXPECT_TRUE(slot.forwards(4, 3000, spatial(0, Prediction::Unknown)));
  EXPECT_FALSE(slot.forwards(5, 3000, spatial(1, Prediction::Unknown)));
  EXPECT_FALSE(slot.forwards(6, 3000, spatial(2, Prediction::LayerBelow))) << "the layer below was not forwarded";
  EXPECT_EQ(slot.selector.awaited(), 0);
  EXPECT_TRUE(slot.forwards(7, 6000, spatial(0, Prediction::Unknown)));
  EXPECT_TRUE(slot.forwards(8, 6000, spatial(1, Prediction::LayerBelow)));
  EXPECT_TRUE(slot.pick(9, 6000, spatial(2, Prediction::LayerBelow)).ends_picture);
  EXPECT_FALSE(slot.selector.awaited());
  EXPECT_FALSE(slot.pick(10, 9000, spatial(0, Prediction::Unknown)).ends_picture);
}

TEST(LayerSelector, DecidesOnceForAFrameWhateverComesFirstOfIt) {
  Slot slot(layer(0, 2));
  ASSERT_TRUE(slot.forwards(1, 0, key_frame()));
  EXPECT_TRUE(slot.forwards(3, 3000, temporal(2))) << "its first packet is missing";
  slot.selector.aim(layer(0, 0));
  EXPECT_TRUE(slot.forwards(4, 3000, temporal(2))) << "the frame was begun";
  EXPECT_FALSE(slot.forwards(5, 6000, temporal(1)));
  EXPECT_TRUE(slot.forwards(2, 3000, temporal(2))) << "the missing one, late";
  slot.selector.aim(layer(0, 2));
  EXPECT_FALSE(slot.forwards(6, 6000, temporal(1)));
  EXPECT_FALSE(slot.forwards(6, 6000, temporal(1))) << "doubled";
}

TEST(LayerSelector, DecidesOnALateFrameByTheLayerOfItsTime) {
  Slot slot(layer(0, 2));
  ASSERT_TRUE(slot.forwards(1, 0, key_frame()));
  slot.selector.aim(layer(0, 0));
  EXPECT_TRUE(slot.forwards(5, 12'000, temporal(0)));
  EXPECT_TRUE(slot.forwards(4, 9000, temporal(2))) << "from before the layer was taken away";
  EXPECT_FALSE(slot.forwards(6, 15'000, temporal(2)));
  slot.selector.aim(layer(0, 2));
  EXPECT_TRUE(slot.forwards(8, 21'000, temporal(2, true)));
  EXPECT_FALSE(slot.forwards(7, 18'000, temporal(2))) << "from before it was opened again";
  EXPECT_TRUE(slot.forwards(9, 24'000, temporal(2)));
}

TEST(LayerSelector, OpensALayerForLateFramesFromWhereItCouldBeBegun) {
  Slot slot(layer(0, 1));
  ASSERT_TRUE(slot.forwards(1, 0, key_frame()));
  EXPECT_FALSE(slot.forwards(2, 3000, temporal(2)));
  EXPECT_TRUE(slot.forwards(3, 6000, temporal(1, true)));
  FrameInfo opens = temporal(1, true);
  opens.indicate({0, 2}, Indication::Switch);
  EXPECT_TRUE(slot.forwards(4, 9000, opens)) << "layer 2 could be begun here";
  slot.selector.aim(layer(0, 2));
  EXPECT_TRUE(slot.forwards(6, 15'000, temporal(0)));
  EXPECT_EQ(slot.selector.current(), layer(0, 2));
  EXPECT_TRUE(slot.forwards(5, 12'000, temporal(2))) << "later ones build on it";
}

TEST(LayerSelector, DoesNotOpenALayerThatALateFrameWasSkippedOf) {
  Slot slot(layer(0, 1));
  ASSERT_TRUE(slot.forwards(1, 0, key_frame()));
  EXPECT_TRUE(slot.forwards(3, 6000, temporal(0)));
  EXPECT_FALSE(slot.forwards(2, 3000, temporal(2)));
  slot.selector.aim(layer(0, 2));
  EXPECT_FALSE(slot.forwards(4, 9000, temporal(2)));
}

}  // namespace
}  // namespace viaduct::conference
