#include "dpdk/ip/own_addresses.h"

#include <algorithm>

namespace viaduct::dpdk::ip {

OwnAddresses::OwnAddresses(const Interface& interface) {
  for (size_t i = 0; i < interface.addresses.size(); ++i) {
    const auto& [ip, prefix_bits] = interface.addresses[i];
    const auto index = static_cast<OwnIndex>(i);
    if (ip.is_v6()) {
      v6_.push_back({ip.bytes(), index});
    } else {  // a network of two or one has no broadcast (RFC 3021)
      const uint32_t hosts = prefix_bits > 30 ? ~uint32_t{0} : ~uint32_t{0} >> prefix_bits;
      v4_.push_back({ip.v4_value(), ip.v4_value() | hosts, index});
    }
  }
}

bool OwnAddresses::is_asked_at(const Ipv6Address& group) const {
  return std::any_of(v6_.begin(), v6_.end(), [&](const V6& own) { return solicited_node(own.address) == group; });
}

}  // namespace viaduct::dpdk::ip
