// Where packets enter and leave: kernel sockets, DPDK or a simulation. One PacketIo per worker.
//
// It owns all packet memory. A Packet handed out by receive() or allocate() goes back by exactly
// one send() or release(). Between the two the holder may write anywhere in the buffer and move
// `offset` and `length`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/packet.h"
#include "base/socket_address.h"
#include "base/time.h"

namespace viaduct::edge {

using viaduct::Packet;

// What the network says of the way to a peer.
struct PathMtu {
  SocketAddress peer;
  uint16_t bytes = 0;  // an IP packet may be no longer
};

class PacketIo {
 public:
  virtual ~PacketIo() = default;

  // The worker's thread calls this once, before anything else of its own.
  virtual void attach() {}

  // Fills `into` from the front with what has arrived and returns how many. Never blocks. `arrival`
  // is when the host got the packet, as near as the edge knows: `now` or earlier.
  virtual size_t receive(std::span<Packet> into, Timestamp now) = 0;

  // Blank packets: offset = limits::PacketHeadroomBytes, length = 0. Fewer than asked for when the
  // pool runs dry.
  virtual size_t allocate(std::span<Packet> out) = 0;

  // Takes the packets over and sends each to its `peer`. What the network refuses is dropped and
  // counted by the edge. Packets to one receiver that stand together may leave as one segmented
  // datagram (UDP GSO).
  virtual void send(std::span<const Packet> packets) = 0;

  // Takes the packets back unsent.
  virtual void release(std::span<const Packet> packets) = 0;

  // Overwrites up to `at_most` buffers that have come back with media in them, and returns how many;
  // fewer than that when no others are left. Called from a timer, never per packet.
  virtual size_t wipe_released(size_t at_most) = 0;

  // Returns when a packet has arrived, wake() was called, or `at_most` has passed. An edge that
  // polls returns at once.
  virtual void wait(Duration at_most) = 0;

  // Lets packets gather for a while before they are received, however many are there. An edge that
  // polls returns at once.
  virtual void gather(Duration time) = 0;

  // Ends the current or next wait(). The one function that other threads may call.
  virtual void wake() = 0;

  // The next news of a way that has become narrower, for an edge that hears of it. Called from a
  // timer, never per packet.
  virtual std::optional<PathMtu> next_path_mtu() { return std::nullopt; }

  // Where all packets are, for an engine that has to prepare memory; empty when they are here and
  // there.
  virtual std::span<uint8_t> memory() { return {}; }

  // Buffers that allocate() could still hand out.
  virtual size_t free_packets() const = 0;
};

}  // namespace viaduct::edge
