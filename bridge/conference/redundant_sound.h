// Redundancy that the bridge adds to sound (RFC 2198): whose network loses so much that they get it, and what a source
// sent before, which is what they get again.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "protocol/rtp/red_writer.h"

namespace viaduct::conference {

// Whether packets of sound should say what was said before, too: from a loss on that is heard, until there has been
// next to none for a while.
class RedundancySwitch {
 public:
  // As congestion control sees it: of what was sent in the last seconds so much was lost, as is known within one.
  void on_network(double fraction_lost, Timestamp now) { settle(fraction_lost, fraction_lost, now); }
  // The receiver's report says that so much was lost since the one before, which is seconds ago.
  void on_report(double fraction_lost, Timestamp now) {
    settle((std::exchange(former_, fraction_lost) + fraction_lost) / 2, fraction_lost, now);
  }
  bool on() const { return on_; }

 private:
  void settle(double mean, double newest, Timestamp now) {
    constexpr double Heard = 0.03, NextToNone = 0.01;
    constexpr Duration Calm = 10s;
    if (newest >= NextToNone) last_loss_ = now;
    if (mean >= Heard) on_ = true;
    if (now - last_loss_ >= Calm) on_ = false;
  }

  double former_ = 0;
  Timestamp last_loss_{};
  bool on_ = false;
};

// A source's last packets of sound, in clear, for as long as anybody gets them twice.
class RedundantSound {
 public:
  static constexpr size_t PacketsKept = 4;    // more of them in one turn go on without
  static constexpr size_t PacketBytes = 512;  // 200 kbit/s of Opus in packets of 20 ms
  static_assert(PacketBytes <= rtp::MaxRedBlockBytes);

  struct Kept {
    int64_t sequence = -1;  // unwrapped; less than 0: nothing
    uint32_t timestamp = 0;
    uint16_t size = 0;
    std::array<uint8_t, PacketBytes> storage{};
    Bytes bytes() const { return Bytes(storage).first(size); }
  };

  void want(Timestamp now) { wanted_until_ = now + WantedFor; }
  bool is_wanted(Timestamp now) const { return now < wanted_until_; }

  // Room for the bytes of a packet; none when it has so many that it is not kept.
  MutableBytes keep(int64_t sequence, uint32_t timestamp, size_t bytes) {
    if (bytes > PacketBytes) return {};
    if (packets_.empty()) packets_.resize(PacketsKept);
    Kept& kept = packets_[index(sequence)];
    kept.sequence = sequence;
    kept.timestamp = timestamp;
    kept.size = static_cast<uint16_t>(bytes);
    return MutableBytes(kept.storage).first(bytes);
  }
  // Null when it was not kept, or has made room for a later one.
  const Kept* find(int64_t sequence) const {
    if (packets_.empty() || sequence < 0) return nullptr;
    const Kept& kept = packets_[index(sequence)];
    return kept.sequence == sequence ? &kept : nullptr;
  }
  // Once nobody wants them any more, what was said does not stay in memory (which is wiped when it is given back).
  void expire(Timestamp now) {
    if (!is_wanted(now)) std::vector<Kept>().swap(packets_);
  }

 private:
  static constexpr Duration WantedFor = 2s;
  static size_t index(int64_t sequence) { return static_cast<uint64_t>(sequence) % PacketsKept; }

  std::vector<Kept> packets_;  // made at the first packet that is wanted; never grows after that
  Timestamp wanted_until_{};
};

}  // namespace viaduct::conference
