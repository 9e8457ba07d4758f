// Conferences that are encrypted end to end, whole and on virtual time: what is forwarded hangs on
// no body, nothing is lost when encryption begins in mid-call, and what has to be encrypted and is
// not goes nowhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/rtcp/parse.h"
#include "tests/sim/simulated_bridge.h"

namespace viaduct::testing {
namespace {

using codec::MediaKind;
using conference::HeldBack;
using conference::ObservedBodies;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Bodies = FakeClient::Bodies;

constexpr conference::E2eePolicy InClear{}, Wanted{.wanted = true},
    Required{.wanted = true, .required = true};

FakeClient::Options options_of(uint32_t number, Bodies bodies, bool describes) {
  auto options = Simulation::client_options(number);
  options.bodies = bodies;
  options.describes_frames = describes;
  return options;
}

bool all_connected(Simulation& sim, size_t clients) {
  for (size_t i = 0; i < clients; ++i) {
    if (!sim.client(i).connected()) return false;
  }
  return true;
}

// What the bridge decided about one packet: to whom, as what, with which numbers.
using Decision = std::tuple<std::string, uint32_t, uint16_t, uint32_t, bool, size_t>;

struct Call {
  std::vector<Decision> decisions;
  std::set<ObservedBodies> observed;
  std::vector<std::string> faults;
};

Call hold_call(const conference::E2eePolicy& policy, Bodies bodies, bool describe) {
  Simulation sim({.seed = 31});
  Call out;
  sim.network().add_tap([&](const Datagram& d) {
    if (d.from != sim.address || d.bytes.empty() || d.bytes[0] < 128 || rtcp::is_rtcp(d.bytes))
      return;
    const auto header = rtp::parse_header(d.bytes).value();
    out.decisions.emplace_back(d.to.to_string(), header.ssrc, header.sequence, header.timestamp,
                               header.marker, d.bytes.size());
  });
  sim.set_e2ee(policy);
  for (uint32_t i = 1; i <= 4; ++i) {
    auto options = options_of(i, bodies, describe && i != 2);
    options.video_slots = 2;
    Link link;
    link.delay = 20ms;
    link.jitter = 5ms;
    link.loss = 0.03;
    sim.network().attach(options.address);
    sim.network().set_uplink(options.address, link);
    sim.network().set_downlink(options.address, link);
    sim.join(options).set_audio_level(static_cast<uint8_t>(20 + 10 * i));
  }
  sim.run_for(6s);
  sim.client(3).set_audio_level(5);
  sim.client(0).begin_new_video_stream();
  sim.run_for(3s);
  sim.leave(sim.client(1));
  sim.run_for(3s);
  for (const auto* r : sim.reports_of<conference::BodiesObserved>())
    out.observed.insert(r->observed);
  out.faults = sim.faults();
  return out;
}

class ForwardingDecisions : public ::testing::TestWithParam<bool> {};

TEST_P(ForwardingDecisions, AreTheSameForRealAndForRandomBodies) {
  const Call real = hold_call(Wanted, Bodies::Plain, GetParam());
  const Call random = hold_call(Wanted, Bodies::Noise, GetParam());
  const Call sealed = hold_call(Wanted, Bodies::Sframe, GetParam());
  EXPECT_GT(real.decisions.size(), 5000u);
  EXPECT_EQ(real.decisions, random.decisions);
  EXPECT_EQ(real.decisions, sealed.decisions);
  for (const Call* r : {&real, &random, &sealed}) EXPECT_THAT(r->faults, IsEmpty());
  // It was not for want of a difference.
  EXPECT_THAT(real.observed, Contains(ObservedBodies::Plain));
  EXPECT_THAT(sealed.observed, Contains(ObservedBodies::Ciphertext));
  EXPECT_THAT(random.observed, Not(Contains(ObservedBodies::Plain)));
}
INSTANTIATE_TEST_SUITE_P(Senders, ForwardingDecisions, ::testing::Bool(), [](const auto& row) {
  return row.param ? "WithDependencyDescriptors" : "WithoutDependencyDescriptors";
});

// The honest control: in clear, codec data is read, and it makes a difference.
TEST(ForwardingDecision, DiffersForRealAndForRandomBodiesInClear) {
  EXPECT_NE(hold_call(InClear, Bodies::Plain, false).decisions,
            hold_call(InClear, Bodies::Noise, false).decisions);
}

TEST(EncryptedCall, LosesNoSoundWhenEncryptionBeginsAndEndsInMidCall) {
  Simulation sim;
  for (uint32_t i = 1; i <= 3; ++i) sim.join(options_of(i, Bodies::Plain, i != 2));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 3); }, 5s));
  sim.run_for(2s);
  const auto heard = [&] {
    std::vector<uint64_t> lag;
    for (size_t to = 0; to < 3; ++to) {
      for (size_t from = 0; from < 3; ++from) {
        if (from != to)
          lag.push_back(sim.client(from).audio_sent() -
                        sim.client(to).received_from(sim.client(from).number(), MediaKind::Audio));
      }
    }
    return lag;
  };
  const auto missing_before = heard();
  const uint64_t seen_before = sim.client(0).received_from(2, MediaKind::Video);
  for (int round = 0; round < 3; ++round) {
    for (const bool encrypted : {true, false}) {
      sim.set_e2ee(encrypted ? Wanted : InClear);
      for (size_t i = 0; i < 3; ++i) {
        sim.client(i).set_bodies(encrypted ? Bodies::Sframe : Bodies::Plain);
        sim.declare_e2ee(sim.client(i), encrypted);
      }
      sim.run_for(2s);
    }
  }
  // The same number under way as before: nothing else is missing.
  const auto missing_after = heard();
  for (size_t i = 0; i < missing_before.size(); ++i)
    EXPECT_LE(missing_after[i], missing_before[i] + 1) << i;
  EXPECT_GT(sim.client(0).received_from(2, MediaKind::Video), seen_before + 400);
  EXPECT_GT(sim.client(1).received_from(1, MediaKind::Video), seen_before + 400);
  for (size_t i = 0; i < 3; ++i) {
    for (const auto& slot : sim.client(i).slots()) {
      const auto stream = sim.client(i).streams().find(slot.ssrc);
      if (stream != sim.client(i).streams().end()) {
        EXPECT_EQ(stream->second.holes(), 0u) << slot.mid;
      }
    }
  }
  EXPECT_THAT(sim.faults(), IsEmpty());
  EXPECT_TRUE(sim.all_packets_returned());
}

TEST(EncryptedCall, FindsOutWithinSecondsWhoDeclaresEncryptionAndSendsPlain) {
  Simulation sim;
  sim.set_e2ee(Wanted);
  FakeClient& liar = sim.join(options_of(1, Bodies::Plain, true));
  FakeClient& honest = sim.join(options_of(2, Bodies::Sframe, false));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 2); }, 5s));
  sim.declare_e2ee(liar, true);
  sim.declare_e2ee(honest, true);
  sim.run_for(4s);
  std::map<conference::EndpointId, std::vector<ObservedBodies>> observed;
  for (const auto* r : sim.reports_of<conference::BodiesObserved>())
    observed[r->endpoint].push_back(r->observed);
  EXPECT_THAT(observed[sim.id_of(liar)], AllOf(SizeIs(2), Each(ObservedBodies::Plain)));
  EXPECT_THAT(observed[sim.id_of(honest)], AllOf(SizeIs(2), Each(ObservedBodies::Ciphertext)));
  EXPECT_GT(honest.received_from(1, MediaKind::Video), 100u) << "required is another matter";
}

TEST(EncryptedCall, ForwardsToNobodyWhatHasToBeEncryptedAndIsNot) {
  Simulation sim;
  sim.set_e2ee(Required);
  FakeClient& good = sim.join(options_of(1, Bodies::Sframe, true));
  FakeClient& undeclared = sim.join(options_of(2, Bodies::Sframe, true));
  FakeClient& liar = sim.join(options_of(3, Bodies::Plain, true));
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 3); }, 5s));
  sim.declare_e2ee(good, true);
  sim.declare_e2ee(liar, true);
  sim.run_for(5s);
  for (const auto kind : {MediaKind::Audio, MediaKind::Video}) {
    EXPECT_GT(undeclared.received_from(1, kind), 100u);
    EXPECT_EQ(good.received_from(2, kind), 0u);
    const uint64_t before_it_was_found_out = good.received_from(3, kind);
    sim.run_for(2s);
    EXPECT_EQ(good.received_from(3, kind), before_it_was_found_out);
  }
  std::map<conference::EndpointId, std::set<HeldBack>> reasons;
  for (const auto* r : sim.reports_of<conference::SourceHeldBack>())
    reasons[r->endpoint].insert(r->reason);
  EXPECT_THAT(reasons[sim.id_of(liar)], Contains(HeldBack::Contradicted));
  EXPECT_THAT(reasons[sim.id_of(undeclared)], ::testing::ElementsAre(HeldBack::Undeclared));
  EXPECT_GT(sim.drops(path::Drop::HeldBack), 500u);

  sim.declare_e2ee(undeclared, true);
  liar.set_bodies(Bodies::Sframe);
  sim.declare_e2ee(liar, false);
  sim.declare_e2ee(liar, true);
  const uint64_t liar_heard = good.received_from(3, MediaKind::Audio);
  sim.run_for(3s);
  EXPECT_GT(good.received_from(2, MediaKind::Audio), 100u);
  EXPECT_GT(good.received_from(2, MediaKind::Video), 80u);
  EXPECT_GT(good.received_from(3, MediaKind::Audio), liar_heard + 100);
  EXPECT_THAT(sim.faults(), IsEmpty());
}

// Slots go over from source to source: each begins with a key frame that no browser would drop.
TEST(EncryptedCall, KeepsFrameNumbersGrowingUnderChurn) {
  Simulation sim({.seed = 41});
  sim.set_e2ee(Wanted);
  auto viewer_options = options_of(100, Bodies::Sframe, true);
  viewer_options.video_slots = 2;
  FakeClient& viewer = sim.join(viewer_options);
  for (uint32_t i = 1; i <= 12; ++i) {
    sim.join(options_of(i, Bodies::Sframe, true));
    sim.run_for(1500ms);
    if (i > 2) sim.leave(sim.client(i - 2));
  }
  sim.run_for(2s);
  uint64_t structures = 0;
  for (const auto& [ssrc, stream] : viewer.streams())
    structures += stream.last_structure.has_value();
  EXPECT_EQ(structures, 2u);
  EXPECT_GT(viewer.received_from(12, MediaKind::Video), 50u);
  EXPECT_THAT(sim.faults(), IsEmpty());
  EXPECT_TRUE(sim.all_packets_returned());
}

// Lost pictures come back by NACK and RTX on both hops, unread.
TEST(EncryptedCall, LeavesHardlyAHoleInVideoAtTenPercentLoss) {
  Simulation sim({.seed = 17});
  sim.set_e2ee(Wanted);
  for (uint32_t i = 1; i <= 3; ++i) {
    const auto options = options_of(i, Bodies::Sframe, i != 3);
    Link link;
    link.delay = 30ms;
    link.jitter = 5ms;
    link.loss = 0.10;
    sim.network().attach(options.address);
    sim.network().set_uplink(options.address, link);
    sim.network().set_downlink(options.address, link);
    sim.join(options);
  }
  ASSERT_TRUE(sim.run_until([&] { return all_connected(sim, 3); }, 30s));
  sim.run_for(15s);
  for (size_t i = 0; i < 3; ++i) {
    uint64_t packets = 0, holes = 0;
    for (const auto& slot : sim.client(i).slots()) {
      const auto stream = sim.client(i).streams().find(slot.ssrc);
      if (slot.kind != MediaKind::Video || stream == sim.client(i).streams().end()) continue;
      packets += stream->second.packets;
      holes += stream->second.holes();
      EXPECT_GT(stream->second.recovered, 0u);
    }
    EXPECT_GT(packets, 1000u);
    EXPECT_LT(holes, packets / 100) << "client " << i;
  }
  EXPECT_THAT(sim.faults(), IsEmpty());
}

}  // namespace
}  // namespace viaduct::testing
