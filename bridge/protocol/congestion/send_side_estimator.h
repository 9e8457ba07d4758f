// What can be sent to a client that reports the arrival of packets: the delay's view and the loss' view of each report,
// of which the lower counts, and probes for more.
//
// Nothing is allocated after it was made. A report is worked through in portions that fit the stack.
#pragma once

#include <cstddef>
#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/application_limit.h"
#include "protocol/congestion/arrival_line.h"
#include "protocol/congestion/delay_controller.h"
#include "protocol/congestion/loss_controller.h"
#include "protocol/congestion/probe_estimator.h"
#include "protocol/congestion/probe_planner.h"
#include "protocol/congestion/rate_limits.h"
#include "protocol/congestion/sent_history.h"
#include "protocol/congestion/throughput.h"
#include "protocol/rtcp/congestion_feedback.h"
#include "protocol/rtcp/transport_feedback.h"

namespace viaduct::congestion {

class SendSideEstimator {
 public:
  static constexpr Duration Silence = 1500ms;          // of a client to which packets leave: its network may be gone
  static constexpr Duration SilenceStep = 500ms;
  static constexpr double SilenceFactor = 0.8;         // in each step, as libwebrtc has it

  SendSideEstimator(SentHistory::Lookup lookup, const RateLimits& limits);

  void on_sent(const SentPacket& packet);
  void on_feedback(const rtcp::TransportFeedback& feedback, Timestamp now);
  void on_feedback(const rtcp::CongestionFeedback& feedback, Timestamp now);
  void set_round_trip(Duration round_trip) { delay_.rate_control().set_round_trip(round_trip); }
  void set_demand(DataRate demand, Timestamp now) { planner_.set_demand(demand, now); }
  void run_timers(Timestamp now);
  Timestamp next_deadline() const;
  std::optional<ProbeCluster> poll_probe(Timestamp now);

  DataRate target() const { return target_; }
  Duration newest_round_trip() const { return newest_round_trip_; }
  double fraction_lost() const { return loss_.average_loss(); }

 private:
  class Portion;

  void advance_line(Duration reported, Timestamp now);
  void take(Portion& portion);
  void finish_report(Timestamp now);
  void set_target(Timestamp now);

  RateLimits limits_;
  SentHistory history_;
  ArrivalLine line_;
  ApplicationLimit application_limit_;
  Throughput throughput_;
  DelayController delay_;
  LossController loss_;
  ProbeEstimator probes_;
  ProbePlanner planner_;
  DataRate target_;

  Timestamp newest_sent_;                     // of the packets that were reported to have arrived
  Duration newest_round_trip_{0};
  bool learnt_ = false;                       // the report that is read has had news
  std::optional<ProbeResult> probed_;         // by the report that is read
  std::optional<Timestamp> unanswered_since_; // when the first packet after the last report left
  std::optional<Timestamp> silence_step_;
};

}  // namespace viaduct::congestion
