#include "protocol/rtp/reception_stats.h"

#include <algorithm>
#include <cmath>

namespace viaduct::rtp {
namespace {

// A transit time that changes by more than this is a pause or a new time line of the sender, not jitter.
constexpr double MaxTransitChangeSeconds = 5.0;

}  // namespace

bool ReceptionStats::on_packet(uint16_t sequence, uint32_t rtp_timestamp, Timestamp arrival, uint32_t clock_rate) {
  if (!started_) start(sequence);
  const int64_t step = static_cast<int16_t>(static_cast<uint16_t>(sequence - static_cast<uint16_t>(highest_)));
  if (step > MaxDropout || step < -MaxDropout) return suspect_jump(sequence);
  suspect_next_ = -1;
  if (step <= 0) return take_late(step);
  advance(step);
  update_jitter(rtp_timestamp, arrival, clock_rate);
  return true;
}

uint8_t ReceptionStats::take_fraction_lost() {
  const auto expected_interval = static_cast<int64_t>(expected() - expected_prior_);
  const auto received_interval = static_cast<int64_t>(packets_ - packets_prior_);
  expected_prior_ = expected();
  packets_prior_ = packets_;
  const int64_t lost = expected_interval - received_interval;
  if (expected_interval <= 0 || lost <= 0) return 0;
  return static_cast<uint8_t>(std::min<int64_t>(255, lost * 256 / expected_interval));
}

Duration ReceptionStats::jitter_time() const {
  return clock_rate_ == 0 ? Duration{} : Duration(static_cast<int64_t>(jitter_ * 1e9 / clock_rate_));
}

void ReceptionStats::start(uint16_t sequence) {
  started_ = true;
  base_ = sequence;
  highest_ = base_ - 1;
}

// Two packets in a row prove a jump; the first of them is counted with the second.
bool ReceptionStats::suspect_jump(uint16_t sequence) {
  if (sequence != suspect_next_) {
    suspect_next_ = static_cast<uint16_t>(sequence + 1);
    return true;
  }
  suspect_next_ = -1;
  expected_before_ += static_cast<uint64_t>(highest_ - base_ + 1);
  // The extended number goes on upwards, so that reports stay in order.
  highest_ += static_cast<uint16_t>(sequence - static_cast<uint16_t>(highest_));
  base_ = highest_ - 1;
  packets_ += 2;
  seen_.reset();
  seen_.set(slot(base_));
  seen_.set(slot(highest_));
  last_timestamp_.reset();
  return true;
}

void ReceptionStats::advance(int64_t step) {
  for (int64_t i = 1; i <= std::min(step, LateWindow); ++i) seen_.reset(slot(highest_ + i));
  highest_ += step;
  seen_.set(slot(highest_));
  ++packets_;
}

bool ReceptionStats::take_late(int64_t step) {
  if (step <= -LateWindow) return false;
  const int64_t extended = highest_ + step;
  if (seen_.test(slot(extended))) return false;
  seen_.set(slot(extended));
  // What was overtaken by the very first packet was never expected.
  if (extended >= base_) ++packets_;
  return true;
}

// RFC 3550 appendix A.8, for packets that arrive in order: when a resent packet comes back says nothing of the
// network's delay.
void ReceptionStats::update_jitter(uint32_t rtp_timestamp, Timestamp arrival, uint32_t clock_rate) {
  if (clock_rate == 0) return;
  if (clock_rate != clock_rate_) {
    clock_rate_ = clock_rate;
    jitter_ = 0;
  } else if (last_timestamp_) {
    const double sent = static_cast<int32_t>(rtp_timestamp - *last_timestamp_);
    const double arrived = to_seconds(arrival - last_arrival_) * clock_rate;
    const double change = std::abs(arrived - sent);
    if (change <= MaxTransitChangeSeconds * clock_rate) jitter_ += (change - jitter_) / 16;
  }
  last_timestamp_ = rtp_timestamp;
  last_arrival_ = arrival;
}

}  // namespace viaduct::rtp
