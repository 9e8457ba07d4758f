#include "dpdk/flow_rules.h"

#include <rte_byteorder.h>
#include <rte_flow.h>

#include <string>

namespace viaduct::dpdk {
namespace {

Error refused(const char* what, const rte_flow_error& error) {
  return {ErrorCode::Unavailable, std::string("the port does not ") + what + " (" +
                                      (error.message != nullptr ? error.message : "it says no more") + ")"};
}

}  // namespace

Result<void> FlowRules::add(const SteeringRule& rule) {
  rte_flow_item_vlan tag{};
  rte_flow_item_vlan tag_mask{};
  tag.hdr.vlan_tci = rte_cpu_to_be_16(vlan_);
  tag_mask.hdr.vlan_tci = rte_cpu_to_be_16(0x0fff);
  rte_flow_item_udp udp{};
  rte_flow_item_udp udp_mask{};
  udp.hdr.dst_port = rte_cpu_to_be_16(rule.udp_port);
  udp_mask.hdr.dst_port = 0xffff;

  std::vector<rte_flow_item> pattern;
  pattern.push_back({RTE_FLOW_ITEM_TYPE_ETH, nullptr, nullptr, nullptr});
  if (vlan_ != 0) pattern.push_back({RTE_FLOW_ITEM_TYPE_VLAN, &tag, nullptr, &tag_mask});
  pattern.push_back({rule.v6 ? RTE_FLOW_ITEM_TYPE_IPV6 : RTE_FLOW_ITEM_TYPE_IPV4, nullptr, nullptr, nullptr});
  pattern.push_back({RTE_FLOW_ITEM_TYPE_UDP, &udp, nullptr, &udp_mask});
  pattern.push_back({RTE_FLOW_ITEM_TYPE_END, nullptr, nullptr, nullptr});

  const rte_flow_action_queue queue{rule.queue};
  const rte_flow_action actions[] = {{RTE_FLOW_ACTION_TYPE_QUEUE, &queue}, {RTE_FLOW_ACTION_TYPE_END, nullptr}};
  rte_flow_attr attributes{};
  attributes.ingress = 1;

  rte_flow_error error{};
  rte_flow* made = rte_flow_create(port_, &attributes, pattern.data(), actions, &error);
  if (made == nullptr) return refused("take flow rules", error);
  rules_.push_back(made);
  return {};
}

void FlowRules::remove_all() {
  rte_flow_error error{};
  for (rte_flow* rule : rules_) rte_flow_destroy(port_, rule, &error);
  rules_.clear();
}

Result<void> isolate(uint16_t port) {
  rte_flow_error error{};
  if (rte_flow_isolate(port, 1, &error) == 0) return {};
  return refused("keep flows apart", error);
}

}  // namespace viaduct::dpdk
