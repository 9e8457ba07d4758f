#include "edge/udp_socket.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "limits.h"

namespace viaduct::edge {
namespace {

// Room for the control messages of one message: where it came in or leaves from, SO_RXQ_OVFL or the
// size of segments, and when it came.
constexpr size_t ControlBytes =
    CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(timespec));

// A packet that seems to have waited longer than this tells of a clock that was set, not of a wait.
constexpr Duration LongestWait = 1s;

// What the kernel cuts into datagrams at once: UDP_MAX_SEGMENTS (64 before Linux 6.9), and what an
// IPv4 packet holds.
constexpr size_t MaxSegments = 64;
constexpr size_t MaxSegmentedBytes = 65'535 - 20 - 8;

Error bind_error(const SocketAddress& local, int error) {
  const std::string what = "cannot bind UDP " + local.to_string() + ": ";
  switch (error) {
    case EADDRINUSE:
      return {ErrorCode::AlreadyExists, what +
                                            "the port is in use; choose another media port, or "
                                            "stop the program that has it (ss -ulpn names it)"};
    case EACCES:
      return {
          ErrorCode::PermissionDenied,
          what + "not permitted; choose a media port from 1024 up, or grant CAP_NET_BIND_SERVICE"};
    case EADDRNOTAVAIL:
      return {ErrorCode::InvalidArgument,
              what +
                  "this host has no such address; bind to one that it has (ip address "
                  "lists them), or to 0.0.0.0 and ::, and advertise the public one"};
    default:
      return {ErrorCode::Unavailable, what + std::strerror(error)};
  }
}

bool enable(int fd, int level, int option) {
  const int on = 1;
  return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

// Asks for `bytes`, past the system's limit where the process may. What the kernel reports
// afterwards.
size_t size_buffer(int fd, int option, int forced_option, size_t bytes) {
  const int wanted = static_cast<int>(std::min(bytes, size_t{1} << 30));
  if (setsockopt(fd, SOL_SOCKET, forced_option, &wanted, sizeof wanted) != 0) {
    setsockopt(fd, SOL_SOCKET, option, &wanted, sizeof wanted);
  }
  int actual = 0;
  socklen_t length = sizeof actual;
  getsockopt(fd, SOL_SOCKET, option, &actual, &length);
  return static_cast<size_t>(std::max(actual, 0));
}

SendRefusal refusal_for(int error) {
  switch (error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
      return SendRefusal::BufferFull;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
      return SendRefusal::Unreachable;
    case EMSGSIZE:
      return SendRefusal::TooLong;
    case EPERM:
    case EACCES:
      return SendRefusal::NotPermitted;
    default:
      return SendRefusal::Other;
  }
}

// How many packets at the front of a run to one peer the kernel can cut out of one datagram: all of
// one size, and one shorter at their end.
size_t segments_at_front(std::span<const Packet> run) {
  const uint32_t size = run.front().length;
  const size_t most = std::min({run.size(), MaxSegments, MaxSegmentedBytes / std::max(size, 1u)});
  size_t n = 1;
  while (n < most && run[n].length == size) ++n;
  const bool shorter_follows = n < most && run[n].length < size && run[n].length > 0;
  return shorter_follows ? n + 1 : n;
}

size_t packets_in(std::span<const mmsghdr> messages) {
  size_t packets = 0;
  for (const mmsghdr& message : messages) packets += message.msg_hdr.msg_iovlen;
  return packets;
}

template <typename T>
T control_value(const cmsghdr* control) {
  T value;
  std::memcpy(&value, CMSG_DATA(control), sizeof value);
  return value;
}

}  // namespace

struct UdpSocket::ReceiveMessages {
  std::array<mmsghdr, limits::RxBatchPackets> messages{};
  std::array<iovec, limits::RxBatchPackets> vectors{};
  std::array<sockaddr_storage, limits::RxBatchPackets> peers;
  struct alignas(cmsghdr) Control {
    std::array<uint8_t, ControlBytes> bytes;
  };
  std::array<Control, limits::RxBatchPackets> controls;
  std::array<IpAddress, limits::RxBatchPackets> received_on;

  // Points message `i` at the packet's buffer. The kernel overwrites most of a header, so all of it
  // is set each time.
  void prepare(size_t i, const Packet& packet) {
    vectors[i] = {packet.buffer + packet.offset, limits::MaxPacketBytes};
    messages[i] = {};
    messages[i].msg_hdr.msg_name = &peers[i];
    messages[i].msg_hdr.msg_namelen = sizeof peers[i];
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_control = &controls[i];
    messages[i].msg_hdr.msg_controllen = sizeof controls[i];
  }
};

// Each message is one datagram, or several of one size that the kernel cuts out of it.
struct UdpSocket::SendMessages {
  // Where a message goes and how. Its control messages stand one behind the other.
  struct Destination {
    sockaddr_storage name;
    socklen_t name_bytes = 0;
    alignas(cmsghdr) std::array<uint8_t, ControlBytes> control;
    size_t control_bytes = 0;

    template <typename T>
    void add_control(int level, int type, const T& value);
    void leave_from(const IpAddress& source);
  };
  std::array<mmsghdr, limits::TxBatchPackets> messages{};
  std::array<Destination, limits::TxBatchPackets> destinations;  // message i's
  std::array<iovec, limits::TxBatchPackets> vectors{};           // a packet each
  size_t count = 0;                                              // messages
  size_t packets = 0;

  bool full() const { return packets == limits::TxBatchPackets; }

  // `segments` are of one size, but for the last, which may be shorter.
  void add(std::span<const Packet> segments, const IpAddress* source) {
    Destination& to = destinations[count];
    to.name = segments.front().peer.to_sockaddr(&to.name_bytes);
    to.control_bytes = 0;
    if (source) to.leave_from(*source);
    if (segments.size() > 1)
      to.add_control(SOL_UDP, UDP_SEGMENT, static_cast<uint16_t>(segments.front().length));

    msghdr& header = messages[count].msg_hdr;
    header = {};
    header.msg_name = &to.name;
    header.msg_namelen = to.name_bytes;
    header.msg_iov = &vectors[packets];
    header.msg_iovlen = segments.size();
    header.msg_control = to.control_bytes > 0 ? to.control.data() : nullptr;
    header.msg_controllen = to.control_bytes;
    for (const Packet& p : segments) vectors[packets++] = {p.buffer + p.offset, p.length};
    ++count;
  }
};

template <typename T>
void UdpSocket::SendMessages::Destination::add_control(int level, int type, const T& value) {
  uint8_t* const at = control.data() + control_bytes;
  std::memset(at, 0, CMSG_SPACE(sizeof value));
  auto* header = reinterpret_cast<cmsghdr*>(at);
  *header = {CMSG_LEN(sizeof value), level, type};
  std::memcpy(CMSG_DATA(header), &value, sizeof value);
  control_bytes += CMSG_SPACE(sizeof value);
}

// The control message that fixes the source address (ip(7), RFC 3542 section 6.1).
void UdpSocket::SendMessages::Destination::leave_from(const IpAddress& source) {
  if (source.is_v6()) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, source.bytes().data(), sizeof info.ipi6_addr);
    add_control(IPPROTO_IPV6, IPV6_PKTINFO, info);
  } else {
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(source.v4_value());
    add_control(IPPROTO_IP, IP_PKTINFO, info);
  }
}

UdpSocket::UdpSocket(FileDescriptor fd, const SocketAddress& local, SocketBuffers buffers,
                     bool segments)
    : fd_(std::move(fd)),
      local_(local),
      buffers_(buffers),
      segments_(segments),
      rx_(std::make_unique<ReceiveMessages>()),
      tx_(std::make_unique<SendMessages>()) {}
UdpSocket::UdpSocket(UdpSocket&&) noexcept = default;
UdpSocket::~UdpSocket() = default;

Result<UdpSocket> UdpSocket::open(const SocketAddress& local, SocketBuffers wanted) {
  const bool v6 = local.ip.is_v6();
  FileDescriptor fd(socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd && errno == EAFNOSUPPORT) {
    return Error{ErrorCode::NotFound, "cannot bind UDP " + local.to_string() +
                                          ": this kernel has no " + (v6 ? "IPv6" : "IPv4") +
                                          "; take the address out of the bind addresses"};
  }
  if (!fd) return bind_error(local, errno);
  if (v6 && !enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY)) return bind_error(local, errno);
  if (local.ip.is_unspecified() && !(v6 ? enable(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO)
                                        : enable(fd.get(), IPPROTO_IP, IP_PKTINFO))) {
    return bind_error(local, errno);
  }
  const int off = 0;  // for the socket as a whole: each message says its segments' size
  const bool segments = setsockopt(fd.get(), SOL_UDP, UDP_SEGMENT, &off, sizeof off) == 0;
  enable(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS);  // without it a packet arrives when it is read
  enable(fd.get(), SOL_SOCKET, SO_RXQ_OVFL);  // without it drops go uncounted, and all else works
  const SocketBuffers buffers{
      size_buffer(fd.get(), SO_RCVBUF, SO_RCVBUFFORCE, wanted.receive_bytes),
      size_buffer(fd.get(), SO_SNDBUF, SO_SNDBUFFORCE, wanted.send_bytes)};

  socklen_t length = 0;
  sockaddr_storage name = local.to_sockaddr(&length);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0)
    return bind_error(local, errno);
  length = sizeof name;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &length) != 0)
    return bind_error(local, errno);
  return UdpSocket(std::move(fd), SocketAddress::from_sockaddr(name), buffers, segments);
}

size_t UdpSocket::receive(std::span<Packet> blank, Timestamp now, IoCounters& counters) {
  blank = blank.first(std::min(blank.size(), limits::RxBatchPackets));
  for (size_t i = 0; i < blank.size(); ++i) rx_->prepare(i, blank[i]);
  const int got = recvmmsg(fd_.get(), rx_->messages.data(), static_cast<unsigned>(blank.size()),
                           MSG_DONTWAIT, nullptr);
  if (got <= 0)
    return 0;  // EAGAIN: nothing there. Anything else passes or shows again at the next call.

  size_t kept = 0;
  uint64_t bytes = 0;
  const Duration wall = wall_since_1970();
  for (size_t i = 0; i < static_cast<size_t>(got); ++i) {
    const Controls controls = read_controls(i, counters);
    const mmsghdr& message = rx_->messages[i];
    if (message.msg_hdr.msg_flags & MSG_TRUNC) {
      counters.truncated.add();
      continue;
    }
    std::swap(blank[kept], blank[i]);  // a dropped one moves behind, still blank
    Packet& packet = blank[kept];
    packet.length = message.msg_len;
    packet.peer = SocketAddress::from_sockaddr(rx_->peers[i]);
    const Duration waited = wall - controls.stamped.value_or(wall);
    packet.arrival = waited > 0ns && waited < LongestWait ? now - waited : now;
    rx_->received_on[kept] = controls.address;
    bytes += packet.length;
    ++kept;
  }
  counters.packets_received.add(kept);
  counters.bytes_received.add(bytes);
  counters.batches_received.add();
  return kept;
}

// What the kernel says of message `i`; counts what the socket lost before it.
UdpSocket::Controls UdpSocket::read_controls(size_t i, IoCounters& counters) {
  Controls out{.address = local_.ip};
  msghdr& header = rx_->messages[i].msg_hdr;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_RXQ_OVFL) {
      const auto drops = control_value<uint32_t>(control);
      counters.kernel_drops.add(drops - kernel_drops_);
      kernel_drops_ = drops;
    } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      out.address = IpAddress::v4(ntohl(control_value<in_pktinfo>(control).ipi_addr.s_addr));
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      out.address =
          IpAddress::v6(std::to_array(control_value<in6_pktinfo>(control).ipi6_addr.s6_addr));
    } else if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_TIMESTAMPNS) {
      const auto stamp = control_value<timespec>(control);
      out.stamped = std::chrono::seconds(stamp.tv_sec) + std::chrono::nanoseconds(stamp.tv_nsec);
    }
  }
  return out;
}

const IpAddress& UdpSocket::received_on(size_t i) const {
  CHECK(i < limits::RxBatchPackets);
  return rx_->received_on[i];
}

void UdpSocket::queue_run(std::span<const Packet> run, const IpAddress* source,
                          IoCounters& counters) {
  if (!local_.ip.is_unspecified()) source = nullptr;
  while (!run.empty()) {
    if (tx_->full()) flush(counters);
    const size_t room = std::min(run.size(), limits::TxBatchPackets - tx_->packets);
    const size_t count = segments_ ? segments_at_front(run.first(room)) : 1;
    tx_->add(run.first(count), source);
    run = run.subspan(count);
  }
}

void UdpSocket::flush(IoCounters& counters) {
  std::span<mmsghdr> rest = std::span(tx_->messages).first(tx_->count);
  while (!rest.empty()) {
    const int result =
        sendmmsg(fd_.get(), rest.data(), static_cast<unsigned>(rest.size()), MSG_DONTWAIT);
    if (result > 0) {
      const auto sent = static_cast<size_t>(result);
      count_sent(rest.first(sent), counters);
      rest = rest.subspan(sent);
      continue;
    }
    if (errno == EINTR) continue;
    // A full buffer refuses all that stands behind as well; any other refusal is the first
    // message's own.
    const bool all = refusal_for(errno) == SendRefusal::BufferFull;
    const std::span<mmsghdr> refused = rest.first(all ? rest.size() : 1);
    if (all || !send_apart(refused.front(), errno, counters))
      counters.refuse(refusal_for(errno), packets_in(refused));
    rest = rest.subspan(refused.size());
  }
  tx_->count = 0;
  tx_->packets = 0;
}

void UdpSocket::count_sent(std::span<const mmsghdr> sent, IoCounters& counters) {
  for (const mmsghdr& message : sent) {
    counters.bytes_sent.add(message.msg_len);
    counters.packets_sent.add(message.msg_hdr.msg_iovlen);
    if (message.msg_hdr.msg_iovlen > 1) counters.packets_segmented.add(message.msg_hdr.msg_iovlen);
  }
  counters.batches_sent.add();
}

// A device that cannot do checksums refuses segmentation (EIO), and so does a path whose MTU is
// below a segment (EINVAL, EMSGSIZE): then each packet leaves by itself. False, with `error` in
// errno, when the message was not segmented.
bool UdpSocket::send_apart(const mmsghdr& refused, int error, IoCounters& counters) {
  errno = error;
  if (refused.msg_hdr.msg_iovlen == 1) return false;
  if (error != EIO && error != EINVAL && error != EMSGSIZE) return false;
  if (error == EIO) segments_ = false;
  msghdr one = refused.msg_hdr;
  one.msg_iovlen = 1;
  one.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));  // the last of them: the segments' size
  if (one.msg_controllen == 0) one.msg_control = nullptr;
  for (size_t i = 0; i < refused.msg_hdr.msg_iovlen; ++i, ++one.msg_iov) {
    const ssize_t sent = sendmsg(fd_.get(), &one, MSG_DONTWAIT);
    if (sent < 0) {
      counters.refuse(refusal_for(errno));
      continue;
    }
    counters.bytes_sent.add(static_cast<uint64_t>(sent));
    counters.packets_sent.add();
    counters.batches_sent.add();
  }
  return true;
}

}  // namespace viaduct::edge
