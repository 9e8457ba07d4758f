#include "edge/socket_io.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "limits.h"

namespace viaduct::edge {
namespace {

// The kernel's choice for the first address may be taken on the next one: then all start again.
constexpr int PortChoices = 16;

// How long an adaptive wait looks again before it sleeps: about what falling asleep and waking cost.
constexpr Duration Moment = 50us;

// Binds every address to one port.
Result<std::vector<UdpSocket>> bind_all(const SocketIoSettings& settings) {
  std::vector<UdpSocket> sockets;
  uint16_t port = settings.port;
  for (const IpAddress& ip : settings.bind_addresses) {
    Result<UdpSocket> opened =
        UdpSocket::open({ip, port}, {settings.receive_buffer_bytes, settings.send_buffer_bytes});
    if (!opened) {
      const bool optional = ip.is_unspecified() && settings.bind_addresses.size() > 1;
      if (opened.error().code != ErrorCode::NotFound || !optional) return opened.error();
      log::warn("{}; going on without", opened.error().text);
      continue;
    }
    port = opened->local().port;
    if (!settings.segmentation) opened->set_segments(false);
    sockets.push_back(std::move(*opened));
  }
  if (sockets.empty()) {
    return Error{ErrorCode::InvalidArgument, "no address to receive media on; give at least one bind address"};
  }
  return sockets;
}

Result<std::vector<UdpSocket>> bind_all_to_one_port(const SocketIoSettings& settings) {
  Result<std::vector<UdpSocket>> sockets = bind_all(settings);
  for (int i = 1; i < PortChoices && settings.port == 0 && !sockets; ++i) {
    if (sockets.error().code != ErrorCode::AlreadyExists) break;
    sockets = bind_all(settings);
  }
  return sockets;
}

// Whether the peer's family alone settles which socket and which of the host's addresses answers it.
bool family_settles_route(const std::vector<UdpSocket>& sockets) {
  const auto v6 = std::count_if(sockets.begin(), sockets.end(), [](const auto& s) { return s.local().ip.is_v6(); });
  const auto v4 = static_cast<std::ptrdiff_t>(sockets.size()) - v6;
  return v4 <= 1 && v6 <= 1 &&
         std::none_of(sockets.begin(), sockets.end(), [](const auto& s) { return s.local().ip.is_unspecified(); });
}

// How many packets at the front go to one peer: what may leave as one segmented datagram.
size_t run_to_one_peer(std::span<const Packet> packets) {
  size_t n = 1;
  while (n < packets.size() && packets[n].peer == packets[0].peer) ++n;
  return n;
}

// The kernel grants twice the size asked for, and half of it is its own bookkeeping.
void warn_of_small_buffer(const char* direction, const char* sysctl, size_t granted, size_t wanted) {
  if (granted / 2 >= wanted) return;
  log::warn("the UDP {} buffer holds {} bytes instead of {}; set {} to at least {}", direction, granted / 2, wanted,
            sysctl, wanted);
}

}  // namespace

Result<std::unique_ptr<SocketIo>> SocketIo::open(const SocketIoSettings& settings) {
  Result<std::unique_ptr<PacketPool>> pool = PacketPool::open(settings.pool_packets);
  if (!pool) return pool.error();
  Result<std::vector<UdpSocket>> sockets = bind_all_to_one_port(settings);
  if (!sockets) return sockets.error();
  FileDescriptor wakeup(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wakeup) return Error{ErrorCode::Unavailable, std::string("cannot make an eventfd: ") + std::strerror(errno)};

  std::unique_ptr<SocketIo> io(new SocketIo(settings, std::move(*pool), std::move(*sockets), std::move(wakeup)));
  warn_of_small_buffer("receive", "net.core.rmem_max", io->buffers().receive_bytes, settings.receive_buffer_bytes);
  warn_of_small_buffer("send", "net.core.wmem_max", io->buffers().send_bytes, settings.send_buffer_bytes);
  return io;
}

SocketIo::SocketIo(const SocketIoSettings& settings, std::unique_ptr<PacketPool> pool, std::vector<UdpSocket> sockets,
                   FileDescriptor wakeup)
    : worker_(settings.worker), pool_(std::move(pool)), sockets_(std::move(sockets)),
      wakeup_(std::move(wakeup)),
      wait_(settings.wait) {
  if (!family_settles_route(sockets_)) routes_.emplace();
  polled_.push_back({wakeup_.get(), POLLIN, 0});
  for (const UdpSocket& socket : sockets_) polled_.push_back({socket.fd(), POLLIN, 0});
  counters_.pool_size.set(static_cast<int64_t>(pool_->size()));
  counters_.pool_free.set(static_cast<int64_t>(pool_->free()));
}

SocketIo::~SocketIo() = default;

size_t SocketIo::receive(std::span<Packet> into, Timestamp now) {
  into = into.first(std::min(into.size(), limits::RxBatchPackets));
  into = into.first(allocate(into));
  size_t got = 0;
  for (size_t i = 0; i < sockets_.size() && got < into.size(); ++i) {
    const size_t index = (first_ + i) % sockets_.size();
    const size_t n = sockets_[index].receive(into.subspan(got), now, counters_);
    if (routes_) learn_routes(index, into.subspan(got, n));
    got += n;
  }
  first_ = (first_ + 1) % sockets_.size();  // a flood on one socket does not starve the others
  release(into.subspan(got));
  return got;
}

void SocketIo::learn_routes(size_t socket, std::span<const Packet> received) {
  for (size_t i = 0; i < received.size(); ++i) {
    routes_->learn(received[i].peer, {sockets_[socket].received_on(i), static_cast<uint32_t>(socket)});
  }
}

size_t SocketIo::allocate(std::span<Packet> out) {
  const size_t count = pool_->allocate(out);
  if (count < out.size()) counters_.pool_dry.add();
  counters_.pool_free.set(static_cast<int64_t>(pool_->free()));
  return count;
}

void SocketIo::send(std::span<const Packet> packets) {
  for (std::span<const Packet> rest = packets; !rest.empty();) {
    const size_t run = run_to_one_peer(rest);
    send_run(rest.first(run));
    rest = rest.subspan(run);
  }
  for (UdpSocket& socket : sockets_) socket.flush(counters_);
  release(packets);
}

void SocketIo::send_run(std::span<const Packet> run) {
  const SocketAddress& peer = run.front().peer;
  if (const ReplyRoute* route = routes_ ? routes_->find(peer) : nullptr) {
    sockets_[route->socket].queue_run(run, &route->source, counters_);
  } else if (UdpSocket* socket = first_socket_for(peer)) {
    socket->queue_run(run, nullptr, counters_);
  } else {
    counters_.refuse(SendRefusal::NoSocket, run.size());
  }
}

UdpSocket* SocketIo::first_socket_for(const SocketAddress& peer) {
  const auto fits = [&](const UdpSocket& socket) { return socket.local().ip.is_v6() == peer.ip.is_v6(); };
  const auto found = std::find_if(sockets_.begin(), sockets_.end(), fits);
  return found == sockets_.end() ? nullptr : &*found;
}

void SocketIo::release(std::span<const Packet> packets) {
  pool_->release(packets);
  counters_.pool_free.set(static_cast<int64_t>(pool_->free()));
}

void SocketIo::wait(Duration at_most) {
  if (wait_ == IoWait::Poll) return;
  if (wait_ == IoWait::Block) return static_cast<void>(sleep(at_most));
  if (thick_ && look_for_a_moment(at_most)) return;
  const Timestamp began = monotonic_now();
  sleep(at_most);
  thick_ = monotonic_now() - began < Moment;
}

// True when there is something to do.
bool SocketIo::look_for_a_moment(Duration at_most) {
  const Timestamp until = monotonic_now() + std::min(at_most, Moment);
  do {
    if (sleep(0ns)) return true;
  } while (monotonic_now() < until);
  return false;
}

// True when a packet or a wake() ended it.
bool SocketIo::sleep(Duration at_most) {
  const auto nanoseconds = std::max<int64_t>(at_most.count(), 0);
  const timespec timeout{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  const int ready = ppoll(polled_.data(), polled_.size(), &timeout, nullptr);
  if (ready <= 0) return false;
  if (polled_.front().revents != 0) {
    uint64_t wakes = 0;
    // The count itself does not matter, and an eventfd without one says EAGAIN.
    [[maybe_unused]] const ssize_t drained = read(wakeup_.get(), &wakes, sizeof wakes);
  }
  return true;
}

void SocketIo::gather(Duration time) {
  if (wait_ == IoWait::Poll || time <= 0ns) return;
  const timespec asleep{time / 1s, (time % 1s).count()};
  nanosleep(&asleep, nullptr);  // a signal may cut it short: then there is less to gather
}

void SocketIo::wake() {
  const uint64_t one = 1;
  // Fails only when the counter is at its end, and then the waiter wakes anyway.
  [[maybe_unused]] const ssize_t written = write(wakeup_.get(), &one, sizeof one);
}

uint16_t SocketIo::port() const { return sockets_.front().local().port; }

std::vector<SocketAddress> SocketIo::local_addresses() const {
  std::vector<SocketAddress> addresses;
  for (const UdpSocket& socket : sockets_) addresses.push_back(socket.local());
  return addresses;
}

SocketBuffers SocketIo::buffers() const {
  SocketBuffers smallest = sockets_.front().buffers();
  for (const UdpSocket& socket : sockets_) {
    smallest.receive_bytes = std::min(smallest.receive_bytes, socket.buffers().receive_bytes);
    smallest.send_bytes = std::min(smallest.send_bytes, socket.buffers().send_bytes);
  }
  return smallest;
}

void SocketIo::visit(MetricVisitor& visitor) const {
  counters_.visit(visitor, worker_);
  constexpr std::string_view Name = "viaduct_io_socket_buffer_bytes";
  constexpr std::string_view Help = "The smallest socket buffer, as the kernel reports it.";
  const SocketBuffers smallest = buffers();
  visitor.gauge(Name, Help, {{"worker", worker_}, {"direction", "in"}}, static_cast<double>(smallest.receive_bytes));
  visitor.gauge(Name, Help, {{"worker", worker_}, {"direction", "out"}}, static_cast<double>(smallest.send_bytes));
}

}  // namespace viaduct::edge
