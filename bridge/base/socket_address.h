// An IPv4 or IPv6 address with a port, as a small value that hashes and compares.
#pragma once

#include <netinet/in.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct {

class IpAddress {
 public:
  constexpr IpAddress() = default;  // 0.0.0.0
  // Made for every packet: in whole words, since bytes that are written one by one can be copied only when all of them
  // have reached the cache.
  static IpAddress v4(uint32_t host_order) {
    const uint64_t first = std::endian::native == std::endian::little ? __builtin_bswap32(host_order)
                                                                      : uint64_t{host_order} << 32;
    return {std::bit_cast<std::array<uint8_t, 16>>(std::array<uint64_t, 2>{first, 0}), false};
  }
  static IpAddress v6(const std::array<uint8_t, 16>& bytes) { return {bytes, true}; }
  // Dotted quad or RFC 4291 text, without brackets, port or zone; empty when it is neither.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v6() const { return v6_; }
  bool is_unspecified() const;
  uint32_t v4_value() const;                                  // host order; only when !is_v6()
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }  // IPv4: the first four
  std::string to_string() const;
  friend bool operator==(const IpAddress& a, const IpAddress& b) {  // GCC calls memcmp for the default one
    return std::memcmp(a.bytes_.data(), b.bytes_.data(), sizeof a.bytes_) == 0 && a.v6_ == b.v6_;
  }

 private:
  IpAddress(const std::array<uint8_t, 16>& bytes, bool v6) : bytes_(bytes), v6_(v6) {}

  std::array<uint8_t, 16> bytes_{};
  bool v6_ = false;
};

struct SocketAddress {
  IpAddress ip;
  uint16_t port = 0;

  // From the kernel's form; v4-mapped IPv6 becomes IPv4. An unknown family gives 0.0.0.0:0.
  static SocketAddress from_sockaddr(const sockaddr_storage& sa);
  // To the kernel's form. With `map_v4` an IPv4 address is written v4-mapped, for a dual-stack IPv6 socket.
  sockaddr_storage to_sockaddr(socklen_t* length, bool map_v4 = false) const;
  std::string to_string() const;                              // 192.0.2.1:10000 or [2001:db8::1]:10000
  // The same with the host hidden, which is all that may reach a log: 192.0.2.x:10000, or the first 48 bits of an
  // IPv6 address, since the rest names a household and a device: [2001:db8:1:x]:10000.
  std::string to_log_string() const;
  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
};

}  // namespace viaduct

template <>
struct std::hash<viaduct::SocketAddress> {
  size_t operator()(const viaduct::SocketAddress& a) const noexcept;
};
