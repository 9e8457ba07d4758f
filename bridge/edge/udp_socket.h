// One bound, non-blocking UDP socket that moves packets by the batch.
//
// Received packets go straight into the buffers given; nothing is copied in user space. A socket bound to a wildcard
// tells on which of the host's addresses each packet came in (IP_PKTINFO, RFC 3542), and sends from the one it is told.
//
// Packets of one size to one peer leave as one datagram that the kernel cuts (UDP GSO, udp(7) UDP_SEGMENT): two thirds
// of a packet's cost are its way through the kernel, and so many share one. Where the kernel or the device cannot, each
// leaves by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/result.h"
#include "base/socket_address.h"
#include "base/time.h"
#include "edge/file_descriptor.h"
#include "edge/io_counters.h"
#include "edge/packet_io.h"

struct mmsghdr;

namespace viaduct::edge {

// Bytes that the kernel keeps for a socket in each direction.
struct SocketBuffers {
  size_t receive_bytes = 0;
  size_t send_bytes = 0;
};

class UdpSocket {
 public:
  // Binds to `local`; port 0 lets the kernel choose. `wanted` buffers are granted as far as the kernel allows.
  // AlreadyExists when the port is in use, PermissionDenied, InvalidArgument when the address is not this host's,
  // NotFound when the kernel lacks the address family.
  static Result<UdpSocket> open(const SocketAddress& local, SocketBuffers wanted);
  UdpSocket(UdpSocket&&) noexcept;
  ~UdpSocket();

  int fd() const { return fd_.get(); }
  const SocketAddress& local() const { return local_; }  // with the port that was bound
  SocketBuffers buffers() const { return buffers_; }     // as the kernel reports them
  bool segments() const { return segments_; }            // whether it leaves cutting to the kernel
  void set_segments(bool on) { segments_ = on; }

  // Reads up to limits::RxBatchPackets datagrams into the blank packets given. The filled ones stand in front; those
  // behind are still blank. A packet arrived when the kernel got it, by the kernel's own stamp. Datagrams longer than
  // limits::MaxPacketBytes are dropped.
  size_t receive(std::span<Packet> blank, Timestamp now, IoCounters& counters);
  // The host's address on which packet `i` of the last receive() came in: the bound one, unless that is a wildcard.
  const IpAddress& received_on(size_t i) const;

  // Queues a run of packets to one peer, from `source` (ignored unless bound to a wildcard; null: the kernel chooses).
  // The packets stay the caller's and must stay as they are until flush().
  void queue_run(std::span<const Packet> run, const IpAddress* source, IoCounters& counters);
  // Sends what is queued. What the kernel refuses is counted by reason and forgotten.
  void flush(IoCounters& counters);

 private:
  struct ReceiveMessages;
  struct SendMessages;
  UdpSocket(FileDescriptor fd, const SocketAddress& local, SocketBuffers buffers, bool segments);
  struct Controls {
    IpAddress address;                // on which a packet came in
    std::optional<Duration> stamped;  // when, since 1970
  };
  Controls read_controls(size_t i, IoCounters& counters);
  void count_sent(std::span<const mmsghdr> sent, IoCounters& counters);
  bool send_apart(const mmsghdr& refused, int error, IoCounters& counters);

  FileDescriptor fd_;
  SocketAddress local_;
  SocketBuffers buffers_;
  bool segments_;
  uint32_t kernel_drops_ = 0;  // the last reading of SO_RXQ_OVFL, which counts from the socket's birth and wraps
  std::unique_ptr<ReceiveMessages> rx_;
  std::unique_ptr<SendMessages> tx_;
};

}  // namespace viaduct::edge
