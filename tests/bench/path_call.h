// A conference over a packet path whose network is the benchmark's: what arrives was written
// beforehand, and what is sent is counted and forgotten. So it measures the path, its cipher and its
// edge, and not the kernel.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "edge/batch_cipher.h"
#include "edge/packet_io.h"
#include "edge/packet_pool.h"
#include "path/packet_path.h"
#include "tests/packets/test_client.h"

namespace viaduct::testing {

// A PacketIo whose other end the benchmark holds.
class CallIo : public edge::PacketIo {
 public:
  struct Arrival {
    SocketAddress from;
    std::vector<uint8_t> bytes;
  };

  void wait(Duration) override {}
  void gather(Duration) override {}
  void wake() override {}
  // Nothing that was sent waits any longer to be counted.
  virtual void settle() {}

  std::vector<Arrival> arriving;  // the next receive() takes them from `next` on, as many as `most`
  size_t next = 0;
  size_t most = limits::RxBatchPackets;
  bool keeps_sent = true;  // datagrams that the path sends go to `sent`
  std::vector<Arrival> sent;
  uint64_t packets_sent = 0;
};

// Over queues in memory.
class MemoryIo final : public CallIo {
 public:
  explicit MemoryIo(size_t pool_packets);

  size_t receive(std::span<Packet> into, Timestamp now) override;
  size_t allocate(std::span<Packet> out) override { return pool_->allocate(out); }
  void send(std::span<const Packet> packets) override;
  void release(std::span<const Packet> packets) override { pool_->release(packets); }
  size_t wipe_released(size_t at_most) override { return pool_->wipe_released(at_most); }
  size_t free_packets() const override { return pool_->free(); }

 private:
  std::unique_ptr<edge::PacketPool> pool_;
};

inline constexpr size_t CallPoolPackets = 32 * 1024;

// One sender of video and `receivers` who see it, all connected.
class PathCall final : public path::TimeSource {
 public:
  static inline const SocketAddress Bridge{IpAddress::v4(0x0a000001), 10'000};

  // Without a profile the ciphers must be such as change nothing, and the sender's packets end with
  // 16 bytes of nothing in place of a tag.
  PathCall(CallIo& io, edge::BatchCipher& opener, edge::BatchCipher& sealer,
           std::optional<srtp::SrtpProfile> profile, size_t receivers);

  Timestamp now() override { return now_; }
  // Encrypts the sender's next `packets` packets, of `bytes` bytes each, for the turns that follow.
  void prepare(size_t packets, size_t bytes);
  bool has_arrivals() const { return io_.next < io_.arriving.size(); }
  // A millisecond passes, and up to `packets` arrive.
  void turn(size_t packets);
  uint64_t packets_sent() {
    io_.settle();
    return io_.packets_sent;
  }
  // Why packets were dropped so far, for an error message.
  std::string drops() const;

 private:
  void run_for(Duration time);
  void play_handshake_thread();
  void deliver_sent();
  TestClient& join(TestClient::Options options);
  std::vector<uint8_t> seal(TestClient& sender, const Rtp& packet);

  const std::optional<srtp::SrtpProfile> profile_;
  Timestamp now_{10s};
  CallIo& io_;
  SeededRandom random_{7};
  path::HandshakePort port_;
  path::PathCounters counters_{"0"};
  path::PacketPath path_;
  std::vector<std::unique_ptr<TestClient>> clients_;
  uint16_t sequence_ = 0;
};

}  // namespace viaduct::testing
