// Which layer of each picture a receiver gets, so that all of them together fit what can be sent to it.
//
// The semantics are those of the Jitsi Videobridge. Pictures stand in order: on-stage, selected, then by recent speech.
// Each pass improves them in order by one step; one that is on-stage first goes as far as 360p at its full frame rate.
// A camera's lower frame rates are for small pictures only; a screen takes all there is, resolution before frame rate,
// and one that is on-stage may exceed the rate by 500 kbit/s to be readable.
//
// Nothing flutters. Steps down come at once. What a receiver has is kept as long as it fits; a step up needs room for a
// margin beside it, over a while, and comes no sooner than some seconds after the same picture's last step down, later
// each time that a step up did not stay (patience.h); and no picture is improved at the expense of one that is shown.
// Only a picture that is new, or wanted more than before, takes its share at once, from the others if need be; and one
// that is dark comes, once, as soon as there is room for it: most often the first guess of the network was too low.
//
// The most wanted picture does not go dark for a moment either. A key frame alone makes the network of a receiver with
// 100 kbit/s look too narrow for the seconds after it; its least layer stays for some seconds while little is missing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "base/time.h"
#include "base/units.h"
#include "conference/layer.h"
#include "conference/layer_choice.h"
#include "conference/patience.h"
#include "conference/wishes.h"
#include "limits.h"

namespace viaduct::conference {

// What a receiver has of a picture: kept by who carries it from one allocation to the next, and begun anew with
// another source.
struct PictureShare {
  std::optional<Layer> layer;  // what is to be forwarded; nothing: it is not wanted, or has no room
  bool paused = false;         // it is wanted, and has no room
  bool settled = false;        // it has been decided on before
  PictureWish wish;            // that it was decided by
  DataRate rate;               // of the layer, then
  Patience patience;           // for its next step up
  Timestamp darkened{};        // when it was last taken away
  Timestamp darkened_before{};
  std::optional<Timestamp> kept_since;  // its least layer does not fit, and is kept all the same
};

struct Picture {
  const LayerLadder* ladder = nullptr;
  Content content{};
  PictureWish wish;
  PictureShare* share = nullptr;
};

struct Allocated {
  DataRate used;
  DataRate ideal;  // that would let every picture be as good as it is wanted, and stay so
};

class BitrateAllocator {
 public:
  // A step up leaves this part of what is then sent free beside it.
  static constexpr double StepUpMargin = 0.15;
  // The room for a step up must have been there this long.
  static constexpr Duration SteadyFor = 2s;
  // A picture that has gone dark comes back sooner, unless it had gone dark not long before.
  static constexpr Duration ReturnPause = 1s;
  static constexpr Duration NotLong = 15s;
  // The most wanted one goes dark only if more than this is missing, or for longer than that.
  static constexpr DataRate MostMissing = DataRate::kbps(50);
  static constexpr Duration KeepFor = 5s;
  static constexpr Duration Interval = 5s;     // without any change, and while no picture is dark
  static constexpr double RateChange = 0.15;   // of what is available, since the last allocation
  static constexpr DataRate Oversend = DataRate::kbps(500);
  static constexpr size_t MaxPictures = limits::VideoSlotsPerEndpoint;

  // Notes what can be sent to the receiver now; nothing: nobody measures, and there is no limit. True when allocate()
  // should be called.
  bool observe(std::optional<DataRate> available, Timestamp now);
  // Decides on all pictures of the receiver, most wanted first, at most MaxPictures.
  Allocated allocate(std::span<const Picture> pictures, Timestamp now);

 private:
  // The lowest of the last SteadyFor, in two halves that replace each other.
  class RecentLow {
   public:
    void add(DataRate rate, Timestamp now);
    void clear() { before_ = current_ = {}; }
    DataRate value() const { return std::min(before_.value_or(Most), current_.value_or(Most)); }

   private:
    static constexpr DataRate Most{INT64_MAX};
    std::optional<DataRate> before_, current_;
    Timestamp current_since_{};
  };

  std::optional<DataRate> available_;
  RecentLow low_;
  // What the last allocation went by, and what it took of that.
  std::optional<DataRate> decided_by_;
  DataRate decided_by_low_;
  DataRate within_;
  Timestamp next_{};
};

}  // namespace viaduct::conference
