#include "base/socket_address.h"

#include <arpa/inet.h>

#include <cstdio>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"

namespace viaduct {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;  // where inet_pton would stop
  in_addr four{};
  if (inet_pton(AF_INET, terminated.c_str(), &four) == 1) return v4(ntohl(four.s_addr));
  std::array<uint8_t, 16> six{};
  if (inet_pton(AF_INET6, terminated.c_str(), six.data()) == 1) return v6(six);
  return std::nullopt;
}

bool IpAddress::is_unspecified() const { return bytes_ == std::array<uint8_t, 16>{}; }

uint32_t IpAddress::v4_value() const {
  CHECK(!v6_);
  return load_be32(bytes_.data());
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  CHECK(inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof text) != nullptr);
  return text;
}

SocketAddress SocketAddress::from_sockaddr(const sockaddr_storage& sa) {
  if (sa.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &sa, sizeof in);
    return {IpAddress::v4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
  }
  if (sa.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &sa, sizeof in);
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
      return {IpAddress::v4(load_be32(in.sin6_addr.s6_addr + 12)), ntohs(in.sin6_port)};
    }
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), in.sin6_addr.s6_addr, bytes.size());
    return {IpAddress::v6(bytes), ntohs(in.sin6_port)};
  }
  return {};
}

sockaddr_storage SocketAddress::to_sockaddr(socklen_t* length, bool map_v4) const {
  sockaddr_storage out{};
  if (!ip.is_v6() && !map_v4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    in.sin_addr.s_addr = htonl(ip.v4_value());
    std::memcpy(&out, &in, sizeof in);
    *length = sizeof in;
    return out;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  if (ip.is_v6()) {
    std::memcpy(in.sin6_addr.s6_addr, ip.bytes().data(), 16);
  } else {
    in.sin6_addr.s6_addr[10] = in.sin6_addr.s6_addr[11] = 0xff;
    store_be32(in.sin6_addr.s6_addr + 12, ip.v4_value());
  }
  std::memcpy(&out, &in, sizeof in);
  *length = sizeof in;
  return out;
}

std::string SocketAddress::to_string() const {
  const std::string host = ip.is_v6() ? "[" + ip.to_string() + "]" : ip.to_string();
  return host + ":" + std::to_string(port);
}

std::string SocketAddress::to_log_string() const {
  const auto& b = ip.bytes();
  char host[32];
  if (ip.is_v6()) {
    std::snprintf(host, sizeof host, "[%x:%x:%x:x]", load_be16(&b[0]), load_be16(&b[2]), load_be16(&b[4]));
  } else {
    std::snprintf(host, sizeof host, "%d.%d.%d.x", b[0], b[1], b[2]);
  }
  return std::string(host) + ":" + std::to_string(port);
}

}  // namespace viaduct

size_t std::hash<viaduct::SocketAddress>::operator()(const viaduct::SocketAddress& a) const noexcept {
  const uint8_t* b = a.ip.bytes().data();
  uint64_t h = viaduct::load_be64(b) ^ (viaduct::load_be64(b + 8) * 0x9e3779b97f4a7c15u);
  h = (h ^ a.port) * 0xff51afd7ed558ccdu;
  return static_cast<size_t>(h ^ (h >> 32));
}
