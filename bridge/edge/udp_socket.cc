#include "edge/udp_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/check.h"
#include "limits.h"

namespace viaduct::edge {
namespace {

// Room for the control messages of one packet: where it came in or leaves from, and SO_RXQ_OVFL.
constexpr size_t ControlBytes = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t));

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

struct UdpSocket::SendMessages {
  // Where a run goes, shared by its packets.
  struct Destination {
    sockaddr_storage name;
    socklen_t name_bytes = 0;
    alignas(cmsghdr) std::array<uint8_t, ControlBytes> control;
    size_t control_bytes = 0;

    void leave_from(const IpAddress& source);
  };
  std::array<mmsghdr, limits::TxBatchPackets> messages{};
  std::array<iovec, limits::TxBatchPackets> vectors{};
  std::array<Destination, limits::TxBatchPackets> destinations;  // no more runs than packets
  size_t packets = 0;
  size_t runs = 0;

  Destination& add_destination(const SocketAddress& peer) {
    Destination& to = destinations[runs++];
    to.name = peer.to_sockaddr(&to.name_bytes);
    to.control_bytes = 0;
    return to;
  }

  void add(const Packet& packet, Destination& to) {
    vectors[packets] = {packet.buffer + packet.offset, packet.length};
    msghdr& header = messages[packets].msg_hdr;
    header = {};
    header.msg_name = &to.name;
    header.msg_namelen = to.name_bytes;
    header.msg_iov = &vectors[packets];
    header.msg_iovlen = 1;
    header.msg_control = to.control_bytes > 0 ? to.control.data() : nullptr;
    header.msg_controllen = to.control_bytes;
    ++packets;
  }
};

// Writes the one control message that fixes the source address (ip(7), RFC 3542 section 6.1).
void UdpSocket::SendMessages::Destination::leave_from(const IpAddress& source) {
  control = {};
  auto* header = reinterpret_cast<cmsghdr*>(control.data());
  if (source.is_v6()) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, source.bytes().data(), sizeof info.ipi6_addr);
    *header = {CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    control_bytes = CMSG_SPACE(sizeof info);
  } else {
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(source.v4_value());
    *header = {CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    control_bytes = CMSG_SPACE(sizeof info);
  }
}

UdpSocket::UdpSocket(FileDescriptor fd, const SocketAddress& local, SocketBuffers buffers)
    : fd_(std::move(fd)),
      local_(local),
      buffers_(buffers),
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
  return UdpSocket(std::move(fd), SocketAddress::from_sockaddr(name), buffers);
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
  for (size_t i = 0; i < static_cast<size_t>(got); ++i) {
    const IpAddress on = read_controls(i, counters);
    const mmsghdr& message = rx_->messages[i];
    if (message.msg_hdr.msg_flags & MSG_TRUNC) {
      counters.truncated.add();
      continue;
    }
    std::swap(blank[kept], blank[i]);  // a dropped one moves behind, still blank
    Packet& packet = blank[kept];
    packet.length = message.msg_len;
    packet.peer = SocketAddress::from_sockaddr(rx_->peers[i]);
    packet.arrival = now;
    rx_->received_on[kept] = on;
    bytes += packet.length;
    ++kept;
  }
  counters.packets_received.add(kept);
  counters.bytes_received.add(bytes);
  counters.batches_received.add();
  return kept;
}

// The address on which message `i` came in; counts what the socket lost before it.
IpAddress UdpSocket::read_controls(size_t i, IoCounters& counters) {
  IpAddress on = local_.ip;
  msghdr& header = rx_->messages[i].msg_hdr;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_RXQ_OVFL) {
      const auto drops = control_value<uint32_t>(control);
      counters.kernel_drops.add(drops - kernel_drops_);
      kernel_drops_ = drops;
    } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      on = IpAddress::v4(ntohl(control_value<in_pktinfo>(control).ipi_addr.s_addr));
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      on = IpAddress::v6(std::to_array(control_value<in6_pktinfo>(control).ipi6_addr.s6_addr));
    }
  }
  return on;
}

const IpAddress& UdpSocket::received_on(size_t i) const {
  CHECK(i < limits::RxBatchPackets);
  return rx_->received_on[i];
}

void UdpSocket::queue_run(std::span<const Packet> run, const IpAddress* source,
                          IoCounters& counters) {
  while (!run.empty()) {
    if (tx_->packets == limits::TxBatchPackets) flush(counters);
    const size_t count = std::min(run.size(), limits::TxBatchPackets - tx_->packets);
    SendMessages::Destination& to = tx_->add_destination(run.front().peer);
    if (source && local_.ip.is_unspecified()) to.leave_from(*source);
    for (const Packet& packet : run.first(count)) tx_->add(packet, to);
    run = run.subspan(count);
  }
}

void UdpSocket::flush(IoCounters& counters) {
  std::span<mmsghdr> rest = std::span(tx_->messages).first(tx_->packets);
  while (!rest.empty()) {
    const int result =
        sendmmsg(fd_.get(), rest.data(), static_cast<unsigned>(rest.size()), MSG_DONTWAIT);
    if (result > 0) {
      const auto sent = static_cast<size_t>(result);
      for (const mmsghdr& message : rest.first(sent)) counters.bytes_sent.add(message.msg_len);
      counters.packets_sent.add(sent);
      counters.batches_sent.add();
      rest = rest.subspan(sent);
      continue;
    }
    if (errno == EINTR) continue;
    // A full buffer refuses all that stands behind as well; any other refusal is the first packet's
    // own.
    const SendRefusal reason = refusal_for(errno);
    const size_t refused = reason == SendRefusal::BufferFull ? rest.size() : 1;
    counters.refuse(reason, refused);
    rest = rest.subspan(refused);
  }
  tx_->packets = 0;
  tx_->runs = 0;
}

}  // namespace viaduct::edge
