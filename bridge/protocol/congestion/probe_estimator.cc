#include "protocol/congestion/probe_estimator.h"

#include <algorithm>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {

void ProbeEstimator::begin(const ProbeCluster& probe) {
  clusters_[static_cast<uint32_t>(probe.id) % clusters_.size()] = {.probe = probe};
}

std::optional<ProbeResult> ProbeEstimator::add(const PacketResult& packet) {
  Cluster& cluster = clusters_[static_cast<uint32_t>(*packet.probe) % clusters_.size()];
  if (cluster.probe.id != *packet.probe || cluster.probe.id == 0) return std::nullopt;
  extend(cluster, packet);
  const double packets = EnoughBack * std::max(LeastPackets, cluster.probe.packets);
  const double bytes = EnoughBack * static_cast<double>(cluster.probe.bytes.bytes);
  if (cluster.packets < packets || static_cast<double>(cluster.bytes.bytes) < bytes) return std::nullopt;
  return evaluate(cluster);
}

void ProbeEstimator::extend(Cluster& cluster, const PacketResult& packet) {
  const bool first = cluster.packets++ == 0;
  cluster.bytes.bytes += packet.bytes;
  if (first) cluster.first_sent = packet.sent;
  cluster.first_sent = std::min(cluster.first_sent, packet.sent);
  if (first || packet.sent > cluster.last_sent) {
    cluster.last_sent = packet.sent;
    cluster.last_sent_bytes = packet.bytes;
  }
  if (first || *packet.arrival < cluster.first_arrival) {
    cluster.first_arrival = *packet.arrival;
    cluster.first_arrival_bytes = packet.bytes;
  }
  if (first || *packet.arrival >= cluster.last_arrival) {
    cluster.last_arrival = *packet.arrival;
    cluster.last_arrival_bytes = packet.bytes;
    cluster.last_took = packet.took();
  }
}

std::optional<ProbeResult> ProbeEstimator::evaluate(const Cluster& cluster) {
  const Duration sending = cluster.last_sent - cluster.first_sent;
  const Duration arriving = cluster.last_arrival - cluster.first_arrival;
  if (sending <= 0s || sending > LongestProbe || arriving <= 0s || arriving > LongestProbe) return std::nullopt;
  const DataRate sent = DataSize{cluster.bytes.bytes - cluster.last_sent_bytes} / sending;
  const DataRate arrived = DataSize{cluster.bytes.bytes - cluster.first_arrival_bytes} / arriving;
  if (arrived > sent * MostRatio) return std::nullopt;
  return ProbeResult{.rate = arrived < sent * Saturated ? arrived * UsedPart : std::min(sent, arrived),
                     .sent = sent,
                     .last_took = cluster.last_took,
                     .last_bytes = cluster.last_arrival_bytes,
                     .thorough = cluster.probe.thorough};
}

}  // namespace viaduct::congestion
