// Pools in memory of somebody else's: how a GPU's memory becomes a network card's, with the host's in its place.
#include "dpdk/mbuf_pool.h"

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <sys/mman.h>

#include <vector>

#include "tests/unit/dpdk_io/io_fixture.h"

namespace viaduct::dpdk {
namespace {

constexpr size_t Buffers = 511;

// Pages of their own, as a GPU's memory has them.
class LentMemory {
 public:
  explicit LentMemory(size_t bytes)
      : bytes_((bytes + 4095) / 4096 * 4096),
        start_(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  ~LentMemory() { munmap(start_, bytes_); }
  LentMemory(const LentMemory&) = delete;
  LentMemory& operator=(const LentMemory&) = delete;

  MutableBytes bytes() const { return {static_cast<uint8_t*>(start_), bytes_}; }
  bool holds(const void* address) const {
    const auto* at = static_cast<const uint8_t*>(address);
    return at >= bytes().data() && at < bytes().data() + bytes_;
  }

 private:
  const size_t bytes_;
  void* const start_;
};

class MbufPoolTest : public IoTest {};

TEST_F(MbufPoolTest, KeepsEveryPacketInTheMemoryThatItWasLent) {
  const LentMemory memory(pool_bytes(Buffers));
  const uint16_t ports[] = {port().id()};
  auto opened = MbufPool::open_in(memory.bytes(), "lent", Buffers, ports);
  ASSERT_TRUE(opened) << opened.error().text;
  MbufPool& lent = **opened;
  EXPECT_EQ(lent.size(), Buffers);
  EXPECT_EQ(lent.memory().data(), memory.bytes().data());

  std::vector<rte_mbuf*> all(Buffers);
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(lent.get(), all.data(), Buffers), 0);
  for (const rte_mbuf* frame : all) {
    EXPECT_TRUE(memory.holds(frame->buf_addr));
    EXPECT_TRUE(memory.holds(static_cast<uint8_t*>(frame->buf_addr) + frame->buf_len - 1));
    EXPECT_TRUE(RTE_MBUF_HAS_PINNED_EXTBUF(frame)) << "it goes back to the pool with its buffer";
  }
  EXPECT_EQ(lent.in_use(), Buffers);
  rte_pktmbuf_free_bulk(all.data(), Buffers);
  EXPECT_EQ(lent.in_use(), 0u);
}

TEST_F(MbufPoolTest, ServesAWorkerFromMemoryThatItWasLent) {
  close();
  const LentMemory memory(pool_bytes(Buffers));
  auto lent = MbufPool::open_in(memory.bytes(), "lent", Buffers, {});
  ASSERT_TRUE(lent) << lent.error().text;
  {
    RingPort wire(1, (*lent)->get());
    const ip::Interface interface{.mac = testing::OurMac,
                                  .addresses = {*InterfaceAddress::parse("192.0.2.1/24")},
                                  .first_media_port = FirstPort};
    auto inboxes = Inboxes::open(1);
    ASSERT_TRUE(inboxes) << inboxes.error().text;
    Loan loan;
    DpdkIo io({.port = wire.id()}, interface, **lent, **inboxes, loan);
    wire.arrive(0, testing::udp_frame(peer, us, testing::binding_request(5)).build());
    std::array<Packet, 4> packets;
    ASSERT_EQ(io.receive(packets, Now), 1u);
    Packet reply;
    ASSERT_EQ(io.allocate({&reply, 1}), 1u);
    EXPECT_TRUE(memory.holds(reply.buffer));
    fill(reply, testing::binding_response(5, true));
    reply.peer = packets[0].peer;
    io.send({&reply, 1});
    io.release({packets.data(), 1});
    EXPECT_EQ(loan.packets, 0);
    io.receive({}, Now);
    size_t answers = 0;
    for (const Octets& frame : wire.sent(0)) {
      const auto read = testing::read_frame(frame);
      answers += read.frame && read.frame->datagram == testing::binding_response(5, true);
    }
    EXPECT_EQ(answers, 1u);
  }
  EXPECT_EQ((*lent)->in_use(), 0u);
}

TEST_F(MbufPoolTest, GivesMemoryBackSoThatItCanBeLentAgain) {
  const LentMemory memory(pool_bytes(Buffers));
  for (int turn = 0; turn < 3; ++turn) {
    const auto lent = MbufPool::open_in(memory.bytes(), "lent", Buffers, {});
    ASSERT_TRUE(lent) << lent.error().text;
    const auto twice = MbufPool::open_in(memory.bytes(), "twice", Buffers, {});
    ASSERT_FALSE(twice) << "while it is lent it is nobody else's";
    EXPECT_NE(twice.error().text.find("cannot be made known to DPDK"), std::string::npos) << twice.error().text;
  }
}

TEST_F(MbufPoolTest, SaysWhatAPoolTooLargeWouldNeed) {
  const auto pool = MbufPool::open("huge", 10'000'000, -1);
  ASSERT_FALSE(pool);
  EXPECT_EQ(pool.error().code, ErrorCode::ResourceExhausted);
  EXPECT_NE(pool.error().text.find("set dpdk-memory to at least"), std::string::npos) << pool.error().text;
}

TEST_F(MbufPoolTest, IsInOnePieceForWhoHasToPinIt) {
  EXPECT_FALSE(pool().memory().empty());
  EXPECT_GE(pool().memory().size(), pool().size() * size_t{RTE_MBUF_DEFAULT_BUF_SIZE});
}

TEST(PoolSizeTest, IsWhatQueuesConferencesAndCachesCanHold) {
  EXPECT_EQ(pool_buffers(1024, 32'768, 2), 2u * 1024 + 32'768 + 2 * 384);
  EXPECT_GT(pool_bytes(1000), 1000u * RTE_MBUF_DEFAULT_BUF_SIZE);
}

}  // namespace
}  // namespace viaduct::dpdk
