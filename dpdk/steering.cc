#include "dpdk/steering.h"

namespace viaduct::dpdk {

std::vector<SteeringRule> steering_rules(const ip::Interface& interface, uint16_t first_worker, uint16_t queues) {
  std::vector<SteeringRule> rules;
  for (uint16_t queue = 0; queue < queues; ++queue) {
    const auto port = static_cast<uint16_t>(interface.first_media_port + first_worker + queue);
    for (const bool v6 : {false, true}) {
      if (interface.first_of(v6) != nullptr) rules.push_back({v6, port, queue});
    }
  }
  return rules;
}

Result<void> install(const std::vector<SteeringRule>& rules, FlowTable& table) {
  for (const SteeringRule& rule : rules) {
    if (auto added = table.add(rule); !added) {
      table.remove_all();
      return added;
    }
  }
  return {};
}

}  // namespace viaduct::dpdk
