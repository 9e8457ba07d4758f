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
  const auto is_known = [](const LayerInfo& r) { return r.height != 0; };
  const bool by_height = std::ranges::all_of(ladder.rungs(), is_known);
  std::ranges::sort(ladder.rungs(), {}, [by_height](const LayerInfo& r) {
    const int height = by_height ? r.height : 0;
    return std::tuple(height, r.rate, r.layer.encoding, r.layer.id.spatial, r.layer.id.temporal);
  });
  const auto has_rate = [](const LayerInfo& r) { return r.rate > DataRate{}; };
  if (source.ladder.empty() && std::ranges::none_of(ladder.rungs(), has_rate)) return;  // nothing is known yet
  if (std::ranges::equal(ladder.rungs(), source.ladder.rungs())) return;
  source.ladder = ladder;
  ++source.ladder_version;
}

}  // namespace viaduct::conference
