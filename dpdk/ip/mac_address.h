// The address of a network interface on its Ethernet (IEEE 802).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct::dpdk::ip {

struct MacAddress {
  std::array<uint8_t, 6> bytes{};

  static std::optional<MacAddress> parse(std::string_view text);  // 02:00:00:00:00:01
  std::string to_string() const;
  bool is_multicast() const { return (bytes[0] & 1) != 0; }  // broadcast is one
  friend bool operator==(const MacAddress&, const MacAddress&) = default;
};

inline constexpr MacAddress Broadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

}  // namespace viaduct::dpdk::ip
