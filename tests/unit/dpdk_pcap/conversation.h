// One conversation, held through any PacketIo: what it hears it answers, a STUN request by success and every other
// datagram by itself backwards. The same rules are in make_golden.py.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "edge/packet_io.h"
#include "limits.h"
#include "tests/support/frames/frames.h"

namespace viaduct::testing {

struct Heard {
  SocketAddress from;
  Octets datagram;
};

inline void answer_in_place(MutableBytes datagram) {
  if (datagram.size() > 1 && datagram[0] == 0 && datagram[1] == 1) {
    datagram[0] = 1;
    return;
  }
  std::reverse(datagram.begin(), datagram.end());
}

// One turn: receives what is there, answers it, and returns what it heard.
inline std::vector<Heard> answer_all(edge::PacketIo& io, Timestamp now) {
  std::array<Packet, limits::RxBatchPackets> packets;
  const size_t count = io.receive(packets, now);
  const std::span<Packet> received(packets.data(), count);
  std::vector<Heard> heard;
  for (Packet& packet : received) {
    heard.push_back({packet.peer, {packet.bytes().begin(), packet.bytes().end()}});
    answer_in_place(packet.bytes());
  }
  io.send(received);
  return heard;
}

}  // namespace viaduct::testing
