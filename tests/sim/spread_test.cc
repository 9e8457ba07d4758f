// A conference on two workers: people of both hear and see each other over the relay between them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/simulated_bridge.h"

namespace viaduct::testing {
namespace {

using codec::MediaKind;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SpreadConference : public ::testing::Test {
 protected:
  // Client i goes to worker i modulo 2.
  void join_all(Simulation& sim, uint32_t clients, auto&& change) {
    for (uint32_t i = 1; i <= clients; ++i) {
      auto options = Simulation::client_options(i);
      change(options);
      sim.join(options, 1, i % 2);
    }
    ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, clients); }, 30s));
  }
  void join_all(Simulation& sim, uint32_t clients) {
    join_all(sim, clients, [](FakeClient::Options&) {});
  }
  static bool all_connected(Simulation& sim, size_t clients) {
    for (size_t i = 0; i < clients; ++i) {
      if (!sim.client(i).connected()) return false;
    }
    return true;
  }
  // Packets that client `to` got of client `from` (both from 0).
  static uint64_t got(Simulation& sim, size_t to, size_t from, MediaKind kind) {
    return sim.client(to).received_from(sim.client(from).number(), kind);
  }
};

TEST_F(SpreadConference, CarriesEveryoneToEveryoneElse) {
  for (const int cipher_delay : {0, 2}) {
    Simulation sim({.cipher_delay = cipher_delay, .workers = 2});
    join_all(sim, 4);
    sim.run_for(10s);
    for (size_t to = 0; to < 4; ++to) {
      for (size_t from = 0; from < 4; ++from) {
        if (to == from) continue;
        EXPECT_GT(got(sim, to, from, MediaKind::Audio), 450u) << from << " to " << to;
        EXPECT_GT(got(sim, to, from, MediaKind::Video), 400u) << from << " to " << to;
      }
    }
    EXPECT_EQ(sim.drops(path::Drop::RelayFull, 0) + sim.drops(path::Drop::RelayFull, 1), 0u);
    EXPECT_THAT(sim.faults(), IsEmpty());
    EXPECT_TRUE(sim.all_packets_returned());
  }
}

TEST_F(SpreadConference, CarriesOneCopyToAWorkerHoweverManyReceiveThere) {
  Simulation sim({.workers = 2});
  sim.join(Simulation::client_options(1), 1, 0);
  for (uint32_t i = 2; i <= 6; ++i) {
    auto options = Simulation::client_options(i);
    options.sends_audio = options.sends_video = false;
    sim.join(options, 1, 1);
  }
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 6); }, 10s));
  sim.run_for(5s);
  EXPECT_GT(got(sim, 5, 0, MediaKind::Video), 200u);
  EXPECT_LE(sim.counters(0).relayed_out.packets.value(),
            sim.client(0).audio_sent() + sim.client(0).video_sent());
  EXPECT_EQ(sim.counters(1).relayed_in.packets.value(),
            sim.counters(0).relayed_out.packets.value());
  EXPECT_EQ(sim.counters(1).relayed_out.packets.value(), 0u);
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST_F(SpreadConference, CarriesNothingToAWorkerWhereNobodyReceivesIt) {
  Simulation sim({.workers = 2});
  join_all(sim, 2, [](FakeClient::Options& o) { o.audio_slots = o.video_slots = 0; });
  sim.run_for(3s);
  EXPECT_EQ(sim.counters(0).relayed_out.packets.value(), 0u);
  EXPECT_EQ(sim.counters(1).relayed_out.packets.value(), 0u);
}

TEST_F(SpreadConference, FillsHolesOnBothSidesOfTheRelay) {
  Simulation sim({.seed = 21, .workers = 2});
  join_all(sim, 4, [&](FakeClient::Options& o) {
    Link link;
    link.delay = 30ms;
    link.jitter = 5ms;
    link.loss = 0.10;
    sim.network().attach(o.address);
    sim.network().set_uplink(o.address, link);
    sim.network().set_downlink(o.address, link);
  });
  sim.run_for(20s);
  for (size_t i = 0; i < 4; ++i) {
    uint64_t packets = 0, holes = 0, recovered = 0;
    for (const auto& slot : sim.client(i).slots()) {
      const auto stream = sim.client(i).streams().find(slot.ssrc);
      if (slot.kind != MediaKind::Video || stream == sim.client(i).streams().end()) continue;
      packets += stream->second.packets;
      holes += stream->second.holes();
      recovered += stream->second.recovered;
    }
    EXPECT_GT(packets, 2000u);
    EXPECT_GT(recovered, 100u);
    EXPECT_LT(holes, packets / 100) << "client " << i;
  }
  EXPECT_THAT(sim.faults(), IsEmpty());
  EXPECT_TRUE(sim.all_packets_returned());
}

TEST_F(SpreadConference, BeginsPicturesWithAKeyFrameForWhoComesLaterOnTheOtherWorker) {
  Simulation sim({.workers = 2});
  sim.join(Simulation::client_options(1), 1, 0);
  sim.join(Simulation::client_options(2), 1, 0);
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 10s));
  sim.run_for(5s);
  const uint64_t asked = sim.client(0).key_frame_requests();
  sim.join(Simulation::client_options(3), 1, 1);
  EXPECT_TRUE(sim.run_until([&] { return got(sim, 2, 0, MediaKind::Video) > 20; }, 5s));
  EXPECT_GT(sim.client(0).key_frame_requests(), asked);
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST_F(SpreadConference, ForgetsWhoLeavesOnBothWorkers) {
  Simulation sim({.workers = 2});
  join_all(sim, 4);
  sim.run_for(2s);
  sim.leave(sim.client(1));
  sim.run_for(1s);
  const uint64_t before = got(sim, 0, 1, MediaKind::Audio);
  sim.run_for(2s);
  EXPECT_EQ(got(sim, 0, 1, MediaKind::Audio), before);
  for (const size_t worker : {0, 1}) {
    const auto shot = sim.path(worker).snapshot(0, {}, sim.now());
    ASSERT_THAT(shot.conferences, SizeIs(1));
    for (const auto& endpoint : shot.conferences[0].endpoints) {
      for (const auto& slot : endpoint.slots)
        EXPECT_NE(slot.carries, std::optional(sim.id_of(sim.client(1))));
    }
  }
  EXPECT_TRUE(sim.all_packets_returned());
  EXPECT_THAT(sim.path(0).snapshot(0, {}, sim.now()).conferences, IsEmpty());
  EXPECT_THAT(sim.path(1).snapshot(0, {}, sim.now()).conferences, IsEmpty());
}

TEST_F(SpreadConference, GoesOnWhenTheFirstWorkerHasNobodyLeft) {
  Simulation sim({.workers = 2});
  join_all(sim, 4);
  sim.run_for(2s);
  sim.leave(sim.client(1));
  sim.leave(sim.client(3));
  sim.run_for(1s);
  const uint64_t before = got(sim, 0, 2, MediaKind::Video);
  sim.run_for(3s);
  EXPECT_GT(got(sim, 0, 2, MediaKind::Video), before + 100);
  EXPECT_THAT(sim.path(0).snapshot(0, {}, sim.now()).conferences, IsEmpty());
  EXPECT_THAT(sim.faults(), IsEmpty());
  EXPECT_TRUE(sim.all_packets_returned());
}

TEST_F(SpreadConference, ShowsEachParticipantOnceAndTellsOfTheConferenceOnce) {
  Simulation sim({.workers = 2});
  join_all(sim, 4);
  for (size_t i = 0; i < 4; ++i) sim.client(i).set_audio_level(i == 2 ? 30 : 100);
  sim.run_for(5s);
  std::multiset<conference::EndpointId> shown;
  for (const size_t worker : {0, 1}) {
    const auto shot = sim.path(worker).snapshot(0, {}, sim.now());
    for (const auto& c : shot.conferences) {
      EXPECT_EQ(c.speaker, std::optional(sim.id_of(sim.client(2)))) << "on worker " << worker;
      for (const auto& endpoint : c.endpoints) shown.insert(endpoint.id);
    }
  }
  EXPECT_THAT(shown, SizeIs(4));
  EXPECT_THAT(std::set(shown.begin(), shown.end()), SizeIs(4));
  size_t named = 0;
  for (const auto* report : sim.reports_of<conference::SpeakerChanged>())
    named += report->speaker == sim.id_of(sim.client(2));
  EXPECT_EQ(named, 1u);
  EXPECT_EQ(sim.counters(0).conferences.value() + sim.counters(1).conferences.value(), 1);
  EXPECT_EQ(sim.counters(0).endpoints.value() + sim.counters(1).endpoints.value(), 4);
}

TEST_F(SpreadConference, CarriesNothingOfWhoIsMuted) {
  Simulation sim({.workers = 2});
  join_all(sim, 2);
  sim.run_for(2s);
  sim.set_muted(sim.client(0), MediaKind::Video, true);
  sim.run_for(500ms);
  const uint64_t before = got(sim, 1, 0, MediaKind::Video);
  sim.run_for(2s);
  EXPECT_EQ(got(sim, 1, 0, MediaKind::Video), before);
  sim.set_muted(sim.client(0), MediaKind::Video, false);
  sim.run_for(2s);
  EXPECT_GT(got(sim, 1, 0, MediaKind::Video), before + 50);
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST_F(SpreadConference, CarriesAStreamThatGoesOnUnderAnotherSsrc) {
  Simulation sim({.workers = 2});
  join_all(sim, 2);
  sim.run_for(2s);
  sim.client(0).begin_new_video_stream();
  sim.run_for(1s);
  const uint64_t before = got(sim, 1, 0, MediaKind::Video);
  sim.run_for(2s);
  EXPECT_GT(got(sim, 1, 0, MediaKind::Video), before + 60);
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST_F(SpreadConference, CarriesSealedBodiesAsTheyAre) {
  Simulation sim({.workers = 2});
  sim.set_e2ee({.wanted = true, .required = true});
  join_all(sim, 4, [](FakeClient::Options& o) {
    o.bodies = FakeClient::Bodies::Sframe;
    o.describes_frames = o.number > 2;
  });
  sim.run_for(2s);
  for (size_t to = 0; to < 4; ++to) {
    for (size_t from = 0; from < 4; ++from)
      EXPECT_EQ(got(sim, to, from, MediaKind::Video), 0u) << "nobody has declared anything yet";
  }
  for (size_t i = 0; i < 4; ++i) sim.declare_e2ee(sim.client(i), true);
  sim.run_for(6s);
  for (size_t to = 0; to < 4; ++to) {
    for (size_t from = 0; from < 4; ++from) {
      if (to != from) {
        EXPECT_GT(got(sim, to, from, MediaKind::Video), 200u) << from << " to " << to;
      }
    }
  }
  EXPECT_THAT(sim.faults(), IsEmpty());  // every body was as its sender made it
  EXPECT_TRUE(sim.all_packets_returned());
}

TEST_F(SpreadConference, HoldsBackOnBothWorkersWhatLooksPlainWhereEncryptionIsRequired) {
  Simulation sim({.workers = 2});
  sim.set_e2ee({.wanted = true, .required = true});
  join_all(sim, 2);
  for (size_t i = 0; i < 2; ++i) sim.declare_e2ee(sim.client(i), true);
  sim.run_for(15s);
  const uint64_t before = got(sim, 1, 0, MediaKind::Video);
  sim.run_for(2s);
  EXPECT_EQ(got(sim, 1, 0, MediaKind::Video), before);
  size_t told = 0;
  for (const auto* report : sim.reports_of<conference::SourceHeldBack>()) {
    told += report->endpoint == sim.id_of(sim.client(0)) && report->kind == MediaKind::Video &&
            report->reason == conference::HeldBack::Contradicted;
  }
  EXPECT_EQ(told, 1u);
}

// The ring is bounded: a worker that is held up for a second misses packets, which are counted, and
// goes on afterwards.
TEST_F(SpreadConference, CountsWhatFindsTheRingFullAndRecovers) {
  Simulation sim({.workers = 2});
  join_all(sim, 6);
  sim.run_for(2s);
  sim.hold_up(1, true);
  sim.run_for(6s);
  EXPECT_GT(sim.drops(path::Drop::RelayFull, 0), 0u);
  sim.hold_up(1, false);
  sim.run_for(3s);
  const uint64_t full = sim.drops(path::Drop::RelayFull, 0);
  const uint64_t before = got(sim, 0, 1, MediaKind::Video);
  sim.run_for(3s);
  EXPECT_EQ(sim.drops(path::Drop::RelayFull, 0), full);
  EXPECT_GT(got(sim, 0, 1, MediaKind::Video), before + 100);
  EXPECT_TRUE(sim.all_packets_returned());
}

}  // namespace
}  // namespace viaduct::testing
