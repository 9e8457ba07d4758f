// All mixes of the process, made by one thread of their own. Sans-IO: sound comes from and mixes go
// to workers through their MixPorts, and time is an argument, so a simulation turns it by hand.
//
// Every 20 ms the voices of all conferences are decoded, measured and summed in one call of the
// engine, and encoded. Sound in clear is in this thread's memory alone, and is overwritten by what
// comes 20 ms later, or wiped when nothing does.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "audio/conference_mix.h"
#include "audio/mix_port.h"

namespace viaduct::audio {

class MixService {
 public:
  static constexpr Duration Tick = 20ms;
  // CPU time of the calling thread, for the metrics.
  using CpuTime = Duration (*)();

  // `voices` are heard at a time, at most limits::MixedVoices / 2.
  MixService(std::unique_ptr<kernels::AudioEngine> engine, size_t voices, CpuTime cpu_time);
  ~MixService();

  // All ports are known before the first turn().
  void serve(MixPort& port) { ports_.push_back({&port, {}}); }

  // Takes what the workers hand over, and makes the mixes that are due.
  void turn(Timestamp now);
  // The next tick; Never while nobody listens.
  Timestamp next_deadline() const { return is_idle() ? Never : next_tick_; }
  const MixCounters& counters() const { return counters_; }

 private:
  struct Port {
    MixPort* port;
    std::map<ConferenceKey, std::unique_ptr<ConferenceMix>> mixes;
  };
  bool is_idle() const;
  void fall_idle();
  void take_requests(Port& port, Timestamp now);
  void skip_missed_ticks(Timestamp now);
  void tick(Timestamp at);
  void tidy(Timestamp now);
  void count();
  void take_sound(Timestamp at);
  void mix();
  void encode(Timestamp at);
  void hand_over(MixPort& port);
  void clear_sound();

  template <typename F>
  void for_each_mix(F&& f) {  // in the order of groups_
    for (Port& p : ports_) {
      for (auto& [key, one] : p.mixes) f(p, key, *one);
    }
  }

  const std::unique_ptr<kernels::AudioEngine> engine_;
  const size_t voices_;
  const CpuTime cpu_time_;
  MixCounters counters_;
  std::deque<Port> ports_;
  Timestamp next_tick_{};
  uint64_t tick_number_ = 0;
  bool was_idle_ = true;

  // Of the tick in hand: by source, then by conference.
  std::vector<kernels::Frame> frames_, without_, all_;
  std::vector<uint8_t> levels_, chosen_, without_levels_, all_levels_;
  std::vector<kernels::LimiterState> source_limiters_, group_limiters_;
  std::vector<kernels::MixGroup> groups_;
  std::vector<MixedFrame> encoded_;
};

}  // namespace viaduct::audio
