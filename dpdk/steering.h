// Which queue gets which frames: UDP to media port i belongs to worker i and its queue.
//
// The rules are the same for whoever applies them: a network card by rte_flow (flow_rules.h), or the workers
// themselves, who look at what arrived (ip/classify.h) and hand over what is not theirs (inboxes.h). They do so in any
// case: a card that steers only saves them the way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dpdk/ip/interface.h"

namespace viaduct::dpdk {

// UDP over this family to `udp_port` goes to `queue`.
struct SteeringRule {
  bool v6 = false;
  uint16_t udp_port = 0;
  uint16_t queue = 0;
  friend bool operator==(const SteeringRule&, const SteeringRule&) = default;
};

// What may be asked to steer.
class FlowTable {
 public:
  virtual ~FlowTable() = default;
  virtual Result<void> add(const SteeringRule& rule) = 0;
  virtual void remove_all() = 0;
};

// A rule for each media port and each family that the interface has an address of. Queue i is worker
// `first_worker` + i's.
std::vector<SteeringRule> steering_rules(const ip::Interface& interface, uint16_t first_worker, uint16_t queues);

// All rules or none: a table that refuses one is emptied again, and its error returned.
Result<void> install(const std::vector<SteeringRule>& rules, FlowTable& table);

}  // namespace viaduct::dpdk
