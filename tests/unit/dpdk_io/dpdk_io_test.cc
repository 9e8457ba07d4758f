// One worker's packets on a port of rings: in, out, and what happens when there is no room.
#include "base/random.h"
#include "tests/unit/dpdk_io/io_fixture.h"

namespace viaduct::dpdk {
namespace {

const Octets Media = testing::octets("\x80 a packet of somebody's voice");

using DpdkIoTest = IoTest;

TEST_F(DpdkIoTest, HandsOverADatagramWhereItArrived) {
  port().arrive(0, testing::udp_frame(peer, us, Media).build());
  const std::vector<Packet> packets = receive();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].peer, peer);
  EXPECT_EQ(packets[0].arrival, Now);
  EXPECT_TRUE(std::ranges::equal(packets[0].bytes(), Media));
  EXPECT_GE(packets[0].tailroom(), limits::PacketTailroomBytes);
  EXPECT_EQ(io().counters().packets_received.value(), 1u);
  EXPECT_EQ(io().counters().bytes_received.value(), Media.size());
  io().release(packets);
}

TEST_F(DpdkIoTest, AnswersABindingRequestInTheBufferThatItCameIn) {
  IpFrame request = testing::udp_frame(peer, us, testing::binding_request(7));
  request.from_mac = testing::RouterMac;
  port().arrive(0, request.build());
  std::vector<Packet> packets = receive();
  ASSERT_EQ(packets.size(), 1u);
  const Octets response = testing::binding_response(7, true);
  fill(packets[0], response);
  io().send(packets);
  const std::vector<ReadFrame> frames = sent();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].to_mac, testing::RouterMac);
  EXPECT_EQ(frames[0].from, us.ip);
  EXPECT_EQ(frames[0].from_port, us.port);
  EXPECT_EQ(frames[0].to, peer.ip);
  EXPECT_EQ(frames[0].to_port, peer.port);
  EXPECT_EQ(frames[0].datagram, response);
}

TEST_F(DpdkIoTest, SendsBlankPacketsFromWhereverThePathPutThem) {
  prove(peer);
  // In place; behind headers that grew into all the headroom; and behind some that shrank.
  for (const uint32_t offset : {uint32_t{limits::PacketHeadroomBytes}, 0u, 1u, 200u}) {
    std::vector<Packet> packets(1);
    ASSERT_EQ(io().allocate(packets), 1u);
    EXPECT_EQ(packets[0].offset, limits::PacketHeadroomBytes);
    EXPECT_GE(packets[0].tailroom(), limits::MaxPacketBytes + limits::PacketTailroomBytes);
    packets[0].offset = offset;
    packets[0].peer = peer;
    fill(packets[0], Media);
    io().send(packets);
    const std::vector<ReadFrame> frames = sent();
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].datagram, Media) << "from " << offset;
  }
}

TEST_F(DpdkIoTest, SendsAReceivedPacketThatGrewIntoTheHeadersInFrontOfIt) {
  prove(peer);
  port().arrive(0, testing::udp_frame(peer, us, Media).build());
  std::vector<Packet> packets = receive();
  ASSERT_EQ(packets.size(), 1u);
  packets[0].offset = 3;
  fill(packets[0], Octets(1400, 0x81));
  io().send(packets);
  const std::vector<ReadFrame> frames = sent();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].datagram, Octets(1400, 0x81));
}

TEST_F(DpdkIoTest, AnswersPingAndArpByItself) {
  port().arrive(0, testing::icmp_frame(peer.ip, us.ip, 8, 0, 1, Media).build());
  port().arrive(0, testing::arp_frame(1, testing::PeerMac, testing::ip("192.0.2.9"), us.ip));
  port().arrive(0, testing::udp_frame(peer, {us.ip, 9}, Media).build());
  EXPECT_TRUE(receive().empty());
  const std::vector<ReadFrame> frames = sent();
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].body, testing::icmp_message(us.ip, peer.ip, 0, 0, 1, Media));
  EXPECT_EQ(frames[1].type, 0x0806);
  EXPECT_EQ(frames[2].body[0], 3) << "unreachable";
}

TEST_F(DpdkIoTest, AnnouncesItselfAndAsksForItsGateway) {
  open({.gateway = true});
  const std::vector<ReadFrame> frames = sent();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].type, 0x0806);
  EXPECT_EQ(frames[1].type, 0x0806);
}

TEST_F(DpdkIoTest, RefusesWhatHasNoWayAndTellsWhy) {
  std::vector<Packet> packets(3);
  ASSERT_EQ(io().allocate(packets), 3u);
  for (Packet& packet : packets) fill(packet, Media);
  packets[0].peer = peer;
  packets[1].peer = at("2001:db8::7", 5000);
  packets[2].peer = peer;
  io().send(packets);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(io().counters().refused[static_cast<size_t>(edge::SendRefusal::Unreachable)].value(), 2u);
  EXPECT_EQ(io().counters().refused[static_cast<size_t>(edge::SendRefusal::NoSocket)].value(), 1u);
  EXPECT_EQ(io().counters().packets_sent.value(), 0u);
}

TEST_F(DpdkIoTest, LosesNothingSilentlyWhenTheTransmitQueueIsFull) {
  open({.pool_buffers = 4096, .tx_frames = 64});
  prove(peer);
  constexpr size_t Many = 3000;
  std::vector<Packet> packets(Many);
  ASSERT_EQ(io().allocate(packets), Many);
  uint8_t number = 0;
  for (Packet& packet : packets) {
    packet.peer = peer;
    fill(packet, Octets(100, static_cast<uint8_t>(0x80 | number++ % 64)));
  }
  io().send(packets);
  const uint64_t refused = io().counters().refused[static_cast<size_t>(edge::SendRefusal::BufferFull)].value();
  EXPECT_EQ(io().tx_counters().dropped.value(), refused);
  EXPECT_GT(io().tx_counters().full.value(), 0u);
  EXPECT_EQ(refused, Many - 64 - TxQueue::Backlog);
  std::vector<ReadFrame> all;
  for (size_t turn = 0; turn < 50; ++turn) {  // the wire takes 64 at a time
    for (ReadFrame& frame : sent()) all.push_back(std::move(frame));
  }
  ASSERT_EQ(all.size() + refused, Many);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].datagram[0], 0x80 | i % 64) << "in order";
}

TEST_F(DpdkIoTest, SaysWhenItsPoolIsDryAndGoesOnWhenPacketsComeBack) {
  open({.pool_buffers = 511});
  std::vector<Packet> packets(1000);
  const size_t got = io().allocate(packets);
  EXPECT_LT(got, 512u);
  EXPECT_GT(got, 0u);
  EXPECT_EQ(io().counters().pool_dry.value(), 1u);
  EXPECT_EQ(io().free_packets(), 0u);
  packets.resize(got);
  std::vector<Packet> more(1);
  EXPECT_EQ(io().allocate(more), 0u);
  EXPECT_TRUE(receive(0, Now + 1s).empty()) << "nor is there a buffer for its announcement";
  io().release(packets);
  EXPECT_EQ(io().allocate(more), 1u);
  io().release(more);
}

TEST_F(DpdkIoTest, WipesWhatIsReleased) {
  std::vector<Packet> packets(1);
  ASSERT_EQ(io().allocate(packets), 1u);
  fill(packets[0], Media);
  const uint8_t* bytes = packets[0].bytes().data();
  io().release(packets);
  EXPECT_TRUE(std::all_of(bytes, bytes + Media.size(), [](uint8_t b) { return b == 0; }));
}

TEST_F(DpdkIoTest, DropsAFrameInSeveralBuffers) {
  const Octets frame = testing::udp_frame(peer, us, Media).build();
  for (const size_t first : {size_t{10}, size_t{14}, size_t{42}, frame.size() - 1}) {
    port().arrive_split(0, frame, first);
  }
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(io().dpdk_counters().fragmented_buffers.value(), 4u);
}

TEST_F(DpdkIoTest, NeverStepsOverTheEndOfABuffer) {
  const IpFrame ping = testing::icmp_frame(peer.ip, us.ip, 8, 0, 1, Media);
  IpFrame tagged = ping;
  tagged.tag = 0;
  for (const Octets& whole :
       {testing::udp_frame(peer, us, testing::binding_request(1)).build(), ping.build(), tagged.build(),
        testing::udp_frame(peer, {us.ip, 9}, Media).build(),
        testing::arp_frame(1, testing::PeerMac, testing::ip("192.0.2.9"), us.ip)}) {
    for (size_t bytes = 1; bytes <= whole.size(); ++bytes) {
      port().arrive_in_exact_block(0, Bytes(whole).first(bytes));
      io().release(receive());
    }
  }
  EXPECT_GE(sent().size(), 2u) << "an answer that is no longer than its question fits";
}

TEST_F(DpdkIoTest, ReceivesABurstInOrderAndNoMoreThanThereIsRoomFor) {
  for (uint8_t i = 0; i < 100; ++i) port().arrive(0, testing::udp_frame(peer, us, Octets{i}).build());
  std::vector<uint8_t> order;
  for (int turn = 0; turn < 20; ++turn) {
    std::array<Packet, 7> few;
    const size_t count = io().receive(few, Now);
    ASSERT_LE(count, few.size());
    for (const Packet& packet : std::span(few).first(count)) order.push_back(packet.bytes()[0]);
    io().release(std::span(few).first(count));
  }
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_F(DpdkIoTest, DropsMalformedFramesByTheThousand) {
  SeededRandom random(8);
  const Octets sound = testing::udp_frame(peer, us, Media).build();
  uint64_t packets = 0;
  for (int round = 0; round < 5000; ++round) {
    Octets frame = sound;
    for (uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
      frame[random.below(frame.size())] = static_cast<uint8_t>(random.next());
    }
    frame.resize(1 + random.below(frame.size()));
    port().arrive(0, frame);
    const std::vector<Packet> got = receive();
    packets += got.size();
    io().release(got);
  }
  EXPECT_LT(packets, 100u);
  discard_sent();
}

}  // namespace
}  // namespace viaduct::dpdk
