// PacketIo over a SimulatedNetwork: the edge of a bridge that runs inside a test on virtual time.
//
// Every packet handed out is a heap block of its own with exactly limits::PacketBufferBytes, freed when it goes back:
// AddressSanitizer sees a step outside it and any use after its return. A test ends with free_packets() == pool_size(),
// or somebody leaked a packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/socket_address.h"
#include "edge/packet_io.h"
#include "tests/support/simulated_network.h"

namespace viaduct::testing {

class SimulatedIo final : public edge::PacketIo {
 public:
  // Attaches to `network`, which must outlive it, under `addresses`: one, or one for each family. It answers each peer
  // from the address of the peer's family.
  SimulatedIo(SimulatedNetwork& network, std::vector<SocketAddress> addresses, size_t pool_packets = 4096);
  ~SimulatedIo() override;

  // Delivers the network up to `now` first. Also sets the time at which later send()s leave.
  size_t receive(std::span<edge::Packet> into, Timestamp now) override;
  size_t allocate(std::span<edge::Packet> out) override;
  void send(std::span<const edge::Packet> packets) override;
  void release(std::span<const edge::Packet> packets) override;
  // A buffer that comes back is freed at once; what remains to be wiped is counted as if it were not.
  size_t wipe_released(size_t at_most) override;
  void wait(Duration) override {}  // virtual time passes elsewhere
  void gather(Duration) override {}
  void wake() override {}
  size_t free_packets() const override { return pool_packets_ - handed_out_.size(); }

  size_t unwiped() const { return unwiped_; }
  size_t pool_size() const { return pool_packets_; }
  // Packets for whose peer no address of this edge fits.
  size_t refused() const { return refused_; }
  // Datagrams longer than limits::MaxPacketBytes.
  size_t truncated() const { return truncated_; }

 private:
  edge::Packet make_packet();
  void take_back(const edge::Packet& packet);

  SimulatedNetwork& network_;
  std::vector<SocketAddress> addresses_;
  size_t pool_packets_;
  uint64_t next_serial_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<uint8_t[]>> handed_out_;  // by serial number, which is Packet::owner
  size_t unwiped_ = 0;  // buffers that came back since they were last wiped
  size_t refused_ = 0;
  size_t truncated_ = 0;
};

}  // namespace viaduct::testing
