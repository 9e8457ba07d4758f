// The network as OpenSSL sees it: one received datagram to read, a bounded queue of datagrams to send, an MTU.
//
// Keeps datagram borders (BIO_s_mem does not) and answers the MTU queries, without which OpenSSL falls back to
// 256-byte records. What is written into a full queue is lost, as on a network; DTLS sends it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/bytes.h"
#include "limits.h"

struct bio_st;

namespace viaduct::dtls {

class DatagramBio {
 public:
  // Several flights: one that is sent again has a datagram for each record.
  static constexpr size_t QueuedDatagrams = 64;

  DatagramBio() = default;
  DatagramBio(const DatagramBio&) = delete;
  DatagramBio& operator=(const DatagramBio&) = delete;

  // A new BIO on this queue, for SSL_set_bio(), which takes it over. Null when memory is out. This object must
  // outlive it.
  bio_st* make_bio();

  // Offers a datagram to be read; `datagram` must live until it is taken or the next call.
  void offer(Bytes datagram) { incoming_ = datagram; }
  void withdraw() { incoming_ = {}; }

  bool poll_output(std::vector<uint8_t>* datagram);

  // What OpenSSL is told that a datagram may measure.
  size_t mtu() const { return mtu_; }
  void set_mtu(size_t bytes) { mtu_ = bytes; }

  // For the BIO's functions.
  size_t read(MutableBytes into);  // 0 when there is nothing; what does not fit is cut off, as recv() does
  void write(Bytes datagram);

 private:
  size_t mtu_ = limits::DtlsMtuBytes;
  Bytes incoming_;
  std::deque<std::vector<uint8_t>> outgoing_;
};

}  // namespace viaduct::dtls
