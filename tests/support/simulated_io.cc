#include "tests/support/simulated_io.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "limits.h"
#include "tests/support/allocation_watch.h"

namespace viaduct::testing {

using edge::Packet;

SimulatedIo::SimulatedIo(SimulatedNetwork& network, std::vector<SocketAddress> addresses, size_t pool_packets)
    : network_(network), addresses_(std::move(addresses)), pool_packets_(pool_packets) {
  CHECK(!addresses_.empty());
  for (const SocketAddress& address : addresses_) network_.attach(address);
}

SimulatedIo::~SimulatedIo() {
  for (const SocketAddress& address : addresses_) network_.detach(address);
}

size_t SimulatedIo::receive(std::span<Packet> into, Timestamp now) {
  const Unwatched edge;
  network_.deliver(now);
  size_t got = 0;
  for (const SocketAddress& address : addresses_) {
    const size_t room = std::min(into.size() - got, free_packets());
    for (const Datagram& datagram : network_.receive(address, now, room)) {
      if (datagram.bytes.size() > limits::MaxPacketBytes) {
        ++truncated_;
        continue;
      }
      Packet packet = make_packet();
      packet.length = static_cast<uint32_t>(datagram.bytes.size());
      packet.peer = datagram.from;
      packet.arrival = datagram.arrived;
      std::copy(datagram.bytes.begin(), datagram.bytes.end(), packet.bytes().begin());
      into[got++] = packet;
    }
  }
  return got;
}

size_t SimulatedIo::allocate(std::span<Packet> out) {
  const Unwatched edge;
  const size_t count = std::min(out.size(), free_packets());
  for (Packet& packet : out.first(count)) packet = make_packet();
  return count;
}

void SimulatedIo::send(std::span<const Packet> packets) {
  const Unwatched edge;
  for (const Packet& packet : packets) {
    const auto same_family = [&](const SocketAddress& a) { return a.ip.is_v6() == packet.peer.ip.is_v6(); };
    const auto from = std::find_if(addresses_.begin(), addresses_.end(), same_family);
    if (from == addresses_.end()) {
      ++refused_;
    } else {
      network_.send(*from, packet.peer, packet.bytes(), network_.now());
    }
    take_back(packet);
  }
}

void SimulatedIo::release(std::span<const Packet> packets) {
  const Unwatched edge;
  for (const Packet& packet : packets) take_back(packet);
}

size_t SimulatedIo::wipe_released(size_t at_most) {
  const size_t count = std::min(at_most, unwiped_);
  unwiped_ -= count;
  return count;
}

Packet SimulatedIo::make_packet() {
  auto buffer = std::make_unique_for_overwrite<uint8_t[]>(limits::PacketBufferBytes);
  Packet packet;
  packet.buffer = buffer.get();
  packet.buffer_bytes = limits::PacketBufferBytes;
  packet.offset = limits::PacketHeadroomBytes;
  packet.owner = next_serial_++;
  handed_out_.emplace(packet.owner, std::move(buffer));
  return packet;
}

void SimulatedIo::take_back(const Packet& packet) {
  const auto found = handed_out_.find(packet.owner);
  CHECK(found != handed_out_.end());
  CHECK(found->second.get() == packet.buffer);
  handed_out_.erase(found);
  unwiped_ = std::min(unwiped_ + 1, pool_packets_);
}

}  // namespace viaduct::testing
