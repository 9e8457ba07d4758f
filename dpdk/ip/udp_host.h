// The small UDP/IP host of one worker: frames in, datagrams out, and the other way round.
//
// Knows as much of Ethernet, 802.1Q, ARP (RFC 826), IPv4 (RFC 791), IPv6 (RFC 8200), neighbour discovery (RFC 4861),
// ICMP (RFC 792, 1122), ICMPv6 (RFC 4443) and UDP (RFC 768) as a media server on a fixed address needs. Pure: bytes and
// `now` in, bytes out. Believes nothing that it has not verified, never reads outside the frame and never allocates
// after its construction. A tag that the device would strip has to stay in the frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/socket_address.h"
#include "base/time.h"
#include "dpdk/ip/host_counters.h"
#include "dpdk/ip/interface.h"

namespace viaduct::dpdk::ip {

// What the device says of a checksum.
enum class Verified : uint8_t { Unknown, Good, Bad };
struct RxChecksums {
  Verified ip = Verified::Unknown;
  Verified udp = Verified::Unknown;
};

// Checksums that the device fills in. The IP header's is then left zero, UDP's holds the sum of the pseudo-header.
struct TxOffloads {
  bool ip = false;
  bool udp = false;
};

inline constexpr size_t MaxHeaderBytes = 14 + 4 + 40 + 8;  // Ethernet, tag, IPv6, UDP

struct Arrival {
  enum class Verdict : uint8_t {
    Media,   // a datagram from `peer` stands at `offset`, `length` bytes long
    Answer,  // the buffer now holds a frame to send: `length` bytes from its start, checksums included
    Kernel,  // for the kernel, unchanged
    Drop,    // done with, or nothing that anyone wants: counted
  };
  Verdict verdict = Verdict::Drop;
  uint32_t offset = 0;
  uint32_t length = 0;
  SocketAddress peer;
};

enum class Refusal : uint8_t {
  None,
  NoRoute,    // nobody is known yet who would take it; who that could be is being asked
  TooLong,    // for the interface's MTU
  NoAddress,  // we have none of the peer's family
};

struct Departure {
  uint8_t header_bytes = 0;  // in front of the payload; 0: it cannot be sent
  uint8_t l2_bytes = 0;      // of them: Ethernet and tag
  uint8_t l3_bytes = 0;      // of them: IP
  bool v6 = false;
  Refusal refused = Refusal::None;
};

struct PathMtu {
  SocketAddress peer;
  uint16_t bytes = 0;  // of an IP packet to the peer
  friend bool operator==(const PathMtu&, const PathMtu&) = default;
};

class UdpHost {
 public:
  // `port`: the media port that it owns. `announces`: it tells the link about our addresses, which one worker does for
  // all. The interface outlives the host.
  UdpHost(const Interface& interface, uint16_t port, TxOffloads offloads, bool announces);

  // `buffer` holds a frame of `length` bytes at its start; behind it is room for an answer to grow into.
  Arrival receive(MutableBytes buffer, size_t length, RxChecksums checksums, Timestamp now);

  // Writes UDP, IP and Ethernet headers in front of the payload, where MaxHeaderBytes have to be free.
  Departure send(uint8_t* payload, size_t length, const SocketAddress& peer, Timestamp now);

  // Writes a frame that the host itself wants to send now (an announcement, a question about a neighbour) and returns
  // its size, or 0 when there is none.
  size_t write_own_frame(MutableBytes into, Timestamp now);
  Timestamp next_own_frame() const;  // when there will be one; Never while there is nothing to say

  // The next news about the way to a peer: packets may be no longer than this.
  std::optional<PathMtu> take_path_mtu();

  const HostCounters& counters() const { return counters_; }

 private:
  HostCounters counters_;
};

}  // namespace viaduct::dpdk::ip
