// A port's own table of flow rules (rte_flow).
#pragma once

#include <vector>

#include "dpdk/steering.h"

struct rte_flow;

namespace viaduct::dpdk {

class FlowRules final : public FlowTable {
 public:
  FlowRules(uint16_t port, uint16_t vlan) : port_(port), vlan_(vlan) {}
  // The rules go with the port when it is closed.
  Result<void> add(const SteeringRule& rule) override;
  void remove_all() override;

 private:
  const uint16_t port_;
  const uint16_t vlan_;
  std::vector<rte_flow*> rules_;
};

// Has the card give the program only what a rule names, and the kernel all else. Before the port is configured.
Result<void> isolate(uint16_t port);

}  // namespace viaduct::dpdk
