// On which worker conferences and people are placed.
#include "tests/unit/control/rooms_fixture.h"

namespace viaduct::control {
namespace {

class PlacementTest : public RoomsTest {
 protected:
  PlacementTest() : RoomsTest(3) {}

  size_t worker_of(const std::string& conference) { return rooms->find(conference)->worker; }
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

}  // namespace
}  // namespace viaduct::control
