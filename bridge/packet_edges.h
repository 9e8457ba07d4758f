// Where media packets enter and leave: decides at start between kernel sockets and DPDK, and makes a PacketIo for each
// worker.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/counters.h"
#include "base/result.h"
#include "config.h"
#include "dpdk/network.h"
#include "edge/packet_io.h"

namespace viaduct {

class PacketEdges final : public MetricSource {
 public:
  // With io = dpdk all ports start here. An error is one sentence for the operator.
  static Result<std::unique_ptr<PacketEdges>> open(const Config& config);

  // Once for each worker. The edge is outlived by this object.
  Result<std::unique_ptr<edge::PacketIo>> make(uint32_t worker);

  bool drives_network_cards() const { return network_ && network_->drives_cards(); }
  bool has_xdp_filters() const { return network_ && network_->has_xdp_filters(); }
  // Whether the memory for media is locked into RAM, of all edges made so far.
  bool are_pools_locked() const { return pools_locked_; }

  void visit(MetricVisitor& visitor) const override;

 private:
  explicit PacketEdges(const Config& config) : config_(config) {}
  Result<std::unique_ptr<edge::PacketIo>> open_sockets(uint32_t worker);

  const Config& config_;
  std::unique_ptr<dpdk::Network> network_;  // null with sockets
  std::vector<const MetricSource*> sources_;
  bool pools_locked_ = true;
};

}  // namespace viaduct
