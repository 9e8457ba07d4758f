#include "audio/mix_service.h"

#include <algorithm>

#include "base/check.h"

namespace viaduct::audio {
namespace {

// A thread that comes later than this leaves out what it has missed; before, it catches up.
constexpr Duration LatestTick = 200ms;

// libopus works on the stack, and leaves there what it worked on.
[[gnu::noinline]] void wipe_stack() {
  uint8_t below[256 * 1024];
  explicit_bzero(below, sizeof below);
}

template <typename T>
void wipe(std::vector<T>& values) {
  if (!values.empty()) explicit_bzero(values.data(), values.size() * sizeof(T));
}

}  // namespace

MixService::MixService(std::unique_ptr<kernels::AudioEngine> engine, size_t voices,
                       CpuTime cpu_time)
    : engine_(std::move(engine)), voices_(voices), cpu_time_(cpu_time) {
  CHECK(voices_ >= 1 && voices_ <= limits::MixedVoices / 2);
  counters_.engine = engine_->name();
}

MixService::~MixService() { clear_sound(); }

bool MixService::is_idle() const {
  return std::ranges::all_of(ports_, [](const Port& p) { return p.mixes.empty(); });
}

void MixService::turn(Timestamp now) {
  for (Port& port : ports_) take_requests(port, now);
  if (is_idle()) {
    if (!std::exchange(was_idle_, true)) fall_idle();
    return;
  }
  if (std::exchange(was_idle_, false)) next_tick_ = std::max(next_tick_, now);
  skip_missed_ticks(now);
  for (; now >= next_tick_ && !is_idle(); next_tick_ += Tick) tick(next_tick_);
}

// Nothing comes that would overwrite what there was.
void MixService::fall_idle() {
  clear_sound();
  wipe_stack();
  count();
}

void MixService::take_requests(Port& p, Timestamp now) {
  for (const MixRequest* r = nullptr; (r = p.port->front_request()) != nullptr;
       p.port->pop_request()) {
    const auto found = p.mixes.find(r->conference);
    switch (r->kind) {
      case MixRequest::Kind::Sound:
        if (found != p.mixes.end()) found->second->put(*r);
        break;
      case MixRequest::Kind::Listen: {
        auto& one = found != p.mixes.end() ? found->second : p.mixes[r->conference];
        if (!one) one = std::make_unique<ConferenceMix>(voices_, counters_);
        one->listen(r->member, r->loss_percent, now);
        break;
      }
      case MixRequest::Kind::Forget:
        p.mixes.erase(r->conference);
        break;
    }
  }
}

// The media time of what is left out passes all the same.
void MixService::skip_missed_ticks(Timestamp now) {
  if (now - next_tick_ <= LatestTick) return;
  const auto missed = static_cast<uint64_t>((now - next_tick_) / Tick);
  counters_.ticks_skipped.add(missed);
  tick_number_ += missed;
  next_tick_ += Tick * static_cast<int64_t>(missed);
}

void MixService::tick(Timestamp at) {
  ++tick_number_;
  tidy(at);
  const Duration begun = cpu_time_();
  take_sound(at);
  const Duration decoded = cpu_time_();
  mix();
  const Duration mixed = cpu_time_();
  encode(at);
  counters_.decode_ns.add(static_cast<uint64_t>((decoded - begun).count()));
  counters_.mix_ns.add(static_cast<uint64_t>((mixed - decoded).count()));
  counters_.encode_ns.add(static_cast<uint64_t>((cpu_time_() - mixed).count()));
}

void MixService::tidy(Timestamp now) {
  for (Port& p : ports_)
    std::erase_if(p.mixes, [&](const auto& m) { return !m.second->tidy(now); });
  count();
}

void MixService::count() {
  size_t conferences = 0, listeners = 0;
  for (const Port& p : ports_) {
    conferences += p.mixes.size();
    for (const auto& [key, one] : p.mixes) listeners += one->listeners();
  }
  counters_.conferences.set(static_cast<int64_t>(conferences));
  counters_.listeners.set(static_cast<int64_t>(listeners));
}

void MixService::take_sound(Timestamp at) {
  clear_sound();
  groups_.clear();
  group_limiters_.clear();
  for_each_mix([&](Port&, ConferenceKey, ConferenceMix& one) {
    const size_t first = frames_.size();
    one.take_sound(at, frames_);
    groups_.push_back(
        {static_cast<uint32_t>(first), static_cast<uint32_t>(frames_.size() - first)});
    group_limiters_.push_back(one.limiter);
  });
}

void MixService::mix() {
  const size_t sources = frames_.size();
  levels_.resize(sources);
  chosen_.assign(sources, 0);
  source_limiters_.assign(sources, {});
  without_.resize(sources);
  without_levels_.resize(sources);
  all_.resize(groups_.size());
  all_levels_.resize(groups_.size());
  engine_->measure(frames_, levels_);
  size_t g = 0;
  for_each_mix([&](Port&, ConferenceKey, ConferenceMix& one) {
    const auto [first, count] = groups_[g++];
    one.choose(std::span(frames_).subspan(first, count), std::span(levels_).subspan(first, count),
               std::span(chosen_).subspan(first, count),
               std::span(source_limiters_).subspan(first, count));
  });
  engine_->mix({.groups = groups_,
                .frames = frames_,
                .chosen = chosen_,
                .without = without_,
                .source_limiters = source_limiters_,
                .all = all_,
                .group_limiters = group_limiters_});
  engine_->measure(without_, without_levels_);
  engine_->measure(all_, all_levels_);
}

void MixService::encode(Timestamp at) {
  size_t g = 0;
  for_each_mix([&](Port& p, ConferenceKey key, ConferenceMix& one) {
    const auto [first, count] = groups_[g];
    one.limiter = group_limiters_[g];
    encoded_.clear();
    one.encode({.without = std::span(without_).subspan(first, count),
                .without_levels = std::span(without_levels_).subspan(first, count),
                .limiters = std::span(source_limiters_).subspan(first, count),
                .all = all_[g],
                .all_level = all_levels_[g]},
               {.conference = key, .tick = tick_number_, .made = at}, encoded_);
    hand_over(*p.port);
    ++g;
  });
}

void MixService::hand_over(MixPort& port) {
  for (const MixedFrame& frame : encoded_) {
    MixedFrame* const blank = port.blank_frame();
    if (!blank) {
      counters_.frames_lost.add();
      continue;
    }
    *blank = frame;
    port.push_frame();
  }
}

// A vector that shrinks leaves nothing behind: what it held has been wiped.
void MixService::clear_sound() {
  wipe(frames_);
  wipe(without_);
  wipe(all_);
  wipe(encoded_);
  frames_.clear();
  without_.clear();
  all_.clear();
}

}  // namespace viaduct::audio
