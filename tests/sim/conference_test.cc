// Whole conferences on virtual time: a bridge's worker, its handshake service, a network with
// faults, and clients that check what they get. Every run is repeatable from its seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/simulated_bridge.h"

namespace viaduct::testing {
namespace {

using codec::MediaKind;
using ::testing::IsEmpty;

Link lossy(double loss, Duration delay = 30ms) {
  Link link;
  link.delay = delay;
  link.jitter = 5ms;
  link.loss = loss;
  return link;
}

bool all_connected(Simulation& sim, size_t clients) {
  for (size_t i = 0; i < clients; ++i) {
    if (!sim.client(i).connected()) return false;
  }
  return true;
}

TEST(SimulatedConference, CarriesEveryoneToEveryoneElse) {
  Simulation sim;
  for (uint32_t i = 1; i <= 4; ++i) sim.join(Simulation::client_options(i));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 4); }, 5s));
  sim.run_for(10s);

  for (size_t to = 0; to < 4; ++to) {
    for (size_t from = 0; from < 4; ++from) {
      if (to == from) continue;
      const uint32_t number = sim.client(from).number();
      EXPECT_GT(sim.client(to).received_from(number, MediaKind::Audio), 450u)
          << from << " to " << to;
      EXPECT_GT(sim.client(to).received_from(number, MediaKind::Video), 400u)
          << from << " to " << to;
    }
  }
  EXPECT_THAT(sim.faults(), IsEmpty());
  EXPECT_TRUE(sim.all_packets_returned());
}

TEST(SimulatedConference, WorksWithACipherThatFinishesLater) {
  Simulation sim({.cipher_delay = 2});
  for (uint32_t i = 1; i <= 3; ++i) sim.join(Simulation::client_options(i));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 3); }, 5s));
  sim.run_for(5s);

  EXPECT_GT(sim.client(0).received_from(2, MediaKind::Video), 150u);
  EXPECT_GT(sim.client(2).received_from(1, MediaKind::Audio), 200u);
  EXPECT_THAT(sim.faults(), IsEmpty());
  EXPECT_TRUE(sim.all_packets_returned());
}

TEST(SimulatedConference, ServesClientsThatInsistOnBeingTheDtlsServer) {
  Simulation sim;
  auto passive = Simulation::client_options(1);
  passive.dtls_server = true;
  sim.join(passive);
  sim.join(Simulation::client_options(2));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 5s));
  sim.run_for(2s);
  EXPECT_GT(sim.client(0).received_from(2, MediaKind::Audio), 80u);
  EXPECT_GT(sim.client(1).received_from(1, MediaKind::Audio), 80u);
  EXPECT_THAT(sim.faults(), IsEmpty());
}

// Each seed is another network. Lost video comes back by NACK and RTX on both hops.
class LossyConference : public ::testing::TestWithParam<uint64_t> {};

TEST_P(LossyConference, LeavesHardlyAHoleInVideoAtTenPercentLoss) {
  Simulation sim({.seed = GetParam()});
  for (uint32_t i = 1; i <= 3; ++i) {
    const auto options = Simulation::client_options(i);
    sim.network().attach(options.address);
    sim.network().set_uplink(options.address, lossy(0.10));
    sim.network().set_downlink(options.address, lossy(0.10));
    sim.join(options);
  }
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 3); }, 30s));
  sim.run_for(20s);

  for (size_t i = 0; i < 3; ++i) {
    uint64_t packets = 0, holes = 0;
    for (const auto& slot : sim.client(i).slots()) {
      const auto stream = sim.client(i).streams().find(slot.ssrc);
      if (slot.kind != MediaKind::Video || stream == sim.client(i).streams().end()) continue;
      packets += stream->second.packets;
      holes += stream->second.holes();
      EXPECT_GT(stream->second.recovered, 0u);
    }
    EXPECT_GT(packets, 1500u);
    EXPECT_LT(holes, packets / 100) << "client " << i;
  }
  EXPECT_THAT(sim.faults(), IsEmpty());
  EXPECT_TRUE(sim.all_packets_returned());
}

INSTANTIATE_TEST_SUITE_P(Seeds, LossyConference, ::testing::Values(11, 12, 13));

TEST(SimulatedConference, KeepsStreamsContinuousUnderReorderingAndDuplication) {
  Simulation sim({.seed = 5});
  for (uint32_t i = 1; i <= 3; ++i) {
    const auto options = Simulation::client_options(i);
    Link link = lossy(0.01);
    link.reordering = 0.05;
    link.duplication = 0.05;
    sim.network().attach(options.address);
    sim.network().set_uplink(options.address, link);
    sim.join(options);
  }
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 3); }, 10s));
  sim.run_for(10s);
  EXPECT_GT(sim.client(0).received_from(2, MediaKind::Video), 400u);
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST(SimulatedConference, GoesOnWhenAClientsAddressChangesInMidCall) {
  Simulation sim;
  sim.join(Simulation::client_options(1));
  FakeClient& mover = sim.join(Simulation::client_options(2));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 5s));
  sim.run_for(2s);
  const uint64_t before = sim.client(0).received_from(2, MediaKind::Audio);
  const uint64_t heard = mover.received_from(1, MediaKind::Audio);

  mover.move_to({IpAddress::v4(0x0a0000c8), 55555}, sim.now());
  sim.run_for(3s);

  EXPECT_GT(sim.client(0).received_from(2, MediaKind::Audio), before + 130);
  EXPECT_GT(mover.received_from(1, MediaKind::Audio), heard + 130);
  EXPECT_THAT(sim.reports_of<conference::EndpointGone>(), IsEmpty());
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST(SimulatedConference, SendsNothingThirtySecondsAfterAClientVanished) {
  Simulation sim;
  sim.join(Simulation::client_options(1));
  FakeClient& lost = sim.join(Simulation::client_options(2));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 5s));
  lost.vanish();
  const SocketAddress address = lost.address();
  Timestamp last{};
  sim.network().add_tap([&](const Datagram& d) {
    if (d.to == address) last = d.sent;
  });
  const Timestamp vanished = sim.now();
  sim.run_for(60s);

  EXPECT_GT(last, vanished + 15s) << "it went on while there was consent";
  EXPECT_LE(last, vanished + 30s);
  const auto gone = sim.reports_of<conference::EndpointGone>();
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0]->reason, conference::GoneReason::ConsentLost);
}

TEST(SimulatedConference, TellsEveryoneWhatTheirSlotsCarryAsPeopleComeAndGo) {
  Simulation sim;
  FakeClient& ada = sim.join(Simulation::client_options(1));
  FakeClient& bob = sim.join(Simulation::client_options(2));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 5s));
  sim.run_for(1s);

  const auto carried_by_ada = [&] {
    std::set<conference::EndpointId> ids;
    for (const auto* report : sim.reports_of<conference::SlotsChanged>()) {
      if (report->endpoint != sim.id_of(ada)) continue;
      ids.clear();
      for (const auto& slot : report->slots) {
        if (slot.carries) ids.insert(*slot.carries);
      }
    }
    return ids;
  };
  EXPECT_EQ(carried_by_ada(), std::set{sim.id_of(bob)});
  sim.leave(bob);
  sim.run_for(1s);
  EXPECT_THAT(carried_by_ada(), IsEmpty());

  FakeClient& cleo = sim.join(Simulation::client_options(3));
  ASSERT_TRUE(sim.run_until([&] { return cleo.connected(); }, 5s));
  sim.run_for(2s);
  EXPECT_EQ(carried_by_ada(), std::set{sim.id_of(cleo)});
  EXPECT_GT(ada.received_from(3, MediaKind::Video), 50u)
      << "a new picture in a slot that was used before";
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST(SimulatedConference, ForwardsTheLoudestThreeOfTen) {
  Simulation sim;
  for (uint32_t i = 1; i <= 10; ++i) {
    auto options = Simulation::client_options(i);
    options.sends_video = false;
    options.video_slots = 0;
    sim.join(options).set_audio_level(i <= 3 ? 20 : 90);
  }
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 10); }, 10s));
  sim.run_for(5s);

  const FakeClient& listener = sim.client(9);
  for (uint32_t loud = 1; loud <= 3; ++loud)
    EXPECT_GT(listener.received_from(loud, MediaKind::Audio), 150u);
  uint64_t quiet_before = 0;
  for (uint32_t quiet = 4; quiet <= 9; ++quiet)
    quiet_before += listener.received_from(quiet, MediaKind::Audio);

  sim.client(4).set_audio_level(10);  // number 5 begins to speak and displaces one of the three
  sim.run_for(3s);
  EXPECT_GT(listener.received_from(5, MediaKind::Audio), 100u);
  EXPECT_LT(quiet_before, 150u);
  EXPECT_THAT(sim.faults(), IsEmpty());
  EXPECT_THAT(sim.reports_of<conference::SpeakerChanged>(), ::testing::Not(IsEmpty()));
}

TEST(SimulatedConference, WithholdsSilenceBeforeDecryptionAndLeavesNoHole) {
  Simulation sim;
  FakeClient& quiet = sim.join(Simulation::client_options(1));
  FakeClient& listener = sim.join(Simulation::client_options(2));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 5s));
  sim.run_for(1s);
  quiet.set_audio_level(127);
  sim.run_for(20s);
  EXPECT_GT(sim.drops(path::Drop::Silence), 900u);
  const uint64_t heard = listener.received_from(1, MediaKind::Audio);
  quiet.set_audio_level(30);
  sim.run_for(1s);

  EXPECT_GT(listener.received_from(1, MediaKind::Audio), heard + 40);
  for (const auto& slot : listener.slots()) {
    const auto stream = listener.streams().find(slot.ssrc);
    if (slot.kind != MediaKind::Audio || stream == listener.streams().end()) continue;
    EXPECT_EQ(stream->second.holes(), 0u);
  }
  EXPECT_THAT(sim.faults(), IsEmpty());
}

// Fourteen minutes of silence: the sequence number rolls over while hardly a packet is decrypted.
TEST(SimulatedConference, HearsAClientAgainAfterASilenceLongerThanARollover) {
  Simulation sim;
  auto speaker = Simulation::client_options(1);
  speaker.sends_video = false;
  auto listener = Simulation::client_options(2);
  listener.sends_video = listener.sends_audio = false;
  FakeClient& quiet = sim.join(speaker);
  sim.join(listener);
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 5s));
  quiet.set_audio_level(127);
  sim.run_for(14min);
  const uint64_t heard = sim.client(1).received_from(1, MediaKind::Audio);
  quiet.set_audio_level(30);
  sim.run_for(2s);
  EXPECT_GT(sim.client(1).received_from(1, MediaKind::Audio), heard + 80);
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST(SimulatedConference, StopsWhatIsMutedAndResumesItWithAKeyFrame) {
  Simulation sim;
  FakeClient& ada = sim.join(Simulation::client_options(1));
  FakeClient& bob = sim.join(Simulation::client_options(2));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 5s));
  sim.run_for(1s);
  sim.set_muted(ada, MediaKind::Video, true);
  sim.run_for(1s);
  const uint64_t seen = bob.received_from(1, MediaKind::Video);
  const uint64_t requests = ada.key_frame_requests();
  sim.run_for(2s);
  EXPECT_EQ(bob.received_from(1, MediaKind::Video), seen);
  sim.set_muted(ada, MediaKind::Video, false);
  sim.run_for(2s);
  EXPECT_GT(bob.received_from(1, MediaKind::Video), seen + 50);
  EXPECT_GT(ada.key_frame_requests(), requests);
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST(SimulatedConference, KeepsASlotContinuousWhenItsSourceGoesOnUnderAnotherSsrc) {
  Simulation sim;
  FakeClient& sender = sim.join(Simulation::client_options(1));
  FakeClient& viewer = sim.join(Simulation::client_options(2));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 5s));
  for (int i = 0; i < 5; ++i) {
    sim.run_for(2s);
    const uint64_t seen = viewer.received_from(1, MediaKind::Video);
    sender.begin_new_video_stream();
    sim.run_for(2s);
    EXPECT_GT(viewer.received_from(1, MediaKind::Video), seen + 60);
  }
  for (const auto& slot : viewer.slots()) {
    const auto stream = viewer.streams().find(slot.ssrc);
    if (stream == viewer.streams().end()) continue;
    EXPECT_EQ(stream->second.holes(), 0u);
  }
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST(SimulatedConference, ReportsASourceThatAReceiverCannotDecode) {
  Simulation sim;
  sim.join(Simulation::client_options(1));
  auto other = Simulation::client_options(2);
  other.decodes = {codec::CodecType::Opus, codec::CodecType::H264};
  FakeClient& deaf_to_vp8 = sim.join(other);
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 5s));
  sim.run_for(1s);

  EXPECT_EQ(deaf_to_vp8.received_from(1, MediaKind::Video), 0u);
  EXPECT_GT(deaf_to_vp8.received_from(1, MediaKind::Audio), 30u);
  bool reported = false;
  for (const auto* report : sim.reports_of<conference::SlotsChanged>()) {
    if (report->endpoint != sim.id_of(deaf_to_vp8)) continue;
    for (const auto& u : report->undecodable)
      reported |= u.endpoint == sim.id_of(sim.client(0)) && u.codec == codec::CodecType::Vp8;
  }
  EXPECT_TRUE(reported);
  EXPECT_THAT(sim.reports_of<conference::CodecsChanged>().back()->video, IsEmpty())
      << "they have no format in common";
}

TEST(SimulatedConference, IsTheSameFromTheSameSeed) {
  const auto run = [](uint64_t seed) {
    Simulation sim({.seed = seed});
    for (uint32_t i = 1; i <= 3; ++i) {
      const auto options = Simulation::client_options(i);
      sim.network().attach(options.address);
      sim.network().set_uplink(options.address, lossy(0.05));
      sim.join(options).set_sending(true);
    }
    sim.run_for(5s);
    return sim.client(0).received_from(2, MediaKind::Video) * 1000 +
           sim.client(1).received_from(3, MediaKind::Audio);
  };
  const uint64_t once = run(7);
  EXPECT_GT(once, 10'000u);
  EXPECT_EQ(run(7), once);
}

TEST(SimulatedConference, SurvivesChurn) {
  Simulation sim({.seed = 21});
  for (uint32_t i = 1; i <= 3; ++i) sim.join(Simulation::client_options(i));
  for (uint32_t i = 4; i <= 20; ++i) {
    sim.run_for(700ms);
    sim.leave(sim.client(i - 4));
    sim.join(Simulation::client_options(i));
  }
  sim.run_for(3s);
  EXPECT_GT(sim.client(18).received_from(20, MediaKind::Video), 50u);
  EXPECT_THAT(sim.faults(), IsEmpty());
  EXPECT_TRUE(sim.all_packets_returned());
}

}  // namespace
}  // namespace viaduct::testing
