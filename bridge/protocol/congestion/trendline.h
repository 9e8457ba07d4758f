// Whether packets take longer and longer: the slope of the smoothed queueing delay over the last groups of packets
// (Carlucci et al., "Congestion Control for Web Real-Time Communication", and libwebrtc's trendline filter, which took
// the place of the Kalman filter of draft-ietf-rmcat-gcc-02 section 5.3).
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/time.h"
#include "protocol/congestion/arrival_groups.h"

namespace viaduct::congestion {

class Trendline {
 public:
  static constexpr size_t Window = 20;         // groups
  static constexpr double Smoothing = 0.9;     // the part of the past in the smoothed delay

  void add(const GroupDelta& delta);
  // Milliseconds of delay gained in each millisecond; 0 before the window is full.
  double slope() const { return slope_; }
  int deltas() const { return deltas_; }       // added so far, at most MostDeltas
  static constexpr int MostDeltas = 1000;
  void reset() { *this = Trendline(); }

 private:
  struct Point {
    double at = 0;     // ms since the first delta
    double delay = 0;  // ms, smoothed
  };
  std::optional<double> fit() const;

  std::array<Point, Window> points_;
  size_t next_ = 0;
  size_t size_ = 0;
  std::optional<Duration> first_;
  double accumulated_ = 0;
  double smoothed_ = 0;
  double slope_ = 0;
  int deltas_ = 0;
};

}  // namespace viaduct::congestion
