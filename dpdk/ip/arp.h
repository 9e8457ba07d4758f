// ARP for IPv4 over Ethernet (RFC 826), and the announcement of an address (RFC 5227 section 3).
//
//   0               1               2               3
//  | hardware type: 1              | protocol type: 0x0800         |
//  | 6             | 4             | operation: 1 asks, 2 answers  |
//  | sender MAC (6 bytes), sender IP (4), target MAC (6), target IP (4)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "dpdk/ip/interface.h"

namespace viaduct::dpdk::ip {

inline constexpr size_t ArpBytes = 28;

struct ArpView {
  bool is_reply = false;  // or a request
  MacAddress sender_mac;
  uint32_t sender = 0;
  uint32_t target = 0;
};

// Empty when it is cut short or about anything but IPv4 over Ethernet.
std::optional<ArpView> parse_arp(Bytes message);

// These write a frame and return its size. There is room for MaxOwnFrameBytes.
size_t write_arp_reply(uint8_t* out, const Interface& interface, uint32_t own, const ArpView& request);
// Asks everyone, or with `at` just the neighbour who had it when last asked (RFC 1122 section 2.3.2.1).
size_t write_arp_request(uint8_t* out, const Interface& interface, uint32_t own, uint32_t target,
                         const std::optional<MacAddress>& at);
size_t write_arp_announcement(uint8_t* out, const Interface& interface, uint32_t own);

}  // namespace viaduct::dpdk::ip
