// An address of a network interface, with how many of its bits name the network that is on the link.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/socket_address.h"

namespace viaduct {

struct InterfaceAddress {
  IpAddress ip;
  uint8_t prefix_bits = 0;

  static std::optional<InterfaceAddress> parse(std::string_view text);  // 192.0.2.1/24, 2001:db8::1/64
  std::string to_string() const;
  bool has_on_link(const IpAddress& other) const;  // of the same family and prefix
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

}  // namespace viaduct
