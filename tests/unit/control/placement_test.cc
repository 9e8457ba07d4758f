// On which worker conferences and people are placed.
#include "tests/unit/control/rooms_fixture.h"

namespace viaduct::control {
namespace {

class PlacementTest : public RoomsTest {
 protected:
  PlacementTest() : RoomsTest(3) {}

  size_t worker_of(const std::string& conference) { return rooms->find(conference)->workers.front(); }
  void join_many(int people, const std::string& prefix) {
    for (int i = 0; i < people; ++i) {
      const SocketId socket = next_socket_++;
      join(socket, "somebody", prefix + std::to_string(i));
    }
  }

 private:
  SocketId next_socket_ = 1000;
};

TEST_F(PlacementTest, PutsAConferenceOnTheLeastBusyWorker) {
  workers[0].load.on_report(0.6);
  workers[1].load.on_report(0.2);
  workers[2].load.on_report(0.4);
  join(1, "Ada", "one");
  EXPECT_EQ(worker_of("one"), 1u);
}

TEST_F(PlacementTest, CountsPeopleWhereWorkersAreAlikeBusy) {
  workers[0].load.on_report(0.31);
  workers[1].load.on_report(0.33);
  workers[2].load.on_report(0.9);
  join(1, "Ada", "one");
  join(2, "Bea", "two");
  join(3, "Cleo", "three");
  EXPECT_EQ(worker_of("one"), 0u);
  EXPECT_EQ(worker_of("two"), 1u);
  EXPECT_EQ(worker_of("three"), 0u);
}

TEST_F(PlacementTest, SpreadsManyWhoJoinBeforeTheNextReport) {
  workers[0].load.on_report(0.5);
  workers[1].load.on_report(0.5);
  workers[2].load.on_report(0.4);
  join_many(120, "meeting-");
  // The one that was freer by a tenth gets twenty more than the others, not all.
  for (const WorkerLink& w : workers) EXPECT_GE(w.participants, 25u);
  EXPECT_GT(workers[2].participants, workers[0].participants);
}

TEST_F(PlacementTest, BelievesTheFigureAgainOnceThoseWhoJoinedShowInIt) {
  for (WorkerLink& w : workers) w.load.on_report(0.1);
  join_many(60, "meeting-");
  for (int second = 0; second < 10; ++second) {
    workers[0].load.on_report(0.12);
    workers[1].load.on_report(0.3);
    workers[2].load.on_report(0.3);
  }
  join(1, "Ada", "late");
  EXPECT_EQ(worker_of("late"), 0u);
}

TEST_F(PlacementTest, PassesOverAWorkerThatIsFull) {
  workers[0].participants = limits::EndpointsPerWorker;
  workers[1].load.on_report(0.5);
  workers[2].load.on_report(0.9);
  join(1, "Ada", "one");
  EXPECT_EQ(worker_of("one"), 1u);
}

// Conferences on several workers.

class SpreadRoomTest : public RoomsTest {
 protected:
  SpreadRoomTest() : RoomsTest(3) {
    settings.participants_per_worker = 2;
    open_rooms();
  }
  void join_and_offer(SocketId socket) {
    ids[socket] = join(socket, "somebody");
    say(socket, {{"type", "offer"}, {"sdp", SmallOffer}});
    EXPECT_EQ(next_type(socket), "answer");
  }
  // What a worker was told to add since the last call: its own clients, then those of others.
  std::pair<std::vector<uint64_t>, std::vector<uint64_t>> added(size_t worker) {
    std::pair<std::vector<uint64_t>, std::vector<uint64_t>> out;
    for (const auto& add : commands<conference::AddEndpoint>(worker)) {
      (add.endpoint->relayed_from ? out.second : out.first)
          .push_back(static_cast<uint64_t>(add.endpoint->id));
    }
    return out;
  }
  using Added = std::pair<std::vector<uint64_t>, std::vector<uint64_t>>;
};

TEST_F(SpreadRoomTest, PutsFurtherPeopleOfAConferenceOnOtherWorkersAndTellsAllOfAll) {
  for (SocketId s = 1; s <= 5; ++s) join_and_offer(s);
  const RoomView room = *rooms->find("standup");
  EXPECT_EQ(room.workers, (std::vector<size_t>{0, 1, 2}));
  std::vector<size_t> where;
  for (const auto& person : room.people) where.push_back(person.worker);
  EXPECT_EQ(where, (std::vector<size_t>{0, 0, 1, 1, 2}));
  EXPECT_EQ(added(0), (Added{{1, 2}, {3, 4, 5}}));
  EXPECT_EQ(added(1), (Added{{3, 4}, {1, 2, 5}}));
  EXPECT_EQ(added(2), (Added{{5}, {1, 2, 3, 4}}));
}

TEST_F(SpreadRoomTest, TellsOtherWorkersNoSecretOfATransportAndNoSlot) {
  for (SocketId s = 1; s <= 3; ++s) join_and_offer(s);
  size_t relayed = 0;
  for (const auto& add : commands<conference::AddEndpoint>(1)) {
    if (!add.endpoint->relayed_from) continue;
    ++relayed;
    EXPECT_EQ(add.endpoint->relayed_from, 0u);
    EXPECT_TRUE(add.endpoint->local_pwd.empty());
    EXPECT_TRUE(add.endpoint->remote_pwd.empty());
    EXPECT_TRUE(add.endpoint->slots.empty());
    EXPECT_EQ(add.endpoint->sources.size(), 1u);
    EXPECT_EQ(add.conference_name, "standup");
  }
  EXPECT_EQ(relayed, 2u);
}

TEST_F(SpreadRoomTest, OffersEachTheCandidatesOfItsWorker) {
  for (SocketId s = 1; s <= 2; ++s) join_and_offer(s);
  join(3, "Cleo");
  say(3, {{"type", "offer"}, {"sdp", SmallOffer}});
  const std::string answer = next(3).value("sdp", "");
  EXPECT_NE(answer.find(" 10001 typ host"), std::string::npos) << answer;
}

TEST_F(SpreadRoomTest, TellsEveryWorkerOfTheConferenceWhatSomebodySaid) {
  for (SocketId s = 1; s <= 3; ++s) join_and_offer(s);
  say(1, {{"type", "mute"}, {"kind", "audio"}, {"muted", true}});
  for (const size_t worker : {0, 1}) {
    const auto told = commands<conference::SetMuted>(worker);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].endpoint, conference::EndpointId{1});
  }
  say(3, {{"type", "e2ee"}, {"wanted", true}});
  for (const size_t worker : {0, 1})
    EXPECT_EQ(commands<conference::SetE2eePolicy>(worker).size(), 1u);
  EXPECT_TRUE(commands<conference::SetE2eePolicy>(2).empty());
}

TEST_F(SpreadRoomTest, TellsAWorkerThatComesToItWhatWasSaidBefore) {
  for (SocketId s = 1; s <= 2; ++s) join_and_offer(s);
  say(1, {{"type", "mute"}, {"kind", "video"}, {"muted", true}});
  say(2, {{"type", "declare"}, {"e2ee", true}});
  join_and_offer(3);
  std::vector<conference::Command> told = ports[1].take_commands();
  bool muted = false, declared = false;
  for (const auto& command : told) {
    if (const auto* m = std::get_if<conference::SetMuted>(&command))
      muted = m->endpoint == conference::EndpointId{1} && m->muted;
    if (const auto* d = std::get_if<conference::DeclareE2ee>(&command))
      declared = d->endpoint == conference::EndpointId{2} && d->declared;
  }
  EXPECT_TRUE(muted);
  EXPECT_TRUE(declared);
}

TEST_F(SpreadRoomTest, TakesWhoLeavesFromAllWorkersAndAllFromAWorkerWithNobodyLeft) {
  for (SocketId s = 1; s <= 3; ++s) join_and_offer(s);
  for (size_t w = 0; w < 3; ++w) ports[w].take_commands();
  rooms->handle_closed(1, SocketEnd::Left, now);
  EXPECT_EQ(commands<conference::RemoveEndpoint>(0).size(), 1u);
  EXPECT_EQ(commands<conference::RemoveEndpoint>(1).size(), 1u);

  // The last on worker 1 was lost there: worker 1 knows that, but not that the rest has no use now.
  report(conference::EndpointGone{conference::EndpointId{3}, conference::GoneReason::ConsentLost});
  const auto on_0 = commands<conference::RemoveEndpoint>(0);
  ASSERT_EQ(on_0.size(), 1u);
  EXPECT_EQ(on_0[0].endpoint, conference::EndpointId{3});
  const auto on_1 = commands<conference::RemoveEndpoint>(1);
  ASSERT_EQ(on_1.size(), 1u);
  EXPECT_EQ(on_1[0].endpoint, conference::EndpointId{2});
  EXPECT_EQ(rooms->find("standup")->workers, (std::vector<size_t>{0}));
  EXPECT_EQ(workers[1].participants + workers[1].relayed + workers[1].conferences, 0u);
  EXPECT_EQ(workers[0].relayed, 0u);

  rooms->handle_closed(2, SocketEnd::Left, now);
  EXPECT_EQ(workers[0].participants + workers[0].relayed + workers[0].conferences, 0u);
}

TEST_F(SpreadRoomTest, GoesToAnotherWorkerEarlierWhereTheFirstIsBusy) {
  settings.participants_per_worker = 100;
  workers[1].load.on_report(0.1);
  join_and_offer(1);
  workers[0].load.on_report(0.8);
  join_and_offer(2);
  EXPECT_EQ(rooms->find("standup")->workers, (std::vector<size_t>{0, 2}));
}

TEST_F(SpreadRoomTest, RefusesAnOfferThatAWorkerCannotTakeAndLeavesNobodyThere) {
  for (SocketId s = 1; s <= 2; ++s) join_and_offer(s);
  join(3, "Cleo");
  ports[1].set_full(true);
  say(3, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(next(3).value("code", ""), "busy");
  EXPECT_EQ(workers[1].relayed, 0u);
  ports[1].set_full(false);
}

}  // namespace
}  // namespace viaduct::control
