#include "conference/layer_choice.h"

#include <algorithm>

namespace viaduct::conference {

LayerChoice::LayerChoice(const LayerLadder& ladder, Content content, const PictureWish& wish,
                         std::optional<Layer> held)
    : rungs_(ladder.rungs()), held_(held) {
  if (wish.max_height == 0) return;
  none_has_a_rate_ = std::ranges::none_of(rungs_, [](const LayerInfo& r) { return r.rate > DataRate{}; });
  std::optional<int> least;
  for (const LayerInfo& r : rungs_) {
    if (is_sent(r)) least = std::min(least.value_or(r.height), int{r.height});
  }
  least_height_ = least.value_or(0);
  any_fits_ = wish.max_height < 0 || least_height_ <= wish.max_height;
  content == Content::Screen ? choose_screen(wish) : choose_camera(wish);
}

bool LayerChoice::is_sent(const LayerInfo& rung) const {
  return rung.rate > DataRate{} || (none_has_a_rate_ && &rung == rungs_.data());
}

// A limit is soft: when nothing lies below it, the lowest is taken. What has no known height fits.
bool LayerChoice::fits(const LayerInfo& rung, const PictureWish& wish) const {
  if (wish.max_height < 0) return true;
  return rung.height <= (any_fits_ ? wish.max_height : least_height_);
}

bool LayerChoice::has_full_frame_rate(const LayerInfo& rung) const {
  return std::ranges::none_of(rungs_, [&](const LayerInfo& r) {
    return is_sent(r) && r.layer.encoding == rung.layer.encoding && r.layer.id.spatial == rung.layer.id.spatial &&
           r.layer.id.temporal > rung.layer.id.temporal;
  });
}

// A larger picture is worth its rate only at its full frame rate. The smallest that there is has all frame rates, since
// there is nothing else to fall back on.
void LayerChoice::choose_camera(const PictureWish& wish) {
  const bool is_tile = wish.max_height > 0 && wish.max_height <= SmallHeight;
  for (const LayerInfo& r : rungs_) {
    if (!is_sent(r) || !fits(r, wish)) continue;
    const bool is_small = is_tile || r.height < PreferredHeight || r.height == least_height_;
    if (is_small || r.layer == held_ || has_full_frame_rate(r)) add(r);
  }
  skip_dominated();
  if (!wish.on_stage || count_ == 0) return;
  preferred_ = 0;
  for (int i = 1; i < count_; ++i) {
    if ((*this)[i].height <= PreferredHeight) preferred_ = i;
  }
}

// Text is to be read: every resolution first, then frame rates.
void LayerChoice::choose_screen(const PictureWish& wish) {
  for (const LayerInfo& r : rungs_) {
    if (is_sent(r) && fits(r, wish)) add(r);
  }
  const auto chosen = std::span(order_).first(static_cast<size_t>(count_));
  std::ranges::stable_sort(chosen, {}, [&](uint8_t i) { return std::pair(rungs_[i].height, rungs_[i].rate); });
  skip_dominated();
  if (!wish.on_stage || count_ == 0) return;
  oversend_ = count_ - 1;
  while (oversend_ > 0 && (*this)[oversend_ - 1].height == (*this)[count_ - 1].height) --oversend_;
}

void LayerChoice::add(const LayerInfo& rung) {
  order_[static_cast<size_t>(count_++)] = static_cast<uint8_t>(&rung - rungs_.data());
}

// What costs no less than something better is not worth considering.
void LayerChoice::skip_dominated() {
  int kept = count_;
  DataRate least{INT64_MAX};
  for (int i = count_ - 1; i >= 0; --i) {
    const LayerInfo& r = (*this)[i];
    if (r.rate >= least && r.layer != held_) continue;
    least = std::min(least, r.rate);
    order_[static_cast<size_t>(--kept)] = order_[static_cast<size_t>(i)];
  }
  std::copy(order_.begin() + kept, order_.begin() + count_, order_.begin());
  count_ -= kept;
}

int LayerChoice::at_most(DataRate rate) const {
  for (int i = count_ - 1; i >= 0; --i) {
    if ((*this)[i].rate <= rate) return i;
  }
  return -1;
}

int LayerChoice::find_below(const Layer& layer) const {
  int best = -1;
  for (int i = 0; i < count_; ++i) {
    const Layer& other = (*this)[i].layer;
    const bool fits = other.encoding == layer.encoding && other.id.spatial == layer.id.spatial &&
                      other.id.temporal < layer.id.temporal;
    if (fits && (best < 0 || other.id.temporal > (*this)[best].layer.id.temporal)) best = i;
  }
  return best;
}

int LayerChoice::find(const Layer& layer) const {
  for (int i = 0; i < count_; ++i) {
    if ((*this)[i].layer == layer) return i;
  }
  return -1;
}

}  // namespace viaduct::conference
