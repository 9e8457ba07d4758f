// A CallIo by DPDK: the edge of a worker over a port whose wire is two rings in memory. Frames are written into buffers
// as a network card would, by copying.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "dpdk/dpdk_io.h"
#include "tests/bench/path_call.h"

struct rte_ring;

namespace viaduct::testing {

class RingIo final : public CallIo {
 public:
  // `offloads`: the port has verified the checksums of what arrives, and fills in those of what is sent. DPDK runs.
  explicit RingIo(bool offloads);
  ~RingIo() override;

  size_t receive(std::span<Packet> into, Timestamp now) override;
  size_t allocate(std::span<Packet> out) override { return io_->allocate(out); }
  void send(std::span<const Packet> packets) override;
  void release(std::span<const Packet> packets) override { io_->release(packets); }
  size_t wipe_released(size_t at_most) override { return io_->wipe_released(at_most); }
  size_t free_packets() const override { return io_->free_packets(); }
  void settle() override;

 private:
  void put_on_the_wire(const Arrival& arrival);
  void take_off_the_wire();

  const bool offloads_;
  const dpdk::ip::Interface interface_;
  std::unique_ptr<dpdk::MbufPool> pool_;
  std::unique_ptr<dpdk::Inboxes> inboxes_;
  rte_ring* arrivals_ = nullptr;
  rte_ring* departures_ = nullptr;
  uint16_t port_ = 0;
  Timestamp now_{};
  dpdk::Loan loan_;
  std::unique_ptr<dpdk::DpdkIo> io_;
};

}  // namespace viaduct::testing
