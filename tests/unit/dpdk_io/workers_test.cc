// Several workers on one port: each gets what belongs to it, whichever queue it came by.
#include "tests/unit/dpdk_io/io_fixture.h"

namespace viaduct::dpdk {
namespace {

const Octets Media = testing::octets("\x80 media");

class WorkersTest : public IoTest {
 protected:
  void SetUp() override { open({.workers = 3, .pool_buffers = 8191}); }
};

TEST_F(WorkersTest, HandsAPacketOnTheWrongQueueToItsWorker) {
  for (size_t queue = 0; queue < 3; ++queue) {
    for (size_t worker = 0; worker < 3; ++worker) {
      port().arrive(queue, testing::udp_frame(peer, us_at(worker), Media).build());
      for (size_t i = 0; i < 3; ++i) {
        if (i == queue) continue;
        EXPECT_TRUE(receive(i).empty()) << "before the receiving worker has looked";
      }
      const std::vector<Packet> at_queue = receive(queue);
      const std::vector<Packet> at_worker = queue == worker ? at_queue : receive(worker);
      EXPECT_EQ(at_queue.size(), queue == worker ? 1u : 0u);
      ASSERT_EQ(at_worker.size(), 1u) << "of queue " << queue << " for worker " << worker;
      EXPECT_EQ(at_worker[0].peer, peer);
      io(worker).release(at_worker);
    }
  }
  EXPECT_EQ(io(0).dpdk_counters().handed_over.value(), 2u);
}

TEST_F(WorkersTest, FollowsAClientWhoseAddressChanges) {
  prove(peer, 1);
  const SocketAddress moved = at("203.0.113.5", 6000);
  port().arrive(2, testing::udp_frame(moved, us_at(1), testing::binding_request(2)).build());  // hashed elsewhere
  EXPECT_TRUE(receive(2).empty());
  std::vector<Packet> packets = receive(1);
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].peer, moved);
  fill(packets[0], testing::binding_response(2, true));
  io(1).send(packets);
  const std::vector<ReadFrame> frames = sent(1);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].to, moved.ip);
  EXPECT_EQ(frames[0].from_port, FirstPort + 1);
}

TEST_F(WorkersTest, HandsOverAnErrorAboutAnotherWorkersPacket) {
  prove(peer, 1);
  const Octets ours = testing::udp_frame(us_at(1), peer, Octets(1400)).build();
  const IpAddress router = testing::ip("192.0.2.254");
  port().arrive(0, testing::icmp_frame(router, us.ip, 3, 4, 1300, Bytes(ours).subspan(14, 28)).build());
  EXPECT_TRUE(receive(0).empty());
  EXPECT_EQ(io(1).next_path_mtu(), std::nullopt);
  EXPECT_TRUE(receive(1).empty());
  const auto news = io(1).next_path_mtu();
  ASSERT_TRUE(news);
  EXPECT_EQ(news->peer, peer);
  EXPECT_EQ(news->bytes, 1300);
}

TEST_F(WorkersTest, TellsAllWorkersWhatNeighboursAnswer) {
  const SocketAddress neighbour = at("192.0.2.9", 5000);
  const auto send_to_neighbour = [&](size_t worker) {
    std::vector<Packet> packets(1);
    EXPECT_EQ(io(worker).allocate(packets), 1u);
    packets[0].peer = neighbour;
    fill(packets[0], Media);
    io(worker).send(packets);
    return sent(worker);
  };
  for (size_t worker = 0; worker < 3; ++worker) {
    const std::vector<ReadFrame> question = send_to_neighbour(worker);
    ASSERT_EQ(question.size(), 1u) << "who has it?";
    EXPECT_EQ(question[0].type, 0x0806);
  }
  port().arrive(1, testing::arp_frame(2, testing::PeerMac, neighbour.ip, us.ip, testing::OurMac));
  for (const size_t worker : {1u, 0u, 2u}) EXPECT_TRUE(receive(worker).empty());
  for (size_t worker = 0; worker < 3; ++worker) {
    const std::vector<ReadFrame> frames = send_to_neighbour(worker);
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].to_mac, testing::PeerMac);
    EXPECT_EQ(frames[0].datagram, Media);
  }
}

TEST_F(WorkersTest, CountsWhatAWorkerThatIsTooFarBehindLoses) {
  const Octets frame = testing::udp_frame(peer, us_at(1), Media).build();
  for (unsigned i = 0; i < Inboxes::Frames + 100; ++i) {
    port().arrive(0, frame);
    EXPECT_TRUE(receive(0).empty());
  }
  EXPECT_EQ(io(0).dpdk_counters().handed_over.value(), Inboxes::Frames);
  EXPECT_EQ(io(0).dpdk_counters().hand_over_full.value(), 100u);
  size_t received = 0;
  for (unsigned turn = 0; turn < Inboxes::Frames; ++turn) {
    const std::vector<Packet> packets = receive(1);
    if (packets.empty()) break;
    received += packets.size();
    io(1).release(packets);
  }
  EXPECT_EQ(received, Inboxes::Frames);
}

TEST_F(WorkersTest, FreesWhatNobodyTookWhenItEnds) {
  for (int i = 0; i < 50; ++i) port().arrive(0, testing::udp_frame(peer, us_at(1), Media).build());
  EXPECT_TRUE(receive(0).empty());
  for (int i = 0; i < 50; ++i) port().arrive(2, testing::udp_frame(peer, us_at(2), Media).build());
  // close() finds 50 in an inbox and 50 in a receive queue.
}

TEST_F(WorkersTest, GivesWhatWasHandedOverAndWhatArrivesAFairShareEach) {
  for (int i = 0; i < 200; ++i) {
    port().arrive(0, testing::udp_frame(peer, us_at(1), Octets{1}).build());
    port().arrive(1, testing::udp_frame(peer, us_at(1), Octets{2}).build());
  }
  for (int turn = 0; turn < 5; ++turn) EXPECT_TRUE(receive(0).empty());
  size_t handed_over = 0, arrived = 0;
  const std::vector<Packet> packets = receive(1);
  for (const Packet& packet : packets) ++(packet.bytes()[0] == 1 ? handed_over : arrived);
  EXPECT_GE(handed_over, limits::RxBatchPackets / 4);
  EXPECT_GE(arrived, limits::RxBatchPackets / 4);
  io(1).release(packets);
  while (true) {
    const std::vector<Packet> more = receive(1);
    if (more.empty()) break;
    io(1).release(more);
  }
}

}  // namespace
}  // namespace viaduct::dpdk
