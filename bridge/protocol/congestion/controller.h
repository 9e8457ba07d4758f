// How much can be sent to one client: send-side congestion control, sans-IO (draft-ietf-rmcat-gcc-02, with libwebrtc's
// later trendline filter, probing, link capacity estimate and loss-based controller; deploy/docs/congestion-control.md).
//
// It is told of each packet that leaves and of each report that comes, and says a rate. Time is an argument. No report
// of a client, true or lying, takes the rate out of its limits or makes anything grow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/pacer.h"
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

struct RateLimits {
  DataRate initial = DataRate::kbps(2500);
  DataRate least = DataRate::kbps(30);
  DataRate most = DataRate::kbps(20'000);
};

struct SentPacket {
  uint16_t transport_sequence = 0;  // the low bits of a number that counts on from packet to packet
  uint32_t ssrc = 0;
  uint16_t sequence = 0;            // the RTP sequence number, for RFC 8888
  size_t bytes = 0;                 // on the wire, with UDP and IP headers
  Timestamp at;
  std::optional<int32_t> probe;
};

class Controller {
 public:
  explicit Controller(Reporting reporting = Reporting::None, const RateLimits& limits = {});

  Reporting reporting() const;
  void on_sent(const SentPacket& packet);
  void on_feedback(const rtcp::TransportFeedback& feedback, Timestamp now);
  void on_feedback(const rtcp::CongestionFeedback& feedback, Timestamp now);
  void on_remb(DataRate rate, Timestamp now);
  void on_round_trip(Duration round_trip, Timestamp now);
  // What would be sent if the network took everything: probes look no higher than needed for it.
  void set_demand(DataRate demand, Timestamp now);

  // Time passes: call when next_deadline() has come.
  void run_timers(Timestamp now);
  Timestamp next_deadline() const;
  // A probe that should be sent now, each once.
  std::optional<ProbeCluster> poll_probe(Timestamp now);

  // What may be sent on average; the upper limit when nobody measures.
  DataRate target() const;
  Duration round_trip() const;        // 0 before it is known
  double fraction_lost() const;       // as reported lately, 0 to 1

 private:
  // (filled in by its implementation)
};

}  // namespace viaduct::congestion
