// Ethernet II frames with at most one 802.1Q tag.
//
//   0               6               12              14
//  | destination   | source        | type           | payload ...
//  | destination   | source        | 0x8100         | priority (4 bits), VLAN (12) | type | payload ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "dpdk/ip/mac_address.h"

namespace viaduct::dpdk::ip {

inline constexpr size_t EthernetBytes = 14;
inline constexpr size_t TagBytes = 4;
inline constexpr size_t MacBytes = 6;

namespace ether_type {
inline constexpr uint16_t Ipv4 = 0x0800;
inline constexpr uint16_t Arp = 0x0806;
inline constexpr uint16_t Tagged = 0x8100;
inline constexpr uint16_t Ipv6 = 0x86dd;
}  // namespace ether_type

// Of a frame whose header is all there; false when it is not. Reads it when asked, so that nothing is copied about.
struct EthernetView {
  const uint8_t* frame = nullptr;

  explicit operator bool() const { return frame != nullptr; }

  bool is_tagged() const { return load_be16(frame + 12) == ether_type::Tagged; }
  size_t header_bytes() const { return EthernetBytes + (is_tagged() ? TagBytes : 0); }
  uint16_t type() const { return load_be16(frame + header_bytes() - 2); }  // what follows
  // 0 without a tag, and with one that has a priority alone.
  uint16_t vlan() const { return is_tagged() ? static_cast<uint16_t>(load_be16(frame + 14) & 0xfff) : uint16_t{0}; }
};

// False when the frame is cut short.
inline EthernetView parse_ethernet(Bytes frame) {
  if (frame.size() < EthernetBytes) return {};
  const EthernetView view{frame.data()};
  return frame.size() < view.header_bytes() ? EthernetView{} : view;
}

// `at`: a MAC in a frame. Compared where it stands.
inline bool is_mac(const uint8_t* at, const MacAddress& mac) {
  return std::memcmp(at, mac.bytes.data(), MacBytes) == 0;
}
inline bool is_multicast_mac(const uint8_t* at) { return (at[0] & 1) != 0; }

// Of a frame that parses.
inline MacAddress destination_mac(const uint8_t* frame) {
  MacAddress mac;
  std::memcpy(mac.bytes.data(), frame, MacBytes);
  return mac;
}
inline MacAddress source_mac(const uint8_t* frame) { return destination_mac(frame + MacBytes); }

inline size_t ethernet_bytes(uint16_t vlan) { return EthernetBytes + (vlan == 0 ? 0 : TagBytes); }

// Writes ethernet_bytes(vlan) bytes and returns how many.
inline size_t write_ethernet(uint8_t* out, const MacAddress& to, const MacAddress& from, uint16_t vlan,
                             uint16_t type) {
  std::memcpy(out, to.bytes.data(), MacBytes);
  std::memcpy(out + MacBytes, from.bytes.data(), MacBytes);
  uint8_t* at = out + 2 * MacBytes;
  if (vlan != 0) {
    store_be16(at, ether_type::Tagged);
    store_be16(at + 2, vlan);
    at += TagBytes;
  }
  store_be16(at, type);
  return ethernet_bytes(vlan);
}

}  // namespace viaduct::dpdk::ip
