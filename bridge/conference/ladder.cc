#include "conference/ladder.h"

#include <algorithm>
#include <tuple>

#include "conference/source.h"

namespace viaduct::conference {
namespace {

// Rungs of one encoding, each with more to see than the one before. A layer that adds no packets to another is no rung
// of its own, and one that would be better and cost less than another takes its place.
void add_rungs(uint8_t index, Encoding& encoding, LayerLadder& ladder, Timestamp now) {
  const LayerInfo* last = nullptr;
  for (size_t i = 0; i < rtp::StreamLayers; ++i) {
    const auto id = rtp::layer_at(i);
    if ((encoding.layers.layers() >> i & 1) == 0) continue;
    const LayerMeter::Measured measured = encoding.layers.of(id, now);
    const bool adds = !last || measured.rate > last->rate;
    if (!adds) continue;
    const rtp::PictureSize size = encoding.sizes[id.spatial];
    ladder.add({.layer = {index, id},
                .width = size.width,
                .height = size.height,
                .frame_rate = measured.frame_rate,
                .rate = measured.rate});
    last = &ladder.rungs().back();
  }
}

}  // namespace

void measure_ladder(Source& source, Timestamp now) {
  LayerLadder ladder;
  for (uint8_t i = 0; i < source.encodings.size(); ++i) add_rungs(i, source.encodings[i], ladder, now);
  std::ranges::stable_sort(ladder.rungs(), {}, [](const LayerInfo& r) {
    return std::tuple(r.height, r.layer.id.spatial, r.rate, r.layer.id.temporal);
  });
  if (std::ranges::equal(ladder.rungs(), source.ladder.rungs())) return;
  source.ladder = ladder;
  ++source.ladder_version;
}

}  // namespace viaduct::conference
