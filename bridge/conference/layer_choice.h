// Which rungs of a ladder are considered for one picture, by what it shows and how it is wanted.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "conference/layer.h"
#include "conference/wishes.h"

namespace viaduct::conference {

// How one picture is wanted.
struct PictureWish {
  bool on_stage = false;
  int max_height = ReceiverWishes::NoLimit;
  friend bool operator==(const PictureWish&, const PictureWish&) = default;
};

class LayerChoice {
 public:
  static constexpr int PreferredHeight = 360;  // up to which an on-stage camera goes before all others
  static constexpr int SmallHeight = 180;      // limits no higher than this are for tiles: any frame rate will do

  // `ladder` outlives this object. Rungs without a rate, which nobody sends now, are not considered, but for the least
  // when none has one. `held` is what the receiver has: it is always considered as long as it is sent.
  LayerChoice(const LayerLadder& ladder, Content content, const PictureWish& wish, std::optional<Layer> held);

  int count() const { return count_; }
  const LayerInfo& operator[](int i) const { return rungs_[order_[static_cast<size_t>(i)]]; }
  // Up to where an on-stage picture is improved before all others; -1: nowhere.
  int preferred() const { return preferred_; }
  // Up to where it may exceed what is available; -1: nowhere.
  int oversend() const { return oversend_; }
  // The highest that costs no more than `rate`; -1 when there is none.
  int at_most(DataRate rate) const;
  int find(const Layer& layer) const;
  // Of the same encoding and size, at the next lower frame rate; -1 when there is none.
  int find_below(const Layer& layer) const;
  // Nothing can be said of the source: it has just begun, or is still.
  bool none_has_a_rate() const { return none_has_a_rate_; }

 private:
  bool is_sent(const LayerInfo& rung) const;
  bool fits(const LayerInfo& rung, const PictureWish& wish) const;
  bool has_full_frame_rate(const LayerInfo& rung) const;
  void choose_camera(const PictureWish& wish);
  void choose_screen(const PictureWish& wish);
  void add(const LayerInfo& rung);
  void skip_dominated();

  std::span<const LayerInfo> rungs_;
  std::optional<Layer> held_;
  bool none_has_a_rate_ = true;
  int least_height_ = 0;  // of those that are sent
  bool any_fits_ = false;
  std::array<uint8_t, LayerLadder::MaxRungs> order_{};
  int count_ = 0;
  int preferred_ = -1;
  int oversend_ = -1;
};

}  // namespace viaduct::conference
