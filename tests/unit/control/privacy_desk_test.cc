// Clients that ask who can read what, and what it costs the workers.
#include "control/privacy_desk.h"

#include "tests/unit/control/rooms_fixture.h"

namespace viaduct::control {
namespace {

using nlohmann::json;

class PrivacyDeskTest : public RoomsTest {
 protected:
  PrivacyDeskTest() { desk.emplace(*rooms, snapshots); }

  void ask(SocketId socket) { say(socket, {{"type", "privacy"}}); }
  void tick() {
    desk->handle_timers(now);
    collect();
  }
  // Answers what a worker has been asked; how often it was.
  size_t answer(size_t worker) {
    const auto asked = commands<conference::TakeSnapshot>(worker);
    for (const auto& take : asked)
      snapshots.handle({take.request, {static_cast<uint32_t>(worker), {}}});
    collect();
    return asked.size();
  }

  SnapshotGatherer snapshots{workers};
  std::optional<PrivacyDesk> desk;
};

TEST_F(PrivacyDeskTest, AnswersAllWhoAskByOneQuestionToEachWorkerConcerned) {
  join(1, "Ada");
  join(2, "Grace");
  join(3, "Edsger", "elsewhere");
  inbox.clear();
  for (const SocketId socket : {1u, 2u, 3u}) ask(socket);
  EXPECT_TRUE(ports[0].take_commands().empty());  // not before the tick
  tick();
  EXPECT_EQ(answer(0), 1u);
  EXPECT_EQ(answer(1), 1u);
  const json first = next(1);
  EXPECT_EQ(first["type"], "privacy");
  EXPECT_EQ(first["report"]["conference"], "standup");
  EXPECT_EQ(first["report"]["participants"].size(), 2u);
  EXPECT_EQ(next(2), first);
  EXPECT_EQ(next(3)["report"]["conference"], "elsewhere");
  tick();
  EXPECT_EQ(answer(0), 0u);  // nobody asks any more
}

TEST_F(PrivacyDeskTest, HasOneQuestionUnderWayAtATime) {
  join(1, "Ada");
  join(2, "Grace");
  inbox.clear();
  ask(1);
  tick();
  ask(2);
  tick();
  EXPECT_EQ(answer(0), 1u);
  EXPECT_EQ(next_type(1), "privacy");
  EXPECT_TRUE(inbox[2].empty());
  tick();
  EXPECT_EQ(answer(0), 1u);
  EXPECT_EQ(next_type(2), "privacy");
}

TEST_F(PrivacyDeskTest, AnswersAClientOnceASecond) {
  join(1, "Ada");
  ask(1);
  ask(1);
  const json refused = next(1);
  EXPECT_EQ(refused["code"], "busy");
  EXPECT_EQ(refused["final"], false);
  tick();
  answer(0);
  EXPECT_EQ(next_type(1), "privacy");
  now += Rooms::PrivacyInterval;
  ask(1);
  tick();
  answer(0);
  EXPECT_EQ(next_type(1), "privacy");
}

TEST_F(PrivacyDeskTest, IsBusyWhenAWorkerCannotBeAskedOrDoesNotAnswer) {
  join(1, "Ada");
  ports[0].set_full(true);
  ask(1);
  tick();
  EXPECT_EQ(next_error(1), "busy");
  ports[0].set_full(false);
  now += Rooms::PrivacyInterval;
  ask(1);
  tick();
  EXPECT_TRUE(inbox[1].empty());
  now += SnapshotGatherer::Timeout;
  snapshots.handle_timers(now);
  collect();
  EXPECT_EQ(next_error(1), "busy");
  ask(1);  // and it goes on
  tick();
  answer(0);
  EXPECT_EQ(next_type(1), "privacy");
}

TEST_F(PrivacyDeskTest, ForgetsWhoLeavesBeforeTheAnswer) {
  join(1, "Ada");
  join(2, "Grace");
  ask(1);
  rooms->handle_closed(1, SocketEnd::Left, now);
  tick();
  EXPECT_EQ(answer(0), 0u);
  inbox.clear();
  ask(2);
  tick();
  rooms->handle_closed(2, SocketEnd::Left, now);
  answer(0);
  EXPECT_TRUE(inbox.empty());
}

}  // namespace
}  // namespace viaduct::control
