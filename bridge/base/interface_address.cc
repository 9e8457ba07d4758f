#include "base/interface_address.h"

#include <charconv>

namespace viaduct {

std::optional<InterfaceAddress> InterfaceAddress::parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto ip = IpAddress::parse(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  uint8_t bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (!ip || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (bits > (ip->is_v6() ? 128 : 32)) return std::nullopt;
  return InterfaceAddress{*ip, bits};
}

std::string InterfaceAddress::to_string() const { return ip.to_string() + "/" + std::to_string(prefix_bits); }

bool InterfaceAddress::has_on_link(const IpAddress& other) const {
  if (other.is_v6() != ip.is_v6()) return false;
  for (size_t bit = 0; bit < prefix_bits; bit += 8) {
    const size_t left = prefix_bits - bit;
    const auto mask = static_cast<uint8_t>(left >= 8 ? 0xff : 0xff << (8 - left));
    if (((ip.bytes()[bit / 8] ^ other.bytes()[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace viaduct
