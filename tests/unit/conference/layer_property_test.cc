// Whatever arrives, in whatever order, and however layers are aimed at: what a receiver gets is one stream without a
// hole that the network did not make, and every frame of it comes with the frames that it is predicted from.
//
// Two encodings of layered video go through a network that loses, doubles and reorders packets, then through
// LayerSelector and Projection as the packet path uses them.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "conference/layer_selector.h"
#include "conference/projection.h"
#include "protocol/rtp/dependency_descriptor.h"
#include "tests/support/layered_stream.h"

namespace viaduct::conference {
namespace {

using testing::LayeredStream;
using testing::Spatial;
using Decision = LayerSelector::Decision;

constexpr size_t Encodings = 2;
constexpr int Pictures = 1500;

struct Network {
  double loss = 0;
  double doubled = 0;
  uint32_t delay = 0;  // in packets, at most
};

struct Kind {
  Spatial spatial;
  uint8_t spatial_layers;
  uint8_t temporal_layers;
  Network network;
  const char* name;
  friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }
};

struct Sent {
  uint8_t encoding;
  int64_t sequence;
  uint32_t timestamp;
  LayeredStream::Frame frame;
  std::vector<uint8_t> descriptor;
  uint64_t arrives;
};

// A receiver's stream since the last key frame that it began with.
struct Stretch {
  uint8_t encoding = 0;
  int64_t begins_at = 0;
  std::map<uint16_t, LayeredStream::Frame> forwarded;
  std::set<uint16_t> arrived;
};

class Simulation {
 public:
  Simulation(const Kind& kind, uint64_t seed) : kind_(kind), random_(seed) {
    for (size_t i = 0; i < Encodings; ++i) {
      streams_.emplace_back(kind.spatial, kind.spatial_layers, kind.temporal_layers,
                            static_cast<uint16_t>(random_.u32()));
      sequences_[i] = 1'000'000 + random_.below(100'000);
    }
    aim();
  }

  void run() {
    for (int i = 0; i < Pictures; ++i) {
      for (uint8_t encoding = 0; encoding < Encodings; ++encoding) make_picture(encoding, i);
      deliver(clock_ - kind_.network.delay);
      if (random_.chance(0.05)) aim();
    }
    deliver(clock_ + 1000);
    judge_stretch();
    judge_holes();
    EXPECT_GT(given_.size(), size_t{Pictures} / 2);
    EXPECT_GT(stretches_, 5);
  }

 private:
  void aim() {
    if (random_.chance(0.1)) return selector_.aim(std::nullopt);
    const auto encoding = static_cast<uint8_t>(random_.chance(0.2) ? random_.below(Encodings) : last_aimed_);
    last_aimed_ = encoding;
    selector_.aim(Layer{encoding, {static_cast<uint8_t>(random_.below(kind_.spatial_layers)),
                                   static_cast<uint8_t>(random_.below(kind_.temporal_layers))}});
  }

  void make_picture(uint8_t encoding, int picture) {
    const bool asked = selector_.awaited() == encoding && random_.chance(0.2);
    for (const auto& frame : streams_[encoding].next(asked || random_.chance(0.003))) {
      const auto packets = 1 + random_.below(3);
      for (uint64_t i = 0; i < packets; ++i) {
        Sent s{encoding, sequences_[encoding]++, static_cast<uint32_t>(picture * 3000), frame,
               streams_[encoding].descriptor(frame, i == 0, i == packets - 1), 0};
        send(s);
      }
    }
  }

  void send(Sent& s) {
    ++clock_;
    if (random_.chance(kind_.network.loss)) {
      lost_.insert({s.encoding, s.sequence});
      return;
    }
    const auto late = [&] { return clock_ + random_.below(kind_.network.delay + 1); };
    s.arrives = random_.chance(0.2) ? late() : clock_;
    on_the_way_.push_back(s);
    if (!random_.chance(kind_.network.doubled)) return;
    s.arrives = late();
    on_the_way_.push_back(s);
  }

  void deliver(uint64_t until) {
    std::ranges::stable_sort(on_the_way_, {}, &Sent::arrives);
    const auto end = std::ranges::find_if(on_the_way_, [&](const Sent& s) { return s.arrives > until; });
    for (auto s = on_the_way_.begin(); s != end; ++s) arrive(*s);
    on_the_way_.erase(on_the_way_.begin(), end);
  }

  void arrive(const Sent& s) {
    const auto frame = readers_[s.encoding].read(s.descriptor);
    if (!frame) return;
    const Projection::In in{.encoding = s.encoding,
                            .sequence = s.sequence,
                            .timestamp = s.timestamp,
                            .codec = codec::CodecType::Av1,
                            .frame_number = frame->number};
    const auto picked = selector_.pick({s.encoding, s.sequence, s.timestamp}, *frame);
    if (picked.begins) {
      judge_stretch();
      slot_.start(in, Timestamp{1s}, 90'000);
      stretch_ = {.encoding = s.encoding, .begins_at = s.sequence};
      arrived_before_.insert(arrived_.begin(), arrived_.end());
    }
    arrived_.insert({s.encoding, s.sequence});
    if (picked.decision == Decision::Await) {
      in_pause_.insert({s.encoding, s.sequence});
      return;
    }
    if (s.encoding == stretch_.encoding && s.sequence >= stretch_.begins_at) stretch_.arrived.insert(s.frame.number);
    if (picked.decision == Decision::Forward) {
      forward(s, in);
    } else if (const auto fill = slot_.skip(in)) {
      give(*fill);
    }
  }

  void forward(const Sent& s, const Projection::In& in) {
    const auto out = slot_.project(in, Timestamp{1s});
    if (!out) return;
    give(out->index);
    EXPECT_EQ(slot_.origin_of(out->sequence()), (Projection::Origin{s.encoding, s.sequence}));
    stretch_.forwarded.insert({s.frame.number, s.frame});
  }

  void give(uint64_t index) { EXPECT_TRUE(given_.insert(index).second) << "index " << index << " was given twice"; }

  // A frame that reached the bridge is there for every one that builds on it.
  void judge_stretch() {
    ++stretches_;
    for (const auto& [number, frame] : stretch_.forwarded) {
      for (const uint16_t difference : frame.differences) {
        const auto needed = static_cast<uint16_t>(number - difference);
        EXPECT_TRUE(stretch_.forwarded.contains(needed) || !stretch_.arrived.contains(needed))
            << "frame " << number << " of layer " << int{frame.layer.spatial} << ' ' << int{frame.layer.temporal}
            << " needs frame " << needed;
      }
    }
  }

  // What is missing was lost. Or it came while nothing was forwarded, or before the key frame's first packet, and would
  // be sent when it is asked for.
  void judge_holes() {
    size_t excused = 0;
    for (uint64_t index = *given_.begin(); index < *given_.rbegin(); ++index) {
      if (given_.contains(index)) continue;
      ++excused;
      const auto origin = slot_.origin_of(static_cast<uint16_t>(index));
      if (!origin || *given_.rbegin() - index > 0x8000) continue;
      const std::pair<uint8_t, int64_t> packet{origin->encoding, origin->sequence};
      EXPECT_TRUE(lost_.contains(packet) || in_pause_.contains(packet) || arrived_before_.contains(packet))
          << "index " << index;
    }
    if (kind_.network.loss == 0 && kind_.network.delay == 0) {
      EXPECT_EQ(excused, 0u);
    }
  }

  Kind kind_;
  SeededRandom random_;
  std::vector<LayeredStream> streams_;
  std::array<int64_t, Encodings> sequences_{};
  std::array<rtp::DependencyReader, Encodings> readers_;
  std::vector<Sent> on_the_way_;
  uint64_t clock_ = 1000;
  LayerSelector selector_;
  uint64_t last_aimed_ = 0;
  Projection slot_{1000, 0};

  Stretch stretch_;
  int stretches_ = 0;
  std::set<uint64_t> given_;
  std::set<std::pair<uint8_t, int64_t>> lost_, arrived_, arrived_before_, in_pause_;
};

class AnyArrivals : public ::testing::TestWithParam<std::tuple<Kind, uint64_t>> {};

TEST_P(AnyArrivals, GiveAStreamWithoutHolesThatCanBeDecoded) {
  Simulation(std::get<0>(GetParam()), std::get<1>(GetParam())).run();
}

constexpr Network Perfect{};
constexpr Network Reordering{.doubled = 0.02, .delay = 40};
constexpr Network Lossy{.loss = 0.03, .doubled = 0.02, .delay = 40};

constexpr Kind Kinds[] = {
    {Spatial::Full, 1, 3, Perfect, "L1T3"},
    {Spatial::Full, 3, 3, Perfect, "L3T3"},
    {Spatial::KeyPicturesOnly, 3, 3, Perfect, "L3T3_KEY"},
    {Spatial::Independent, 3, 3, Perfect, "S3T3"},
    {Spatial::Full, 1, 3, Reordering, "L1T3_reordered"},
    {Spatial::Full, 3, 3, Reordering, "L3T3_reordered"},
    {Spatial::KeyPicturesOnly, 3, 3, Reordering, "L3T3_KEY_reordered"},
    {Spatial::Independent, 3, 3, Reordering, "S3T3_reordered"},
    {Spatial::Full, 1, 3, Lossy, "L1T3_lossy"},
    {Spatial::Full, 3, 3, Lossy, "L3T3_lossy"},
    {Spatial::KeyPicturesOnly, 3, 3, Lossy, "L3T3_KEY_lossy"},
    {Spatial::Independent, 3, 3, Lossy, "S3T3_lossy"},
};

INSTANTIATE_TEST_SUITE_P(Layers, AnyArrivals,
                         ::testing::Combine(::testing::ValuesIn(Kinds), ::testing::Values(1, 2, 3)),
                         [](const auto& of) {
                           return std::string(std::get<0>(of.param).name) + '_' +
                                  std::to_string(std::get<1>(of.param));
                         });

}  // namespace
}  // namespace viaduct::conference
