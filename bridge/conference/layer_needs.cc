#include "conference/layer_needs.h"

#include <algorithm>
#include <climits>
#include <utility>

namespace viaduct::conference {

void LayerNeed::add(const LayerNeed& other) {
  const auto height = [](int h) { return h < 0 ? INT_MAX : h; };
  encodings |= other.encodings;
  if (height(other.max_height) > height(max_height)) max_height = other.max_height;
}

void LayerNeeds::note_heights(const LayerLadder& ladder) {
  std::array<uint16_t, limits::EncodingsPerSource> least{};
  for (const LayerInfo& r : ladder.rungs()) {
    if (r.layer.encoding >= least.size() || r.height == 0) continue;
    uint16_t& height = least[r.layer.encoding];
    height = height == 0 ? r.height : std::min(height, r.height);
  }
  for (size_t i = 0; i < least.size(); ++i) {
    if (least[i] != 0) heights_[i] = least[i];
  }
}

// Lower encodings are what a receiver falls back on, so all of them are needed. The limit is soft: of what is larger
// altogether the smallest is needed.
LayerNeed LayerNeeds::need_of(int max_height) const {
  if (max_height < 0) return everything_;
  if (max_height == 0) return {};
  LayerNeed need{.max_height = max_height};
  size_t smallest = 0;
  for (size_t i = 0; i < heights_.size(); ++i) {
    const auto bit = static_cast<uint8_t>(1u << i);
    if ((everything_.encodings & bit) == 0) break;
    if (heights_[i] <= max_height) need.encodings |= bit;
    if (heights_[i] < heights_[smallest]) smallest = i;
  }
  if (need.encodings == 0) need.encodings = static_cast<uint8_t>(1u << smallest);
  return need;
}

void LayerNeeds::set_elsewhere(uint32_t worker, const LayerNeed& need) {
  const LayerNeed known{static_cast<uint8_t>(need.encodings & everything_.encodings), need.max_height};
  const auto found = std::ranges::find(elsewhere_, worker, &Elsewhere::worker);
  if (found != elsewhere_.end()) {
    found->need = known;
  } else {
    elsewhere_.push_back({worker, known});
  }
}

bool LayerNeeds::settle(uint64_t other_workers, bool is_sent, Timestamp now) {
  const LayerNeed need = is_sent ? all(other_workers) : everything_;
  LayerNeed more = told_;
  more.add(need);
  bool changed = std::exchange(told_, more) != more;
  if (need == told_) {
    less_since_.reset();
  } else if (!less_since_) {
    less_since_ = now;
  } else if (now - *less_since_ >= LessAfter) {
    told_ = need;
    less_since_.reset();
    changed = true;
  }
  return changed;
}

LayerNeed LayerNeeds::all(uint64_t other_workers) {
  std::erase_if(elsewhere_, [&](const Elsewhere& e) { return (other_workers >> e.worker & 1) == 0; });
  LayerNeed need = here;
  for (const Elsewhere& e : elsewhere_) {
    need.add(e.need);
    other_workers &= ~(uint64_t{1} << e.worker);
  }
  return other_workers == 0 ? need : everything_;
}

}  // namespace viaduct::conference
