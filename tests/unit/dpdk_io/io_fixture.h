// Workers with a DpdkIo each on one port of rings, and the question at the end that every test has to answer: did all
// packet buffers come back?
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "dpdk/dpdk_io.h"
#include "dpdk/eal.h"
#include "dpdk/inboxes.h"
#include "dpdk/mbuf_pool.h"
#include "limits.h"
#include "tests/support/frames/frames.h"
#include "tests/unit/dpdk_io/ring_port.h"

namespace viaduct::dpdk {

using testing::at;
using testing::IpFrame;
using testing::Octets;
using testing::ReadFrame;

inline constexpr Timestamp Now{100s};
inline constexpr uint16_t FirstPort = 10'000;

class IoTest : public ::testing::Test {
 protected:
  struct Choices {
    size_t workers = 1;
    size_t pool_buffers = 2048;
    unsigned tx_frames = 1024;
    bool gateway = false;
  };

  static void SetUpTestSuite() {
    const auto started = start_eal({.memory_mib = 128});  // once, whichever suite is first
    if (!started) GTEST_FAIL() << started.error().text;
  }
  void SetUp() override { open({}); }
  void TearDown() override {
    close();
    EXPECT_EQ(loan_.packets, 0);
  }

  void open(const Choices& choices) {
    close();
    interface_.media_ports = static_cast<uint16_t>(choices.workers);
    interface_.gateways = choices.gateway ? std::vector{testing::ip("192.0.2.254")} : std::vector<IpAddress>{};
    auto pool = MbufPool::open("test" + std::to_string(opened_++), choices.pool_buffers, -1);
    ASSERT_TRUE(pool) << pool.error().text;
    pool_ = std::move(*pool);
    port_ = std::make_unique<RingPort>(choices.workers, pool_->get(), choices.tx_frames);
    auto inboxes = Inboxes::open(choices.workers);
    ASSERT_TRUE(inboxes) << inboxes.error().text;
    inboxes_ = std::move(*inboxes);
    for (uint16_t i = 0; i < choices.workers; ++i) {
      ios_.push_back(std::make_unique<DpdkIo>(
          DpdkIoSettings{.worker = i, .port = port_->id(), .queue = i}, interface_, *pool_, *inboxes_, loan_));
      io(i).receive({}, Now);  // tells it the time
    }
    turn_all();
    if (!choices.gateway) discard_sent();  // what it announces when it comes up
  }

  DpdkIo& io(size_t worker = 0) { return *ios_[worker]; }
  RingPort& port() { return *port_; }
  MbufPool& pool() { return *pool_; }
  const SocketAddress us = at("192.0.2.1", FirstPort);
  const SocketAddress peer = at("198.51.100.7", 5000);

  SocketAddress us_at(size_t worker) const { return {us.ip, static_cast<uint16_t>(FirstPort + worker)}; }

  std::vector<Packet> receive(size_t worker = 0, Timestamp now = Now) {
    std::array<Packet, limits::RxBatchPackets> packets;
    const size_t count = io(worker).receive(packets, now);
    return {packets.begin(), packets.begin() + static_cast<ptrdiff_t>(count)};
  }
  // What leaves by a worker's queue when nothing more comes, each frame sound.
  std::vector<ReadFrame> sent(size_t worker = 0) {
    EXPECT_TRUE(receive(worker).empty());
    std::vector<ReadFrame> frames;
    for (const Octets& bytes : port().sent(worker)) {
      const auto read = testing::read_frame(bytes);
      EXPECT_TRUE(read.frame) << read.why;
      if (read.frame) frames.push_back(*read.frame);
    }
    return frames;
  }
  void discard_sent() {
    for (size_t i = 0; i < ios_.size(); ++i) port().sent(i);
  }
  void turn_all() {
    for (size_t i = 0; i < ios_.size(); ++i) io(i).release(receive(i));
  }

  // Puts the payload into the packet.
  static void fill(Packet& packet, Bytes payload) {
    packet.length = static_cast<uint32_t>(payload.size());
    std::copy(payload.begin(), payload.end(), packet.bytes().begin());
  }
  // A peer that has proved itself to the worker: its request came from `mac` and was answered with success.
  void prove(const SocketAddress& who, size_t worker = 0, uint32_t transaction = 1) {
    port().arrive(worker, testing::udp_frame(who, us_at(worker), testing::binding_request(transaction)).build());
    std::vector<Packet> packets = receive(worker);
    ASSERT_EQ(packets.size(), 1u);
    fill(packets[0], testing::binding_response(transaction, true));
    io(worker).send(packets);
    ASSERT_EQ(sent(worker).size(), 1u);
  }

  // Ends all; asks for what is missing.
  void close() {
    ios_.clear();
    inboxes_.reset();
    port_.reset();
    if (!pool_) return;
    EXPECT_EQ(pool_->in_use(), 0u) << "packet buffers that did not come back";
    pool_.reset();
  }

 private:
  ip::Interface interface_{.mac = testing::OurMac,
                           .addresses = {*InterfaceAddress::parse("192.0.2.1/24")},
                           .first_media_port = FirstPort};
  Loan loan_;
  std::unique_ptr<MbufPool> pool_;
  std::unique_ptr<RingPort> port_;
  std::unique_ptr<Inboxes> inboxes_;
  std::vector<std::unique_ptr<DpdkIo>> ios_;
  int opened_ = 0;
};

}  // namespace viaduct::dpdk
