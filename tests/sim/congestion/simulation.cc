#include "tests/sim/congestion/simulation.h"

#include <algorithm>

namespace viaduct::testing {
namespace {

constexpr Duration Turn = 1ms;
constexpr Duration Look = 1s;               // that must go well for a flow to count as converged
constexpr double ConvergedPart = 0.85;
constexpr Duration ConvergedQueue = 100ms;

using Flows = std::vector<Flow>;

void send_cross_traffic(const CrossTraffic& cross, double& credit, Bottleneck& link, Timestamp now) {
  constexpr size_t PacketBytes = 1200;
  if (now < cross.begins || now >= cross.ends || (now - cross.begins) % cross.period >= cross.on) return;
  credit += static_cast<double>(cross.rate.bits_per_second) / 8 * to_seconds(Turn);
  for (; credit >= PacketBytes; credit -= PacketBytes) link.send(PacketBytes, now);
}

Flows play(const Scenario& scenario) {
  Bottleneck link(scenario.link, scenario.seed);
  Flows flows;
  for (size_t i = 0; i < scenario.flows.size(); ++i) flows.emplace_back(scenario.flows[i], scenario.seed + 100 + i);
  double credit = 0;
  size_t first = 0;
  for (Timestamp now{}; now < scenario.phases.back().ends; now += Turn, ++first) {
    if (scenario.cross) send_cross_traffic(*scenario.cross, credit, link, now);
    // None is always first at the link.
    for (size_t i = 0; i < flows.size(); ++i) flows[(first + i) % flows.size()].run(link, now);
              flows[0].controller().fraction_lost());
  }
  return flows;
}

// What left in [begins, ends).
struct Stretch {
  int64_t bytes = 0;  // that arrived, without padding
  size_t sent = 0;
  size_t lost = 0;
  std::vector<Duration> queued;
  DataRate throughput(Duration time) const { return DataSize{bytes} / time; }
};

Stretch look_at(const Flow& flow, Timestamp begins, Timestamp ends) {
  Stretch s;
  const auto& trips = flow.trips();
  const auto first = std::ranges::lower_bound(trips, begins, {}, &Trip::sent);
  for (auto trip = first; trip != trips.end() && trip->sent < ends; ++trip) {
    ++s.sent;
    if (!trip->crossing) {
      ++s.lost;
      continue;
    }
    if (!trip->padding) s.bytes += static_cast<int64_t>(trip->bytes);
    s.queued.push_back(trip->crossing->queued);
  }
  std::ranges::sort(s.queued);
  return s;
}

Duration percentile(const std::vector<Duration>& sorted, size_t percent) {
  return sorted.empty() ? Duration(0) : sorted[std::min(sorted.size() - 1, sorted.size() * percent / 100)];
}

double jain(const std::vector<double>& shares) {
  double sum = 0;
  double squares = 0;
  for (const double s : shares) {
    sum += s;
    squares += s * s;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(shares.size()) * squares) : 1;
}

// The first second from which on the link is used well and its queue is short.
std::optional<Duration> convergence(const Flows& flows, const Phase& phase) {
  constexpr Duration Step = 100ms;
  for (Timestamp t = phase.begins; t + Look <= phase.ends; t += Step) {
    int64_t bytes = 0;
    Duration queued(0);
    for (const Flow& flow : flows) {
      const Stretch s = look_at(flow, t, t + Look);
      bytes += s.bytes;
      queued = std::max(queued, percentile(s.queued, 50));
    }
    const auto available = static_cast<double>(phase.available.bits_per_second);
    const auto used = static_cast<double>((DataSize{bytes} / Look).bits_per_second);
    if (used >= ConvergedPart * available && queued < ConvergedQueue) {
      return t - phase.begins;
    }
  }
  return std::nullopt;
}

PhaseResult judge(const Scenario& scenario, const Flows& flows, const Phase& phase) {
  PhaseResult result{.scenario = scenario.name,
                     .phase = phase.name,
                     .available = phase.available,
                     .converged = convergence(flows, phase)};
  const Timestamp begins = phase.begins + phase.settling;
  std::vector<Duration> queued;
  std::vector<double> shares;
  size_t sent = 0;
  size_t lost = 0;
  for (const Flow& flow : flows) {
    const Stretch s = look_at(flow, begins, phase.ends);
    queued.insert(queued.end(), s.queued.begin(), s.queued.end());
    shares.push_back(static_cast<double>(s.throughput(phase.ends - begins).bits_per_second));
    sent += s.sent;
    lost += s.lost;
  }
  std::ranges::sort(queued);
  double total = 0;
  for (const double s : shares) total += s;
  result.utilisation = total / static_cast<double>(phase.available.bits_per_second);
  result.queued_p50 = percentile(queued, 50);
  result.queued_p95 = percentile(queued, 95);
  result.loss = sent > 0 ? static_cast<double>(lost) / static_cast<double>(sent) : 0;
  result.fairness = jain(shares);
  return result;
}

}  // namespace

std::vector<PhaseResult> run(const Scenario& scenario) {
  const Flows flows = play(scenario);
  std::vector<PhaseResult> results;
  for (const Phase& phase : scenario.phases) results.push_back(judge(scenario, flows, phase));
  return results;
}

}  // namespace viaduct::testing
