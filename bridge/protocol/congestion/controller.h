// How much can be sent to one client: send-side congestion control, sans-IO (draft-ietf-rmcat-gcc-02, with libwebrtc's
// later trendline filter, probing, link capacity estimate and loss-based controller: deploy/docs has them all, in
// congestion-control.md).
//
// It is told of each packet that leaves and of each report that comes, and says a rate. Time is an argument. No report
// of a client, true or lying, takes the rate out of its limits or makes anything grow.
#pragma once

#include <memory>
#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/pacer.h"
#include "protocol/congestion/rate_limits.h"
#include "protocol/congestion/send_side_estimator.h"
#include "protocol/congestion/sent_packet.h"
#include "protocol/rtcp/congestion_feedback.h"
#include "protocol/rtcp/transport_feedback.h"

namespace viaduct::congestion {

// How a client reports what arrives.
enum class Reporting : uint8_t {
  None,           // nobody measures its network: nothing is limited
  Remb,           // it estimates by itself (draft-alvestrand-rmcat-remb-03)
  TransportWide,  // draft-holmer-rmcat-transport-wide-cc-extensions-01
  PerStream,      // RFC 8888
};

class Controller {
 public:
  explicit Controller(Reporting reporting = Reporting::None, const RateLimits& limits = {});

  Reporting reporting() const { return reporting_; }
  void on_sent(const SentPacket& packet);
  // Reports of another kind than the client's are ignored.
  void on_feedback(const rtcp::TransportFeedback& feedback, Timestamp now);
  void on_feedback(const rtcp::CongestionFeedback& feedback, Timestamp now);
  void on_remb(DataRate rate, Timestamp now);
  void on_round_trip(Duration round_trip, Timestamp now);
  // What would be sent if the network took everything: probes look no higher than needed for it. Nothing is probed for
  // before it is known.
  void set_demand(DataRate demand, Timestamp now);

  // Time passes: call when next_deadline() has come.
  void run_timers(Timestamp now);
  Timestamp next_deadline() const;
  // A probe that should be sent now, each once. Ask while the pacer runs none.
  std::optional<ProbeCluster> poll_probe(Timestamp now);

  // What may be sent on average; the upper limit when nobody measures.
  DataRate target() const { return estimator_ ? estimator_->target() : rate_; }
  Duration round_trip() const { return round_trip_; }  // as on_round_trip() said; 0 before it is known
  // Of the newest packet whose arrival was reported, with all queues that it met, 0 to 1 s; 0 before there is one.
  Duration newest_round_trip() const { return estimator_ ? estimator_->newest_round_trip() : 0s; }
  // As reported lately, 0 to 1.
  double fraction_lost() const { return estimator_ ? estimator_->fraction_lost() : 0; }

 private:
  Reporting reporting_;
  RateLimits limits_;
  std::unique_ptr<SendSideEstimator> estimator_;  // where arrivals are reported
  DataRate rate_;                                 // where they are not
  Duration round_trip_{0};
};

}  // namespace viaduct::congestion
