// Which way each peer is answered: the MAC that its last authenticated STUN request came from, and the address of ours
// that it was sent to. No routing table and no question about neighbours is needed for a peer that has proved itself.
//
// A request proves nothing by its arrival. The bridge answers it with success only if its MESSAGE-INTEGRITY is right
// (RFC 8445 section 7.3), so that answer, with the request's transaction id, is what makes a path of it. A stranger can
// send what he likes: he changes nobody's path.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/peer_table.h"
#include "base/socket_address.h"
#include "dpdk/ip/mac_address.h"
#include "dpdk/ip/own_addresses.h"
#include "limits.h"

namespace viaduct::dpdk::ip {

struct ReturnPath {
  MacAddress mac;
  OwnIndex own = NotOurs;
  friend bool operator==(const ReturnPath&, const ReturnPath&) = default;
};

// What a datagram is to the return paths (RFC 8489 section 5): the first 20 bytes of a Binding message.
enum class BindingKind : uint8_t { None, Request, Success, Error };
inline BindingKind binding_kind(const uint8_t* datagram, size_t length) {
  constexpr uint32_t MagicCookie = 0x2112a442;
  if (length < 20 || datagram[0] > 1 || load_be32(datagram + 4) != MagicCookie) return BindingKind::None;
  switch (load_be16(datagram)) {
    case 0x0001: return BindingKind::Request;
    case 0x0101: return BindingKind::Success;
    case 0x0111: return BindingKind::Error;
    default: return BindingKind::None;
  }
}

class ReturnPaths {
 public:
  // Requests that are remembered until they are answered, which happens within the turn that they arrive in.
  static constexpr size_t RememberedRequests = 4 * limits::RxBatchPackets;

  // `binding`: a Binding message of the kind that the name says.
  void remember_request(const uint8_t* binding, const SocketAddress& peer, const ReturnPath& path);
  // The way that the answered request came by; empty when it is no longer known. A success confirms it.
  std::optional<ReturnPath> confirm(const uint8_t* binding, const SocketAddress& peer);
  std::optional<ReturnPath> way_of_request(const uint8_t* binding, const SocketAddress& peer) const;

  const ReturnPath* find(const SocketAddress& peer) const { return paths_.find(peer); }

 private:
  static constexpr size_t Sets = 4096;
  using Table = PeerTable<ReturnPath, Sets>;
  static_assert(Table::capacity() >= 4 * limits::EndpointsPerWorker, "sparse, so that sets rarely fill");

  struct Transaction {
    uint64_t first = 0;
    uint32_t last = 0;
    friend bool operator==(const Transaction&, const Transaction&) = default;
  };
  struct Request {
    Transaction transaction;
    SocketAddress peer;  // port 0 in an empty place
    ReturnPath path;
  };
  static Transaction transaction_of(const uint8_t* binding) {
    return {load_be64(binding + 8), load_be32(binding + 16)};
  }

  Table paths_;
  std::array<Request, RememberedRequests> requests_{};
  size_t next_ = 0;
};

}  // namespace viaduct::dpdk::ip
