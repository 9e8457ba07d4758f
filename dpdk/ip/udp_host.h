// The small UDP/IP host of one worker: frames in, datagrams out, and the other way round.
//
// Knows as much of Ethernet, 802.1Q, ARP (RFC 826), IPv4 (RFC 791), IPv6 (RFC 8200), neighbour discovery (RFC 4861),
// ICMP (RFC 792, 1122), ICMPv6 (RFC 4443) and UDP (RFC 768) as a media server on a fixed address needs. Pure: bytes and
// `now` in, bytes out. Believes nothing that it has not verified, never reads outside the frame and never allocates
// after its construction. A tag that the device could strip has to stay in the frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/socket_address.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "dpdk/ip/announcements.h"
#include "dpdk/ip/datagram_headers.h"
#include "dpdk/ip/ethernet.h"
#include "dpdk/ip/host_counters.h"
#include "dpdk/ip/icmp.h"
#include "dpdk/ip/interface.h"
#include "dpdk/ip/ipv4.h"
#include "dpdk/ip/ipv6.h"
#include "dpdk/ip/neighbours.h"
#include "dpdk/ip/offloads.h"
#include "dpdk/ip/own_addresses.h"
#include "dpdk/ip/path_mtu_reports.h"
#include "dpdk/ip/return_paths.h"

namespace viaduct::dpdk::ip {

struct Arrival {
  enum class Verdict : uint8_t {
    Media,   // a datagram from `peer` stands at `offset`, `length` bytes long
    Answer,  // the buffer now holds a frame to send: `length` bytes from its start, checksums included
    Kernel,  // for the kernel, unchanged
    Drop,    // done with, or nothing that anyone wants: counted
  };
  Verdict verdict;
  uint32_t offset;
  uint32_t length;
  SocketAddress peer;

  // Member by member: an aggregate would be cleared first, as a whole, by an instruction that costs more than the rest.
  Arrival(Verdict what = Verdict::Drop)  // NOLINT(google-explicit-constructor)
      : verdict(what), offset(0), length(0) {}
  Arrival(Verdict what, size_t at, size_t bytes) : Arrival(what, at, bytes, {}, 0) {}
  Arrival(Verdict what, size_t at, size_t bytes, const IpAddress& ip, uint16_t port)
      : verdict(what), offset(static_cast<uint32_t>(at)), length(static_cast<uint32_t>(bytes)), peer{ip, port} {}
};

class UdpHost {
 public:
  // `port`: the media port that it owns. `announces`: it tells the link about our addresses, which one worker does for
  // all. The interface outlives the host.
  UdpHost(const Interface& interface, uint16_t port, TxOffloads offloads, bool announces);

  // `buffer` holds a frame of `length` bytes at its start; behind it is room for an answer to grow into.
  Arrival receive(MutableBytes buffer, size_t length, RxChecksums checksums, Timestamp now);

  // Writes UDP, IP and Ethernet headers in front of the payload, where MaxHeaderBytes are overwritten.
  Departure send(uint8_t* payload, size_t length, const SocketAddress& peer, Timestamp now);

  // Writes a frame that the host itself wants to send now (an announcement, a question about a neighbour) and returns
  // its size, or 0 when there is none. `into` has room for MaxOwnFrameBytes.
  size_t write_own_frame(MutableBytes into, Timestamp now);
  Timestamp next_own_frame() const;  // when there will be one; Never while there is nothing to say

  // The next news about the way to a peer.
  std::optional<PathMtu> take_path_mtu() { return path_mtus_.take(); }

  const HostCounters& counters() const { return counters_; }

 private:
  // What UDP and ICMP need to know of the IP header in front of them.
  struct Transport {
    uint32_t offset;        // in the frame
    uint32_t bytes;
    uint32_t packet_bytes;  // with the IP header
    OwnIndex own;           // the address that it was sent to
    bool v6;
  };
  // A frame as far as it has been looked at.
  struct Frame {
    MutableBytes buffer;
    size_t length = 0;
    size_t ip = 0;            // where the IP packet begins
    bool to_our_mac = false;  // or to a group
    RxChecksums checksums;
    Timestamp now;

    Bytes from(size_t offset) const { return buffer.first(length).subspan(offset); }
    MacAddress sender() const { return source_mac(buffer.data()); }
    [[gnu::always_inline]] IpAddress source(bool v6) const {
      const uint8_t* packet = buffer.data() + ip;
      return v6 ? IpAddress::v6(address_at(packet + 8)) : IpAddress::v4(load_be32(packet + 12));
    }
    Transport transport(size_t header_bytes, size_t packet_bytes, OwnIndex own, bool v6) const {
      return {static_cast<uint32_t>(ip + header_bytes), static_cast<uint32_t>(packet_bytes - header_bytes),
              static_cast<uint32_t>(packet_bytes), own, v6};
    }
  };

  Arrival receive_v4(const Frame& frame);
  Arrival receive_v6(const Frame& frame);
  [[gnu::cold]] Arrival receive_fragment(uint8_t protocol);
  Arrival receive_udp(const Frame& frame, const Transport& transport);
  [[gnu::cold]] Arrival receive_udp_elsewhere(const Frame& frame, const Transport& transport, uint16_t port);
  bool udp_checksum_ok(const Frame& frame, const Transport& transport, size_t udp_bytes) const;

  [[gnu::cold]] Arrival receive_arp(const Frame& frame);
  [[gnu::cold]] Arrival receive_icmp_v4(const Frame& frame, const Transport& transport);
  [[gnu::cold]] Arrival receive_icmp_v6(const Frame& frame, const Transport& transport, const Ipv6View& ip);
  Arrival receive_echo(const Frame& frame, const Transport& transport);
  Arrival receive_icmp_error(const Frame& frame, const Transport& transport);
  Arrival receive_solicitation(const Frame& frame, Bytes message, const Ipv6View& ip);
  Arrival receive_advertisement(const Frame& frame, Bytes message, const Ipv6View& ip);
  Arrival learn(const IpAddress& ip, const MacAddress& mac, bool overrides, FrameKind kind, Timestamp now);

  // Cold: whatever leads there stays out of the way of media.
  [[gnu::cold]] Arrival drop(FrameDrop reason);
  [[gnu::cold]] Arrival leave(FrameDrop reason);  // to the kernel where there is one behind us
  Arrival pass_on(FrameKind kind);  // to the kernel
  Arrival consume(FrameKind kind);
  Arrival answer(FrameKind kind, size_t bytes);
  Correspondents correspondents(const Frame& frame, const Transport& transport) const;

  Refusal choose_way(const uint8_t* payload, BindingKind kind, const SocketAddress& peer, Timestamp now);
  Refusal choose_by_network(const SocketAddress& peer, Timestamp now);
  void prepare(const SocketAddress& peer, const ReturnPath& path);

  size_t write_question(uint8_t* out, const Neighbours::Question& question);

  const Interface& interface_;
  const uint16_t port_;
  const TxOffloads offloads_;
  const OwnAddresses own_;

  // Headers for the peer of the last send(), as long as the way to it is the same.
  std::optional<SocketAddress> way_to_;
  DatagramHeaders way_;

  ReturnPaths return_paths_;
  Neighbours neighbours_;
  Announcements announcements_;
  PathMtuReports path_mtus_;
  TokenBucket echoes_;
  TokenBucket errors_;
  HostCounters counters_;
};

}  // namespace viaduct::dpdk::ip
