#include "conference/bitrate_allocator.h"

#include <array>
#include <limits>
#include <utility>

#include "base/check.h"

namespace viaduct::conference {
namespace {

constexpr DataRate Unlimited{std::numeric_limits<int64_t>::max()};

DataRate with_margin(DataRate rate) {
  return {static_cast<int64_t>(static_cast<double>(rate.bits_per_second) * (1 + BitrateAllocator::StepUpMargin) + 0.5)};
}

bool has_changed(DataRate from, DataRate to) {
  const auto difference = static_cast<double>(to.bits_per_second) - static_cast<double>(from.bits_per_second);
  return std::abs(difference) >= BitrateAllocator::RateChange * static_cast<double>(from.bits_per_second);
}

// A picture that is dark may come as soon as it fits: at once where there has never been room for it.
bool may_return(const PictureShare& share, Timestamp now) {
  if (!share.paused) return false;
  if (share.darkened == Timestamp()) return true;
  const bool is_second = share.darkened_before != Timestamp() &&
                         share.darkened - share.darkened_before < BitrateAllocator::NotLong;
  return now >= share.darkened + (is_second ? BitrateAllocator::NotLong : BitrateAllocator::ReturnPause);
}

// A tile that grows a little wants nothing else.
bool is_wanted_more(const Picture& p, const LayerChoice& rungs) {
  if (!p.share->settled) return true;
  if (p.wish == p.share->wish) return false;
  if (p.wish.on_stage && !p.share->wish.on_stage) return true;
  return rungs.count() > LayerChoice(*p.ladder, p.content, p.share->wish, p.share->layer).count();
}

// One allocation: how far up its ladder each picture is taken.
class Distribution {
 public:
  // `steady`: what could be sent throughout a while, which steps up are taken on.
  Distribution(std::span<const Picture> pictures, DataRate steady, Timestamp now)
      : pictures_(pictures), steady_(steady) {
    for (size_t i = 0; i < pictures.size(); ++i) shares_[i].emplace(pictures[i], steady, now);
  }

  // What the receiver has, as far as it fits; those with a claim take part in the passes with all of their rungs.
  void restore(DataRate available) {
    prefer(available, [](const Share& s) { return s.claims ? s.rungs.count() - 1 : s.held; });
    for (bool improved = true; improved;) {
      improved = false;
      for_each([&](Share& s) {
        const int most = s.claims ? s.rungs.count() - 1 : s.held;
        improved = (s.chosen < most && step(s, s.chosen + 1, available)) || improved;
      });
    }
  }

  // Above that, whoever has least first. What one may not have yet is kept free for it: it comes before others.
  void improve(DataRate available) {
    for_each([](Share& s) { s.restored = s.chosen; });
    prefer(steady_, [](const Share& s) { return s.rungs.count() - 1; });
    for (int rung = 0; rung < static_cast<int>(LayerLadder::MaxRungs); ++rung) {
      for_each([&](Share& s) {
        if (s.chosen != rung - 1 || rung >= s.rungs.count()) return;
        if (rung == 0 && s.returns && total_with(s, 0) <= available) return take(s, 0);
        step(s, rung, steady_);
      });
    }
    for_each([&](Share& s) {
      if (!s.may_rise && s.chosen > s.restored) take(s, s.restored);
    });
  }

  // The first screen on the stage, up to its full resolution at its lowest frame rate.
  void oversend(DataRate available) {
    constexpr int64_t Over = BitrateAllocator::Oversend.bits_per_second;
    for (std::optional<Share>& share : all()) {
      Share& s = *share;
      if (s.rungs.oversend() < 0) continue;
      for (int to = s.rungs.oversend(); to > s.chosen; --to) {
        if (to > s.held && !s.may_rise && !s.claims) continue;
        const int64_t limit = (to > s.held && !s.claims ? steady_ : available).bits_per_second;
        if (step(s, to, {std::min(limit, Unlimited.bits_per_second - Over) + Over})) return;
      }
      return;
    }
  }

  // The least layer of the most wanted picture, which does not go dark for a moment.
  void keep(DataRate available, Timestamp now) {
    const auto first = std::ranges::find_if(all(), [](const auto& s) { return s->rungs.count() > 0; });
    if (first == all().end()) return;
    Share& s = **first;
    std::optional<Timestamp>& since = pictures_[static_cast<size_t>(first - all().begin())].share->kept_since;
    const int64_t missing = total_with(s, 0).bits_per_second - available.bits_per_second;
    const bool is_lost =
        s.chosen < 0 && s.held >= 0 && missing <= BitrateAllocator::MostMissing.bits_per_second;
    if (!is_lost) return since.reset();
    if (!since) since = now;
    if (now - *since < BitrateAllocator::KeepFor) take(s, 0);
  }

  Allocated settle(Timestamp now) {
    Allocated total{used_, {}};
    for (size_t i = 0; i < pictures_.size(); ++i) {
      const Share& s = *shares_[i];
      PictureShare& out = *pictures_[i].share;
      if (s.is_still) continue;
      const LayerInfo* const chosen = s.chosen < 0 ? nullptr : &s.rungs[s.chosen];
      if ((s.chosen < s.held || s.is_gone) && out.wish == pictures_[i].wish) {
        out.patience.note_fall(now);
        if (!chosen) out.darkened_before = std::exchange(out.darkened, now);
      }
      if (s.chosen > s.held && !s.claims) out.patience.note_rise(steady_, now);
      if (!s.stands_in || s.chosen != s.held)
        out.layer = chosen ? std::optional(chosen->layer) : std::nullopt;
      out.rate = chosen ? chosen->rate : DataRate{};
      out.paused = !chosen && s.rungs.count() > 0;
      out.settled = s.rungs.count() > 0;
      out.wish = pictures_[i].wish;
      if (s.rungs.count() > 0) total.ideal.bits_per_second += s.rungs[s.rungs.count() - 1].rate.bits_per_second;
    }
    total.ideal = with_margin(total.ideal);
    return total;
  }

  DataRate used() const { return used_; }

 private:
  struct Share {
    Share(const Picture& p, DataRate steady, Timestamp now)
        : rungs(*p.ladder, p.content, p.wish, p.share->layer),
          claims(is_wanted_more(p, rungs)),
          returns(may_return(*p.share, now)),
          may_rise(returns || p.share->patience.allows_rise(steady, now)),
          is_still(p.share->settled && p.share->layer && rungs.none_has_a_rate() && p.wish.max_height != 0) {
      if (!p.share->layer || rungs.count() == 0) return;
      const Layer& layer = *p.share->layer;
      held = rungs.find(layer);
      if (held >= 0) return;
      held = rungs.find_below(layer);
      stands_in = held >= 0;
      is_gone = !stands_in;
      if (is_gone) held = std::max(rungs.at_most(p.share->rate), 0);
    }
    const LayerChoice rungs;
    const bool claims;      // it is new, or wanted more than before
    const bool returns;     // it is dark, and comes as soon as it fits
    const bool may_rise;
    bool is_still = false;  // nothing of it comes now: it stays as it is
    int held = -1;          // what the receiver has; of a layer that is gone, what costs no more
    bool stands_in = false;  // for a higher frame rate, of which there are no frames just now
    bool is_gone = false;
    int restored = -1;
    int chosen = -1;
  };

  std::span<std::optional<Share>> all() { return std::span(shares_).first(pictures_.size()); }
  template <typename F>
  void for_each(F&& f) {
    for (std::optional<Share>& s : all()) f(*s);
  }

  // On-stage cameras go as far as their preferred height, before anything else.
  template <typename Most>
  void prefer(DataRate limit, Most&& most) {
    for_each([&](Share& s) {
      const int to = std::min(s.rungs.preferred(), most(s));
      while (s.chosen < to && step(s, s.chosen + 1, limit)) {
      }
    });
  }

  // Above what the receiver has, with a margin.
  bool step(Share& s, int to, DataRate limit) {
    const DataRate total = total_with(s, to);
    if ((to > s.held ? with_margin(total) : total) > limit) return false;
    take(s, to);
    return true;
  }
  void take(Share& s, int to) {
    used_ = total_with(s, to);
    s.chosen = to;
  }
  DataRate total_with(const Share& s, int rung) const {
    const auto rate_at = [&](int r) { return r < 0 ? 0 : s.rungs[r].rate.bits_per_second; };
    return {used_.bits_per_second - rate_at(s.chosen) + rate_at(rung)};
  }

  const std::span<const Picture> pictures_;
  const DataRate steady_;
  std::array<std::optional<Share>, BitrateAllocator::MaxPictures> shares_;
  DataRate used_;
};

}  // namespace

void BitrateAllocator::RecentLow::add(DataRate rate, Timestamp now) {
  if (!current_ || now - current_since_ >= SteadyFor) {
    before_ = current_;
    current_.reset();
    current_since_ = now;
  }
  current_ = std::min(current_.value_or(rate), rate);
}

bool BitrateAllocator::observe(std::optional<DataRate> available, Timestamp now) {
  available_ = available;
  if (!available) {
    low_.clear();
    return decided_by_.has_value() || now >= next_;
  }
  low_.add(*available, now);
  return now >= next_ || !decided_by_ || has_changed(*decided_by_, *available) ||
         has_changed(decided_by_low_, low_.value()) || *available < within_;
}

Allocated BitrateAllocator::allocate(std::span<const Picture> pictures, Timestamp now) {
  CHECK(pictures.size() <= MaxPictures);
  const DataRate available = available_.value_or(Unlimited);
  const DataRate steady = available_ ? low_.value() : Unlimited;
  Distribution all(pictures, std::min(available, steady), now);
  all.restore(available);
  all.improve(available);
  within_ = all.used();
  all.keep(available, now);
  all.oversend(available);
  decided_by_ = available_;
  decided_by_low_ = steady;
  const Allocated allocated = all.settle(now);
  const bool is_in_need = std::ranges::any_of(
      pictures, [](const Picture& p) { return p.share->paused || p.share->kept_since.has_value(); });
  next_ = now + (is_in_need ? ReturnPause : Interval);
  return allocated;
}

}  // namespace viaduct::conference
