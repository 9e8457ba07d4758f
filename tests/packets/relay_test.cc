// Packets of a conference on two workers, as they leave for the other one and come from there. The
// test plays worker 1.
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using conference::EndpointId;
using path::Drop;
using path::RelayKind;
using path::RelayMessage;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RelayStep : public PathFixture {
 protected:
  RelayStep() : mesh(std::move(*path::RelayMesh::open(2))) {
    path.connect_relay(0, mesh.links_of(0, {&io, &other}));
    const auto links = mesh.links_of(1, {&io, &other});
    to = links[0].out;
    from = links[0].in;
  }

  // Somebody of worker 1 with a microphone and a camera, called as a TestClient of that number.
  void add_remote(uint32_t number) {
    remotes.push_back(std::make_unique<TestClient>(TestClient::like_chromium(number), bridge,
                                                   random, now_));
    conference::AddEndpoint command = remotes.back()->describe();
    *command.endpoint = relayed_description(*command.endpoint, 1);
    path.add(command, now_);
    run_for(20ms);
    take();
  }
  void TearDown() override {
    for (const auto& remote : remotes) path.remove(remote->id());
    PathFixture::TearDown();
  }

  void say(uint32_t number, uint16_t source, RelayKind kind, auto&& fill) {
    RelayMessage* m = to->blank();
    ASSERT_TRUE(m);
    m->kind = kind;
    m->endpoint = EndpointId{number};
    m->source = source;
    fill(*m);
    to->push();
  }
  void demand(uint32_t number, uint16_t source, bool packets, bool key_frame = false) {
    say(number, source, RelayKind::Demand,
        [&](RelayMessage& m) { m.demand = {packets, key_frame}; });
  }
  void state(uint32_t number, uint16_t source, codec::CodecType codec, int loudness = 90) {
    say(number, source, RelayKind::State, [&](RelayMessage& m) {
      m.state.sending = true;
      m.state.codec = codec;
      m.state.loudness = loudness;
    });
  }
  struct Red {
    Red() {}
    Red(uint8_t type, uint16_t bytes) : block_type(type), front(bytes) {}
    std::optional<uint8_t> block_type;
    uint16_t front = 0;
  };
  // A packet of the remote client's camera or microphone, as worker 1 would hand it over.
  void packet(uint32_t number, uint16_t source, const Rtp& rtp, codec::CodecType codec,
              bool key = false, const Red& red = Red()) {
    const auto bytes = write_rtp(rtp, remotes.front()->options.extensions);
    say(number, source, RelayKind::Packet, [&](RelayMessage& m) {
      m.learned.arrival = now_;
      m.learned.header = *rtp::parse_header(bytes);
      m.learned.sequence = 0x10000 + rtp.sequence;
      m.learned.withheld = -1;
      m.learned.bytes = static_cast<uint16_t>(bytes.size());
      m.learned.payload_bytes =
          static_cast<uint16_t>(bytes.size() - m.learned.header.header_bytes);
      m.learned.codec = codec;
      m.learned.frame.key_frame = key;
      m.learned.red_block_type = red.block_type;
      m.learned.red_front = red.front;
      std::ranges::copy(bytes, m.packet.begin());
    });
  }
  // What worker 1 has been handed since the last call.
  std::vector<RelayMessage> take() {
    std::vector<RelayMessage> all;
    for (; const RelayMessage* m = from->front(); from->pop()) all.push_back(*m);
    return all;
  }
  std::vector<RelayMessage> take(RelayKind kind) {
    std::vector<RelayMessage> all = take();
    std::erase_if(all, [&](const RelayMessage& m) { return m.kind != kind; });
    return all;
  }

  // The edge of worker 1, of which nothing but waking is wanted.
  class Other final : public edge::PacketIo {
   public:
    size_t receive(std::span<Packet>, Timestamp) override { return 0; }
    size_t allocate(std::span<Packet>) override { return 0; }
    void send(std::span<const Packet>) override {}
    void release(std::span<const Packet>) override {}
    size_t wipe_released(size_t) override { return 0; }
    void wait(Duration) override {}
    void gather(Duration) override {}
    void wake() override { ++woken; }
    size_t free_packets() const override { return 0; }
    int woken = 0;
  } other;
  SeededRandom random{3};
  path::RelayMesh mesh;
  path::RelayRing* to = nullptr;
  path::RelayRing* from = nullptr;
  std::vector<std::unique_ptr<TestClient>> remotes;
};

TEST_F(RelayStep, HandsOnWhatTheOtherWorkerWantsAndNothingElse) {
  TestClient& ada = join_sender(1);
  add_remote(9);
  demand(1, 1, true);
  turn();
  take();
  send(ada, ada.mic(101));
  send(ada, ada.cam(201));
  turn();
  const auto packets = take(RelayKind::Packet);
  ASSERT_THAT(packets, SizeIs(1));
  EXPECT_EQ(packets[0].endpoint, ada.id());
  EXPECT_EQ(packets[0].source, 1u);
  EXPECT_EQ(packets[0].learned.header.sequence, 201u);
  const Rtp sent = ada.cam(201);
  const Bytes body = Bytes(packets[0].packet)
                         .subspan(packets[0].learned.header.header_bytes,
                                  packets[0].learned.payload_bytes);
  EXPECT_TRUE(std::ranges::equal(body, sent.payload));

  demand(1, 1, false);
  turn();
  take();
  send_now(ada, ada.cam(202));
  EXPECT_THAT(take(RelayKind::Packet), IsEmpty());
}

TEST_F(RelayStep, WakesTheOtherWorkerOnceForABatch) {
  TestClient& ada = join_sender(1);
  add_remote(9);
  demand(1, 1, true);
  run_for(20ms);
  const int before = other.woken;
  for (uint16_t s = 201; s < 221; ++s) send(ada, ada.cam(s));
  turn();
  EXPECT_THAT(take(RelayKind::Packet), SizeIs(20));
  EXPECT_LE(other.woken - before, 1);
}

TEST_F(RelayStep, SendsPacketsOfTheOtherWorkerAndAnswersNacksForThem) {
  TestClient& bob = join(2);
  add_remote(9);
  state(9, 1, codec::CodecType::Vp8);
  run_for(50ms);
  packet(9, 1, remotes[0]->cam(300, true), codec::CodecType::Vp8, true);
  packet(9, 1, remotes[0]->cam(301), codec::CodecType::Vp8);
  turn();
  const auto received = bob.received_on(bob.ssrc(0x20));
  ASSERT_THAT(received, SizeIs(2));
  EXPECT_EQ(counters.relayed_in.packets.value(), 2u);

  forget_received();
  nack(bob, bob.ssrc(0x20), {received[1].header.sequence});
  EXPECT_EQ(counters.sent[static_cast<size_t>(path::TxKind::Resent)].packets.value(), 1u);
  EXPECT_THAT(dropped(), IsEmpty());
}

// What read_payload has found out on the other worker.
TEST_F(RelayStep, StripsRedOfTheOtherWorkerWhereItsPrimaryBlockBegins) {
  TestClient& bob = join(2);
  add_remote(9);
  state(9, 0, codec::CodecType::Opus);
  run_for(50ms);
  Rtp sound = remotes[0]->mic(300);
  for (const bool readable : {true, false}) {
    forget_received();
    packet(9, 0, sound, codec::CodecType::Opus, false, Red{111, static_cast<uint16_t>(readable ? 6 : 0)});
    turn();
    const auto heard = bob.received_on(bob.ssrc(0x10));
    ASSERT_EQ(heard.size(), readable ? 1u : 0u);
    if (readable) {
      EXPECT_TRUE(std::ranges::equal(heard[0].payload(), Bytes(sound.payload).subspan(6)));
    }
    ++sound.sequence;
  }
  EXPECT_EQ(drops(path::Drop::RedUnreadable), 1u);
}

TEST_F(RelayStep, AsksTheOtherWorkerForPacketsAndKeyFramesOfWhatIsReceivedHere) {
  TestClient& bob = join(2);
  add_remote(9);
  state(9, 1, codec::CodecType::Vp8);
  run_for(50ms);
  bool packets = false, key_frame = false;
  for (const RelayMessage& m : take(RelayKind::Demand)) {
    if (m.source != 1) continue;
    packets = packets || m.demand.encodings != 0;
    key_frame = key_frame || m.demand.key_frames != 0;
  }
  EXPECT_TRUE(packets);
  EXPECT_TRUE(key_frame);

  packet(9, 1, remotes[0]->cam(300, true), codec::CodecType::Vp8, true);
  run_for(300ms);
  take();
  pli(bob, bob.ssrc(0x20));
  run_for(20ms);
  const auto asked = take(RelayKind::Demand);
  EXPECT_TRUE(std::ranges::any_of(asked, [](const auto& m) { return m.demand.key_frames != 0; }));
}

TEST_F(RelayStep, AsksItsOwnClientForTheKeyFrameThatTheOtherWorkerWants) {
  TestClient& ada = join_sender(1);
  add_remote(9);
  send_now(ada, ada.cam(201, true));
  run_for(600ms);
  const uint64_t asked = counters.key_frames_asked.value();
  demand(1, 1, true, true);
  run_for(20ms);
  EXPECT_EQ(counters.key_frames_asked.value(), asked + 1);
}

TEST_F(RelayStep, TellsTheStateOfASourceWhenItChangesAndWhenItIsAskedFor) {
  TestClient& ada = join(1);
  add_remote(9);
  run_for(100ms);
  EXPECT_THAT(take(RelayKind::State), IsEmpty()) << "it has been told already";
  send_now(ada, ada.cam(200));
  run_for(20ms);
  auto told = take(RelayKind::State);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_TRUE(told[0].state.sending);
  EXPECT_EQ(told[0].state.codec, codec::CodecType::Vp8);
  demand(1, 0, false);
  run_for(20ms);
  EXPECT_THAT(take(RelayKind::State), SizeIs(1));
}

TEST_F(RelayStep, CountsAndForgetsWhatIsAboutNobodyHere) {
  join(2);
  add_remote(9);
  packet(77, 1, remotes[0]->cam(300, true), codec::CodecType::Vp8, true);
  packet(9, 7, remotes[0]->cam(301, true), codec::CodecType::Vp8, true);
  packet(2, 1, remotes[0]->cam(302, true), codec::CodecType::Vp8, true);  // a client of this worker
  demand(77, 0, true);
  state(77, 0, codec::CodecType::Opus);
  turn();
  EXPECT_EQ(drops(Drop::RelayUnknown), 3u);
  EXPECT_EQ(counters.relayed_in.packets.value(), 0u);
}

TEST_F(RelayStep, CountsPacketsThatFindNoBuffer) {
  join(2);
  add_remote(9);
  leave_free(0);
  packet(9, 1, remotes[0]->cam(300, true), codec::CodecType::Vp8, true);
  turn();
  EXPECT_EQ(drops(Drop::NoPacket), 1u);
}

TEST_F(RelayStep, LeavesNothingInTheRing) {
  TestClient& ada = join_sender(1);
  add_remote(9);
  demand(1, 1, true);
  turn();
  take();
  send_now(ada, ada.cam(201));
  const RelayMessage* m = from->front();
  ASSERT_TRUE(m);
  const Bytes where(reinterpret_cast<const uint8_t*>(m), sizeof *m);
  from->pop();
  EXPECT_TRUE(std::ranges::all_of(where, [](uint8_t b) { return b == 0; }));
}

}  // namespace
}  // namespace viaduct::testing
