// The interface's addresses laid out for the one question that every frame asks: is this one ours?
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "dpdk/ip/interface.h"
#include "dpdk/ip/ipv4.h"
#include "dpdk/ip/ipv6.h"

namespace viaduct::dpdk::ip {

using OwnIndex = uint16_t;                          // into Interface::addresses
inline constexpr OwnIndex NotOurs = 0xffff;

class OwnAddresses {
 public:
  explicit OwnAddresses(const Interface& interface);

  OwnIndex find(uint32_t address) const {
    for (const V4& own : v4_) {
      if (own.address == address) return own.index;
    }
    return NotOurs;
  }
  OwnIndex find(const Ipv6Address& address) const {
    for (const V6& own : v6_) {
      if (std::memcmp(own.address.data(), address.data(), address.size()) == 0) return own.index;  // == is a call
    }
    return NotOurs;
  }
  OwnIndex find(const IpAddress& address) const {
    return address.is_v6() ? find(address.bytes()) : find(address.v4_value());
  }

  // Whether somebody else can have it: a host's address, not one of ours, nor the broadcast to a network of ours.
  bool is_peer(uint32_t address) const {
    if (!is_host_v4(address)) return false;
    for (const V4& own : v4_) {
      if (own.address == address || own.broadcast == address) return false;
    }
    return true;
  }
  bool is_peer(const Ipv6Address& address) const { return is_host_v6(address) && find(address) == NotOurs; }
  bool is_peer(const IpAddress& address) const {
    return address.is_v6() ? is_peer(address.bytes()) : is_peer(address.v4_value());
  }

  // Whether `group` is where one of our addresses is asked for (RFC 4291 section 2.7.1).
  bool is_asked_at(const Ipv6Address& group) const;

 private:
  struct V4 {
    uint32_t address = 0;
    uint32_t broadcast = 0;  // of its network; 255.255.255.255 where that has none
    OwnIndex index = 0;
  };
  struct V6 {
    Ipv6Address address{};
    OwnIndex index = 0;
  };
  std::vector<V4> v4_;
  std::vector<V6> v6_;
};

}  // namespace viaduct::dpdk::ip
