// What the UDP/IP host counts: each frame that arrives is of one kind or was dropped for one reason.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/counters.h"

namespace viaduct::dpdk::ip {

enum class FrameKind : uint8_t {
  Media,               // a datagram to our port
  ArpRequest,          // answered
  ArpReply,            // believed
  Solicitation,        // neighbour solicitation, answered
  Advertisement,       // neighbour advertisement, believed
  Echo,                // answered
  ClosedPort,          // UDP to a port that is nobody's, answered
  PacketTooBig,        // believed
  IcmpError,           // another one about a datagram of ours: nothing follows from it
  Kernel,              // handed to the kernel
};
inline constexpr size_t FrameKinds = 10;
std::string_view to_string(FrameKind kind);

enum class FrameDrop : uint8_t {
  Malformed,           // cut short, or lengths that contradict each other
  OtherMac,            // sent to another device
  BadMac,              // sent by no device's address, or by ours
  OtherVlan,
  OtherProtocol,       // neither IP nor ARP, or neither UDP nor an ICMP message that is known
  OtherAddress,        // not to an address of ours
  BadSource,           // from an address or port that no peer can have
  Fragment,
  ExtensionHeaders,    // of IPv6: too many, or such as must not be passed over
  IpChecksum,
  UdpChecksum,
  NoUdpChecksum,       // over IPv6, where it is not optional
  IcmpChecksum,
  TooLong,             // a datagram longer than any packet of the bridge may be
  OtherWorker,         // to the port of another worker
  RateLimited,         // would have been answered
  NotAsked,            // an ARP reply or advertisement that answers no question of ours
  AddressConflict,     // somebody else claims an address of ours
  NotBelieved,         // an ICMP error about nothing that we sent
  NoRoom,              // for the answer, in the buffer or under the MTU
};
inline constexpr size_t FrameDrops = 20;
std::string_view to_string(FrameDrop reason);

enum class OwnFrame : uint8_t { Announcement, ArpRequest, Solicitation };
inline constexpr size_t OwnFrames = 3;
std::string_view to_string(OwnFrame kind);

struct HostCounters {
  std::array<Counter, FrameKinds> frames;
  std::array<Counter, FrameDrops> dropped;
  std::array<Counter, OwnFrames> own_frames;  // sent unasked
  Counter paths_confirmed;                    // return paths that an authenticated STUN request made or renewed
  Counter fallback_ways;                      // runs of packets to a peer without one: by neighbour or gateway

  void count(FrameKind kind) { frames[static_cast<size_t>(kind)].add(); }
  void count(FrameDrop reason) { dropped[static_cast<size_t>(reason)].add(); }
  void count(OwnFrame kind) { own_frames[static_cast<size_t>(kind)].add(); }
  uint64_t of(FrameKind kind) const { return frames[static_cast<size_t>(kind)].value(); }
  uint64_t of(FrameDrop reason) const { return dropped[static_cast<size_t>(reason)].value(); }
  uint64_t of(OwnFrame kind) const { return own_frames[static_cast<size_t>(kind)].value(); }
  // Describes every number as viaduct_dpdk_*, labelled with the worker.
  void visit(MetricVisitor& visitor, std::string_view worker) const;
};

}  // namespace viaduct::dpdk::ip
