// What tests of the kernel socket edge say often: open one, send a text, take what has arrived.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edge/socket_io.h"
#include "limits.h"

namespace viaduct::edge {

inline constexpr Timestamp Now{7s};

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }

inline SocketIoSettings on(std::vector<IpAddress> addresses) {
  SocketIoSettings settings;
  settings.bind_addresses = std::move(addresses);
  settings.pool_packets = 1024;
  settings.receive_buffer_bytes = 256 * 1024;
  settings.send_buffer_bytes = 256 * 1024;
  settings.worker = "3";
  return settings;
}

inline std::unique_ptr<SocketIo> open(std::vector<IpAddress> addresses) {
  return std::move(SocketIo::open(on(std::move(addresses))).value());
}

inline bool has_ipv6() { return SocketIo::open(on({ip("::1")})).ok(); }

inline Packet make(SocketIo& io, const SocketAddress& to, std::string_view text) {
  Packet packet;
  EXPECT_EQ(io.allocate({&packet, 1}), 1u);
  packet.length = static_cast<uint32_t>(text.size());
  packet.peer = to;
  std::copy(text.begin(), text.end(), packet.bytes().begin());
  return packet;
}

inline void send(SocketIo& io, const SocketAddress& to, std::string_view text) {
  const Packet packet = make(io, to, text);
  io.send({&packet, 1});
}

struct Received {
  SocketAddress from;
  std::string text;
};

// Waits for at least one packet and takes what is there.
inline std::vector<Received> receive(SocketIo& io) {
  io.wait(5s);
  std::array<Packet, limits::RxBatchPackets> packets;
  const std::span<Packet> got(packets.data(), io.receive(packets, Now));
  std::vector<Received> received;
  for (const Packet& packet : got) {
    EXPECT_LE(packet.arrival, Now);
    EXPECT_GT(packet.arrival, Now - 1s);
    EXPECT_EQ(packet.headroom(), limits::PacketHeadroomBytes);
    received.push_back({packet.peer, std::string(as_text(packet.bytes()))});
  }
  io.release(got);
  return received;
}

}  // namespace viaduct::edge
