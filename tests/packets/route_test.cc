// Step 8: who gets this packet?
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using codec::MediaKind;
using path::Drop;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class Route : public PathFixture {
 protected:
  // Where the bridge sends media to, datagram by datagram.
  std::vector<std::pair<SocketAddress, uint16_t>> sent;
  void watch_media() {
    network.add_tap([this](const Datagram& d) {
      if (d.from == bridge && d.bytes[0] >= 128 && !rtcp::is_rtcp(d.bytes)) {
        sent.emplace_back(d.to, load_be16(&d.bytes[2]));
      }
    });
  }
};

TEST_F(Route, SendsToEveryoneElseInTheConference) {
  TestClient& bob = join(2);
  TestClient& eve = join(3);
  auto elsewhere = TestClient::like_chromium(4);
  elsewhere.conference = 9;
  TestClient& other = join(elsewhere);
  TestClient& ada = join_sender(1);
  send_now(ada, ada.mic(101));
  send_now(ada, ada.cam(201, true));
  EXPECT_THAT(bob.media, SizeIs(2));
  EXPECT_THAT(eve.media, SizeIs(2));
  EXPECT_THAT(other.media, IsEmpty());
  EXPECT_THAT(ada.media, IsEmpty()) << "nobody hears himself";
}

TEST_F(Route, KeepsTheCopiesForOneReceiverTogetherAndInOrder) {
  TestClient& bob = join(2);
  TestClient& eve = join(3);
  TestClient& ada = join_sender(1);
  watch_media();
  for (uint16_t s = 201; s <= 205; ++s) send(ada, ada.cam(s, s == 201));
  turn();
  ASSERT_THAT(sent, SizeIs(10));
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(sent[i].first, i < 5 ? bob.address : eve.address);
    EXPECT_EQ(sent[i].second, sent[i < 5 ? 0 : 5].second + i % 5);
  }
}

TEST_F(Route, KeepsToTheOrderOfArrivalWithinAStream) {
  TestClient& bob = join(2);
  TestClient& ada = join_sender(1);
  for (const uint16_t s : std::vector<uint16_t>{101, 103, 102, 104}) send(ada, ada.mic(s));
  turn();
  std::vector<int> order;
  for (const ReceivedRtp& r : bob.media)
    order.push_back(r.header.sequence - bob.media[0].header.sequence);
  EXPECT_THAT(order, ElementsAre(0, 2, 1, 3));
}

TEST_F(Route, SendsTheLoudestWhenThereAreMoreTalkersThanSlots) {
  TestClient& listener = join(TestClient::listener(9));  // two slots for sound
  std::vector<TestClient*> talkers;
  for (uint32_t n = 1; n <= 5; ++n) talkers.push_back(&join_sender(n));
  for (uint16_t s = 101; s < 130; ++s) {
    for (size_t i = 0; i < 5; ++i)
      send(*talkers[i], talkers[i]->mic(s, static_cast<uint8_t>(60 - 12 * i)));
    if (s == 120) forget_received();
    run_for(20ms);
  }
  EXPECT_THAT(listener.media, SizeIs(20)) << "ten packets of each of two";
  std::vector<conference::EndpointId> heard;
  for (const auto& slot : snapshot_of(listener).slots) {
    if (slot.kind == MediaKind::Audio && slot.carries) heard.push_back(*slot.carries);
  }
  EXPECT_THAT(heard, UnorderedElementsAre(conference::EndpointId{4}, conference::EndpointId{5}));
}

TEST_F(Route, SendsNothingToAReceiverWithoutKeysAndAsksForAKeyFrameOnceItHasThem) {
  handshakes_stalled = true;
  TestClient& late = add(TestClient::like_chromium(2));
  send_check(late.address, check_of(late));
  turn();
  const auto waiting = port.take_request();
  ASSERT_TRUE(waiting);
  handshakes_stalled = false;
  TestClient& ada = join_sender(1);
  send_now(ada, ada.mic(101));
  send_now(ada, ada.cam(201, true));
  EXPECT_THAT(late.media, IsEmpty());
  EXPECT_EQ(late.undecryptable, 0u);
  EXPECT_EQ(drops(Drop::NoConsent), 2u);

  give_keys(std::get<path::OpenSession>(*waiting));
  run_for(20ms);
  const uint64_t asked = counters.key_frames_asked.value();
  send(ada, ada.cam(202));
  run_for(500ms);
  EXPECT_EQ(counters.key_frames_asked.value(), asked + 1);
  send_now(ada, ada.cam(203, true));
  EXPECT_THAT(late.media, SizeIs(1));
}

TEST_F(Route, FillsTheSlotOfWhoLeavesWithWhoComes) {
  TestClient& bob = join(2);
  TestClient& ada = join_sender(1);
  leave(ada);
  TestClient& eve = join_sender(3);
  send_now(eve, eve.cam(201, true));
  EXPECT_THAT(bob.received_on(bob.ssrc(0x20)), SizeIs(1));
  const auto reports_to_bob = [&] {
    std::vector<std::optional<conference::EndpointId>> carried;
    for (const auto& r : reports_of<conference::SlotsChanged>()) {
      if (r.endpoint == bob.id()) carried.push_back(r.slots[1].carries);
    }
    return carried;
  }();
  EXPECT_THAT(reports_to_bob, ElementsAre(std::nullopt, ada.id(), std::nullopt, eve.id()));
}

}  // namespace
}  // namespace viaduct::testing
