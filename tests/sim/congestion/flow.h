// One sender under congestion control and its receiver: what a bridge does for one client, without the rest of it.
//
// The sender makes a picture 30 times a second, as large as its target lets it, and sound every 20 ms; the pacer says
// when they leave, probes are filled up by padding. The receiver writes real RTCP, which is parsed again.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/controller.h"
#include "protocol/congestion/pacer.h"
#include "tests/sim/congestion/bottleneck.h"
#include "tests/support/congestion_feedback_writer.h"

namespace viaduct::testing {

struct DemandFrom {
  Timestamp at;
  DataRate rate;
};

struct FlowSettings {
  congestion::Reporting reporting = congestion::Reporting::TransportWide;
  Duration feedback_interval = 100ms;
  Duration feedback_delay = 25ms;
  double feedback_loss = 0;
  DataRate initial = congestion::RateLimits{}.initial;
  // What the sender has to send, by time.
  std::vector<DemandFrom> demand = {{Timestamp{}, DataRate::kbps(8000)}};
  // All that it can send, from the least to the most, as a bridge that picks among layers; nothing: any rate.
  std::vector<DataRate> layers;
  Timestamp begins{};
};

// A packet's way, for the figures.
struct Trip {
  Timestamp sent;
  size_t bytes = 0;
  bool padding = false;
  std::optional<Crossing> crossing;  // nothing: lost
};

class Flow {
 public:
  Flow(const FlowSettings& settings, uint64_t seed);

  // Everything that happens up to `now`, in steps of a millisecond as a worker's turns.
  void run(Bottleneck& link, Timestamp now);

  const congestion::Controller& controller() const { return controller_; }
  const std::vector<Trip>& trips() const { return trips_; }

 private:
  static constexpr Duration FrameInterval = 33'333us;
  static constexpr Duration SoundInterval = 20ms;
  static constexpr size_t SoundBytes = 120;
  static constexpr size_t LargestPacket = 1200;
  static constexpr size_t SmallestPadding = 200;
  enum Ssrc : uint32_t { Sound = 1, Picture = 2, Padding = 3 };

  struct Waiting {
    size_t bytes = 0;
    Timestamp since;
  };
  struct OnTheWay {
    Timestamp arrival;
    Timestamp sent;
    uint16_t transport_sequence = 0;
    uint32_t ssrc = 0;
    uint16_t sequence = 0;
  };
  struct Report {
    Timestamp arrival;
    std::vector<uint8_t> bytes;
  };

  DataRate demand_at(Timestamp t) const;
  DataRate to_send(Timestamp t) const;
  void receive(Timestamp now);
  void write_reports(Timestamp now);
  void take_reports(Timestamp now);
  void make_media(Bottleneck& link, Timestamp now);
  void send_paced(Bottleneck& link, Timestamp now);
  void send(Bottleneck& link, size_t bytes, Ssrc ssrc, Timestamp now);

  FlowSettings settings_;
  SeededRandom random_;
  congestion::Controller controller_;
  congestion::Pacer pacer_;
  uint16_t next_transport_sequence_ = 0xff00;  // wraps early
  std::array<uint16_t, 4> next_sequence_ = {0, 0xfff0, 0xff80, 0};
  std::deque<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  Timestamp next_frame_;
  Timestamp next_sound_;

  std::deque<OnTheWay> on_the_way_;
  rtcp::TransportFeedbackBuilder transport_wide_;
  CongestionFeedbackWriter per_stream_;
  Timestamp next_report_;
  std::deque<Report> reports_;
  Duration round_trip_{0};
  std::vector<Trip> trips_;
};

}  // namespace viaduct::testing
