// PacketIo over kernel UDP sockets: one socket per bind address, packets by the batch (recvmmsg,
// sendmmsg), and of one peer's many packets in one datagram that the kernel cuts (UDP GSO).
//
// It never blocks outside wait(): what the kernel has no room for is dropped and counted. A reply
// leaves from the address on which its peer was last heard, also when that is one of many behind
// 0.0.0.0 or ::; otherwise the peer's ICE would take it for a stranger's.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/result.h"
#include "base/socket_address.h"
#include "edge/io_counters.h"
#include "edge/io_wait.h"
#include "edge/packet_io.h"
#include "edge/packet_pool.h"
#include "edge/reply_routes.h"
#include "edge/udp_socket.h"

namespace viaduct::edge {

struct SocketIoSettings {
  std::vector<IpAddress> bind_addresses;  // of this host, or 0.0.0.0 and :: for all of each family
  uint16_t port = 0;                      // the same on each address; 0 lets the kernel choose one
  size_t pool_packets = 16 * 1024;        // see PacketPool for what they cost
  size_t receive_buffer_bytes = 8 << 20;  // per socket, as far as the kernel allows
  size_t send_buffer_bytes = 8 << 20;
  bool segmentation = true;               // UDP GSO, where the kernel has it
  IoWait wait = IoWait::Block;
  std::string worker;                     // the worker's name in metrics
};

class SocketIo final : public PacketIo, public MetricSource {
 public:
  // Binds. The Error names address and port and says what to do. Where the kernel has no IPv6, ::
  // is left out with a warning as long as another address is bound.
  static Result<std::unique_ptr<SocketIo>> open(const SocketIoSettings& settings);
  ~SocketIo() override;

  size_t receive(std::span<Packet> into, Timestamp now) override;
  size_t allocate(std::span<Packet> out) override;
  void send(std::span<const Packet> packets) override;
  void release(std::span<const Packet> packets) override;
  size_t wipe_released(size_t at_most) override { return pool_->wipe_released(at_most); }
  void wait(Duration at_most) override;
  void gather(Duration time) override;
  void wake() override;
  std::span<uint8_t> memory() override { return pool_->memory(); }
  size_t free_packets() const override { return pool_->free(); }

  size_t pool_size() const { return pool_->size(); }
  bool segments() const { return sockets_.front().segments(); }  // UDP GSO is in use
  bool is_pool_locked() const { return pool_->is_locked(); }
  uint16_t port() const;
  std::vector<SocketAddress> local_addresses() const;  // as bound: a wildcard stays a wildcard
  // The smallest of its sockets' buffers, as the kernel reports them (twice what was asked for, if
  // that was granted).
  SocketBuffers buffers() const;
  const IoCounters& counters() const { return counters_; }

  void visit(MetricVisitor& visitor) const override;

 private:
  SocketIo(const SocketIoSettings& settings, std::unique_ptr<PacketPool> pool,
           std::vector<UdpSocket> sockets, FileDescriptor wakeup);

  void learn_routes(size_t socket, std::span<const Packet> received);
  void send_run(std::span<const Packet> run);
  bool sleep(Duration at_most);
  bool look_for_a_moment(Duration at_most);
  UdpSocket* first_socket_for(const SocketAddress& peer);

  std::string worker_;
  std::unique_ptr<PacketPool> pool_;
  std::vector<UdpSocket> sockets_;
  FileDescriptor wakeup_;  // eventfd
  // Only where a peer's family alone does not settle how to answer it.
  std::optional<ReplyRoutes> routes_;
  std::vector<pollfd> polled_;  // the eventfd, then the sockets
  const IoWait wait_;
  bool thick_ = false;          // packets come so fast that it is worth looking again
  size_t first_ = 0;            // the socket that is read first in the next receive()
  IoCounters counters_;
};

}  // namespace viaduct::edge
