// Which worker a frame belongs to, by the few fields that a network card's flow rules match, for ports that have none.
//
// Nothing is verified here, and nothing answered or counted: UdpHost::receive() does that, on the worker that gets the
// frame. Never reads beyond the frame.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "dpdk/ip/interface.h"

namespace viaduct::dpdk::ip {

enum class Target : uint8_t {
  Here,      // whoever received it
  Worker,    // the worker whose media port it is about
  Everyone,  // ARP replies and neighbour advertisements: each worker learns from them
};

struct Destination {
  Target target = Target::Here;
  uint16_t worker = 0;  // of Target::Worker
  friend bool operator==(const Destination&, const Destination&) = default;
};

// Worker i: a whole UDP datagram to media port i of one of our addresses, and an ICMP or ICMPv6 error that quotes one
// from there.
Destination classify(Bytes frame, const Interface& interface);

}  // namespace viaduct::dpdk::ip
