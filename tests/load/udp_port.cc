#include "tests/load/udp_port.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace viaduct::load {
namespace {

constexpr size_t LargestDatagram = 65'536;  // what GRO puts together
constexpr size_t MaxSegments = 64;          // the kernel's UDP_MAX_SEGMENTS before 6.x
constexpr size_t MaxSegmentedBytes = 60'000;
constexpr size_t MessagesPerCall = 64;
constexpr int MaxRefusals = 4;

Error refused(const std::string& what) {
  return {ErrorCode::Unavailable, "The kernel refused " + what + ": " + std::strerror(errno) + "."};
}

void want_buffer(int fd, int forced, int plain, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0)
    setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

struct alignas(cmsghdr) Control {
  std::array<uint8_t, 128> bytes;
};

// How many datagrams from the front of `rest` may leave as one: all but the last have one size.
size_t run_length(std::span<const iovec> rest) {
  size_t run = 1, bytes = rest[0].iov_len;
  while (run < rest.size() && run < MaxSegments && rest[run].iov_len <= rest[0].iov_len &&
         bytes + rest[run].iov_len <= MaxSegmentedBytes) {
    bytes += rest[run++].iov_len;
    if (rest[run - 1].iov_len < rest[0].iov_len) break;
  }
  return run;
}

}  // namespace

Result<UdpPort> UdpPort::open(const std::string& from, const SocketAddress& bridge,
                              int buffer_bytes) {
  const int family = bridge.ip.is_v6() ? AF_INET6 : AF_INET;
  UdpPort port(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!port) return refused("a socket");
  want_buffer(port.fd_, SO_RCVBUFFORCE, SO_RCVBUF, buffer_bytes);
  want_buffer(port.fd_, SO_SNDBUFFORCE, SO_SNDBUF, buffer_bytes);
  const int on = 1;
  setsockopt(port.fd_, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  setsockopt(port.fd_, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  if (!from.empty()) {
    const auto ip = IpAddress::parse(from);
    if (!ip) return Error{ErrorCode::InvalidArgument, "'" + from + "' is no IP address."};
    socklen_t length = 0;
    const sockaddr_storage local = SocketAddress{*ip, 0}.to_sockaddr(&length);
    if (bind(port.fd_, reinterpret_cast<const sockaddr*>(&local), length) != 0)
      return refused("to send from " + from);
  }
  socklen_t length = 0;
  const sockaddr_storage remote = bridge.to_sockaddr(&length);
  if (connect(port.fd_, reinterpret_cast<const sockaddr*>(&remote), length) != 0)
    return refused("to send to " + bridge.to_string());
  return port;
}

UdpPort& UdpPort::operator=(UdpPort&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

UdpPort::~UdpPort() {
  if (fd_ >= 0) close(fd_);
}

size_t send_datagrams(int fd, std::span<const iovec> datagrams, bool segment) {
  std::array<mmsghdr, MessagesPerCall> messages;
  std::array<Control, MessagesPerCall> controls;
  std::array<size_t, MessagesPerCall> carried;
  size_t taken = 0;
  int refusals = 0;
  while (taken < datagrams.size()) {
    size_t count = 0;
    for (size_t at = taken; at < datagrams.size() && count < MessagesPerCall; ++count) {
      const size_t run = segment ? run_length(datagrams.subspan(at)) : 1;
      messages[count] = {};
      msghdr& header = messages[count].msg_hdr;
      header.msg_iov = const_cast<iovec*>(&datagrams[at]);
      header.msg_iovlen = run;
      if (run > 1) {
        header.msg_control = controls[count].bytes.data();
        header.msg_controllen = CMSG_SPACE(sizeof(uint16_t));
        cmsghdr* control = CMSG_FIRSTHDR(&header);
        control->cmsg_level = IPPROTO_UDP;
        control->cmsg_type = UDP_SEGMENT;
        control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        const auto size = static_cast<uint16_t>(datagrams[at].iov_len);
        std::memcpy(CMSG_DATA(control), &size, sizeof size);
      }
      carried[count] = run;
      at += run;
    }
    const int sent = sendmmsg(fd, messages.data(), static_cast<unsigned>(count), 0);
    if (sent <= 0) {
      // An ICMP error of an earlier datagram is told by a later call, which then sends nothing.
      const bool again = errno == EINTR || (errno == ECONNREFUSED && ++refusals < MaxRefusals);
      if (sent < 0 && again) continue;
      break;
    }
    for (int i = 0; i < sent; ++i) taken += carried[static_cast<size_t>(i)];
  }
  return taken;
}

struct ReceiveBuffers::Space {
  std::array<mmsghdr, Messages> messages;
  std::array<iovec, Messages> parts;
  std::array<Control, Messages> controls;
  std::array<std::array<uint8_t, LargestDatagram>, Messages> datagrams;
};

ReceiveBuffers::ReceiveBuffers() : space_(std::make_shared<Space>()) {
  for (size_t i = 0; i < Messages; ++i) {
    space_->parts[i] = {space_->datagrams[i].data(), LargestDatagram};
    space_->messages[i] = {};
    space_->messages[i].msg_hdr.msg_iov = &space_->parts[i];
    space_->messages[i].msg_hdr.msg_iovlen = 1;
    space_->messages[i].msg_hdr.msg_control = space_->controls[i].bytes.data();
    space_->messages[i].msg_hdr.msg_controllen = sizeof(Control);
  }
}

int ReceiveBuffers::take(int fd) {
  for (int i = 0; i < taken_; ++i)  // the kernel has written how much of it was used
    space_->messages[static_cast<size_t>(i)].msg_hdr.msg_controllen = sizeof(Control);
  taken_ = std::max(0, recvmmsg(fd, space_->messages.data(), Messages, MSG_DONTWAIT, nullptr));
  return taken_;
}

ReceiveBuffers::Taken ReceiveBuffers::look_at(int i, Outcome& outcome) {
  mmsghdr& message = space_->messages[static_cast<size_t>(i)];
  Taken taken{MutableBytes(space_->datagrams[static_cast<size_t>(i)]).first(message.msg_len),
              std::max<size_t>(message.msg_len, 1)};
  for (cmsghdr* c = CMSG_FIRSTHDR(&message.msg_hdr); c; c = CMSG_NXTHDR(&message.msg_hdr, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      int size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof size);
      if (size > 0) taken.segment = static_cast<size_t>(size);
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      std::memcpy(&outcome.kernel_drops, CMSG_DATA(c), sizeof outcome.kernel_drops);
      outcome.drops_known = true;
    }
  }
  return taken;
}

}  // namespace viaduct::load
