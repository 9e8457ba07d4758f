// Ways to send through the kernel, side by side: bursts of 1,200-byte packets from one UDP socket to each of 20 others
// over loopback. What bridge/edge/udp_socket.cc uses is `gso`; the others are here to be measured against it.
//
// range(0): packets of a burst to one receiver. Receivers are drained outside the measurement, so the cost is the
// sender's, the kernel's delivery included.
#include <benchmark/benchmark.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "base/check.h"

namespace viaduct {
namespace {

constexpr size_t Receivers = 20;
constexpr size_t PacketBytes = 1200;
constexpr size_t MostPackets = 40;
constexpr unsigned RingEntries = 1024;

int open_socket() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0);
  const int bytes = 8 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(fd, reinterpret_cast<sockaddr*>(&local), sizeof local) == 0);
  return fd;
}

// A sender, its receivers, and a burst for each of them.
class Bursts {
 public:
  Bursts(size_t packets, bool connected, bool segmented)
      : packets_(packets), connected_(connected), segmented_(segmented) {
    for (size_t i = 0; i < Receivers; ++i) {
      receivers_[i] = open_socket();
      socklen_t length = sizeof addresses_[i];
      CHECK(getsockname(receivers_[i], reinterpret_cast<sockaddr*>(&addresses_[i]), &length) == 0);
    }
    for (size_t i = 0; i < (connected ? Receivers : 1); ++i) senders_.push_back(open_socket());
    for (size_t i = 0; connected && i < Receivers; ++i) {
      CHECK(connect(senders_[i], reinterpret_cast<sockaddr*>(&addresses_[i]), sizeof addresses_[i]) == 0);
    }
    payload_.assign(MostPackets * PacketBytes, 0x5a);
    for (size_t i = 0; i < MostPackets; ++i) vectors_[i] = {payload_.data() + i * PacketBytes, PacketBytes};
    for (size_t r = 0; r < Receivers; ++r) make_messages(r);
  }
  ~Bursts() {
    for (const int fd : receivers_) close(fd);
    for (const int fd : senders_) close(fd);
  }

  void send_all(int flags) {
    if (connected_) {
      for (size_t r = 0; r < Receivers; ++r) send(senders_[r], std::span(messages_).subspan(r * each(), each()), flags);
    } else {
      send(senders_[0], messages_, flags);
    }
  }
  void send_by(io_uring& ring) {
    for (mmsghdr& message : messages_) io_uring_prep_sendmsg(io_uring_get_sqe(&ring), senders_[0], &message.msg_hdr, 0);
    const auto count = static_cast<unsigned>(messages_.size());
    CHECK(io_uring_submit_and_wait(&ring, count) == static_cast<int>(count));
    io_uring_cq_advance(&ring, count);
  }
  void ask_for_zero_copy() {
    const int on = 1;
    CHECK(setsockopt(senders_[0], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0);
  }
  // The kernel tells that buffers are free again.
  void take_notices() {
    std::array<uint8_t, 256> control;
    msghdr header{};
    do {
      header = {};
      header.msg_control = control.data();
      header.msg_controllen = control.size();
    } while (recvmsg(senders_[0], &header, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0);
  }
  // How many datagrams had arrived.
  int64_t drain() {
    std::array<uint8_t, PacketBytes> space;
    int64_t count = 0;
    for (const int fd : receivers_) {
      while (recv(fd, space.data(), space.size(), MSG_DONTWAIT) > 0) ++count;
    }
    return count;
  }

 private:
  // Messages for one receiver.
  size_t each() const { return segmented_ ? 1 : packets_; }

  void make_messages(size_t receiver) {
    for (size_t i = 0; i < each(); ++i) {
      mmsghdr& message = messages_.emplace_back();
      message.msg_hdr.msg_name = connected_ ? nullptr : &addresses_[receiver];
      message.msg_hdr.msg_namelen = connected_ ? 0 : sizeof addresses_[receiver];
      message.msg_hdr.msg_iov = &vectors_[i];
      message.msg_hdr.msg_iovlen = segmented_ ? packets_ : 1;
      if (!segmented_) continue;
      auto* control = reinterpret_cast<cmsghdr*>(control_.data());
      *control = {CMSG_LEN(sizeof(uint16_t)), SOL_UDP, UDP_SEGMENT};
      const uint16_t bytes = PacketBytes;
      std::memcpy(CMSG_DATA(control), &bytes, sizeof bytes);
      message.msg_hdr.msg_control = control_.data();
      message.msg_hdr.msg_controllen = CMSG_SPACE(sizeof bytes);
    }
  }
  static void send(int fd, std::span<mmsghdr> messages, int flags) {
    while (!messages.empty()) {
      const int sent = sendmmsg(fd, messages.data(), static_cast<unsigned>(messages.size()), flags);
      CHECK(sent > 0);
      messages = messages.subspan(static_cast<size_t>(sent));
    }
  }

  const size_t packets_;
  const bool connected_;
  const bool segmented_;
  std::array<int, Receivers> receivers_{};
  std::array<sockaddr_in, Receivers> addresses_{};
  std::vector<int> senders_;
  std::vector<uint8_t> payload_;
  std::array<iovec, MostPackets> vectors_{};
  alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(uint16_t))> control_{};
  std::vector<mmsghdr> messages_;
};

template <typename Send>
void measure(benchmark::State& state, Bursts& bursts, Send&& send) {
  int64_t sent = 0;
  for (auto _ : state) {
    send();
    state.PauseTiming();
    sent += bursts.drain();
    state.ResumeTiming();
  }
  if (sent != state.iterations() * state.range(0) * static_cast<int64_t>(Receivers))
    state.SkipWithError("packets were lost");
  state.SetItemsProcessed(sent);
}

void sendmmsg_each(benchmark::State& state) {
  Bursts bursts(static_cast<size_t>(state.range(0)), false, false);
  measure(state, bursts, [&] { bursts.send_all(0); });
}
void connected_sendmmsg(benchmark::State& state) {
  Bursts bursts(static_cast<size_t>(state.range(0)), true, false);
  measure(state, bursts, [&] { bursts.send_all(0); });
}
void io_uring_each(benchmark::State& state) {
  Bursts bursts(static_cast<size_t>(state.range(0)), false, false);
  io_uring ring;
  if (io_uring_queue_init(RingEntries, &ring, 0) != 0) return state.SkipWithError("this kernel has no io_uring");
  measure(state, bursts, [&] { bursts.send_by(ring); });
  io_uring_queue_exit(&ring);
}
void gso(benchmark::State& state) {
  Bursts bursts(static_cast<size_t>(state.range(0)), false, true);
  measure(state, bursts, [&] { bursts.send_all(0); });
}
void connected_gso(benchmark::State& state) {
  Bursts bursts(static_cast<size_t>(state.range(0)), true, true);
  measure(state, bursts, [&] { bursts.send_all(0); });
}
void gso_io_uring(benchmark::State& state) {
  Bursts bursts(static_cast<size_t>(state.range(0)), false, true);
  io_uring ring;
  if (io_uring_queue_init(RingEntries, &ring, 0) != 0) return state.SkipWithError("this kernel has no io_uring");
  measure(state, bursts, [&] { bursts.send_by(ring); });
  io_uring_queue_exit(&ring);
}
void gso_zero_copy(benchmark::State& state) {
  Bursts bursts(static_cast<size_t>(state.range(0)), false, true);
  bursts.ask_for_zero_copy();
  measure(state, bursts, [&] {
    bursts.send_all(MSG_ZEROCOPY);
    bursts.take_notices();
  });
}

BENCHMARK(sendmmsg_each)->Arg(1)->Arg(10)->Arg(25);
BENCHMARK(connected_sendmmsg)->Arg(10);
BENCHMARK(io_uring_each)->Arg(10)->Arg(25);
BENCHMARK(gso)->Arg(2)->Arg(5)->Arg(10)->Arg(25)->Arg(40);
BENCHMARK(connected_gso)->Arg(10)->Arg(25);
BENCHMARK(gso_io_uring)->Arg(10)->Arg(25);
BENCHMARK(gso_zero_copy)->Arg(10)->Arg(25);

}  // namespace
}  // namespace viaduct
