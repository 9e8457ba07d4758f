// One participant's UDP socket, connected to the bridge, and the batches in which many of them send
// and receive: sendmmsg with UDP GSO where it is wanted, recvmmsg with UDP GRO.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/socket_address.h"

namespace viaduct::load {

class UdpPort {
 public:
  // Bound to `from` (empty: the kernel chooses) and connected to `bridge`.
  static Result<UdpPort> open(const std::string& from, const SocketAddress& bridge,
                              int buffer_bytes);
  UdpPort() = default;
  UdpPort(UdpPort&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UdpPort& operator=(UdpPort&& other) noexcept;
  ~UdpPort();

  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  explicit UdpPort(int fd) : fd_(fd) {}
  int fd_ = -1;
};

// Sends `datagrams` by `fd` in order; how many the kernel took. With `segment`, datagrams of one
// size that stand together leave as one (UDP GSO), as a fast sender would do it, where the kernel
// can.
size_t send_datagrams(int fd, std::span<const iovec> datagrams, bool segment);

// The buffers of recvmmsg, for any number of sockets, one after another.
class ReceiveBuffers {
 public:
  ReceiveBuffers();

  struct Outcome {
    bool more = false;          // the socket may hold more than was taken
    uint32_t kernel_drops = 0;  // of this socket since it was made (SO_RXQ_OVFL); 0 when not told
    bool drops_known = false;
  };
  // Takes what `fd` has, up to a batch, and calls f(MutableBytes datagram) for each.
  template <typename F>
  Outcome receive(int fd, F&& f) {
    Outcome outcome;
    const int count = take(fd);
    outcome.more = count == Messages;
    for (int i = 0; i < count; ++i) {
      const Taken taken = look_at(i, outcome);
      for (size_t at = 0; at < taken.bytes.size(); at += taken.segment)
        f(taken.bytes.subspan(at, std::min(taken.segment, taken.bytes.size() - at)));
    }
    return outcome;
  }

 private:
  static constexpr int Messages = 16;
  struct Taken {
    MutableBytes bytes;
    size_t segment = 1;
  };
  int take(int fd);
  Taken look_at(int i, Outcome& outcome);

  struct Space;
  std::shared_ptr<Space> space_;
  int taken_ = 0;
};

}  // namespace viaduct::load
