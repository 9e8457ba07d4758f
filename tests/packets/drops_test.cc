// Every reason for which a packet goes no further, and what provokes it.
#include <functional>
#include <set>

#include "protocol/rtp/rtx.h"
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using codec::CodecType;
using codec::MediaKind;
using path::Drop;

struct Provocation {
  Drop reason;
  void (*provoke)(PathFixture&);
};

constexpr uint8_t Stun[] = {0, 1, 0, 0};
constexpr uint8_t Dtls[] = {22, 254, 253, 0};
constexpr uint8_t ShortRtp[] = {0x80, 111, 0, 1};
constexpr uint8_t ShortRtcp[] = {0x80, 201, 0, 1, 0, 0, 0, 1};
const SocketAddress Stranger{IpAddress::v4(0x0a000909), 999};

void nack(PathFixture& t, TestClient& receiver, uint16_t sequence) {
  t.nack(receiver, receiver.ssrc(0x20), {sequence});
}

void join_mixed_listener(PathFixture& t) {
  auto options = TestClient::like_chromium(9);
  options.mixed = true;
  t.join(std::move(options));
}

const Provocation Provocations[] = {
    {Drop::UnknownKind, [](PathFixture& t) { t.send(Stranger, std::vector<uint8_t>{70}); }},
    {Drop::UnknownAddress, [](PathFixture& t) { t.send(Stranger, Dtls); }},
    {Drop::StunMalformed, [](PathFixture& t) { t.send(Stranger, Stun); }},
    {Drop::StunUnknownUser,
     [](PathFixture& t) {
       t.send_check(Stranger, {"nobody:client1", "password"});
     }},
    {Drop::StunRefused,
     [](PathFixture& t) {
       auto check = t.check_of(t.add(TestClient::like_chromium(1)));
       check.password = "another password";
       t.send_check(Stranger, check);
     }},
    {Drop::StunAddressTaken,
     [](PathFixture& t) {
       const TestClient& owner = t.join(1);
       t.send_check(owner.address, t.check_of(t.join(2)));
     }},
    {Drop::DtlsRate,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       for (int i = 0; i < 60; ++i) t.send(client, Dtls);
       t.turn();
       for (int i = 0; i < 60; ++i) t.send(client, Dtls);
     }},
    {Drop::DtlsQueueFull,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       t.handshakes_stalled = true;
       for (int second = 0; second < 12; ++second) {
         for (int i = 0; i < 100; ++i) t.send(client, Dtls);
         t.run_for(1s);
       }
     }},
    {Drop::NotConnected,
     [](PathFixture& t) {
       t.gives_keys = false;
       TestClient& client = t.add(TestClient::like_chromium(1));
       t.run_for(20ms);
       t.send(client, write_rtp(client.mic(1), client.options.extensions));
     }},
    {Drop::RtpMalformed, [](PathFixture& t) { t.send(t.join(1), ShortRtp); }},
    {Drop::RtcpMalformed, [](PathFixture& t) { t.send(t.join(1), ShortRtcp); }},
    {Drop::UnknownSsrc,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       Rtp packet = client.mic(1);
       packet.ssrc = 0xdeadbeef;
       t.send(client, packet);
     }},
    {Drop::Replayed,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       const auto datagram = t.protect(client, client.mic(1));
       t.send(client, datagram);
       t.turn();
       t.send(client, datagram);
     }},
    {Drop::IndexOutOfRange,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       t.send_now(client, client.mic(10));
       t.send(client, write_rtp(client.mic(65'000), client.options.extensions));
     }},
    {Drop::Silence,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       for (uint16_t i = 0; i < 4; ++i) t.send_now(client, client.mic(i, 127));
     }},
    {Drop::AuthFailed,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       auto datagram = t.protect(client, client.mic(1));
       datagram.back() ^= 1;
       t.send(client, datagram);
     }},
    {Drop::TooManySsrcs,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       for (uint32_t i = 0; i <= limits::SsrcsPerEndpoint; ++i) {
         t.send_rtcp(client, [&](rtcp::CompoundWriter& w) { w.receiver_report(1000 + i); });
       }
       t.turn();
     }},
    {Drop::UnknownPayloadType,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       Rtp packet = client.mic(1);
       packet.payload_type = 77;
       t.send(client, packet);
     }},
    {Drop::BadPadding,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       Rtp packet = client.mic(1);
       packet.padding = true;
       packet.payload.back() = 0;
       t.send(client, packet);
     }},
    {Drop::PaddingOnly,
     [](PathFixture& t) {
       TestClient& client = t.join(1);
       Rtp packet = client.cam(1);
       packet.padding = true;
       packet.payload = {0, 0, 0, 4};
       t.send(client, packet);
     }},
    {Drop::RtxMalformed,
     [](PathFixture& t) {
       TestClient& client = t.join_sender(1);
       Rtp packet = client.rtx(1, client.cam(201));
       packet.payload.resize(1);
       t.send(client, packet);
     }},
    {Drop::Duplicate,
     [](PathFixture& t) {
       TestClient& client = t.join_sender(1);
       t.send_now(client, client.cam(201));
       t.send(client, client.rtx(1, client.cam(201)));
     }},
    {Drop::Muted,
     [](PathFixture& t) {
       TestClient& client = t.join_sender(1);
       t.path.set_muted({client.id(), MediaKind::Audio, true});
       t.send(client, client.mic(101));
     }},
    {Drop::HeldBack,
     [](PathFixture& t) {
       auto options = TestClient::like_chromium(1);
       options.e2ee = {.wanted = true, .required = true};
       TestClient& undeclared = t.join_sender(options);
       t.send(undeclared, undeclared.mic(101));
     }},
    {Drop::MixFull,
     [](PathFixture& t) {
       join_mixed_listener(t);
       TestClient& sender = t.join_sender(1);
       while (t.mix_port->blank()) t.mix_port->post();
       t.send_now(sender, sender.mic(101));
     }},
    {Drop::MixTooLong,
     [](PathFixture& t) {
       join_mixed_listener(t);
       TestClient& sender = t.join_sender(1);
       Rtp packet = sender.mic(101);
       packet.payload.resize(limits::SoundPacketBytes + 1);
       t.send_now(sender, packet);
     }},
    {Drop::NotNegotiated,  // the format changes before the slots can follow
     [](PathFixture& t) {
       auto options = TestClient::like_chromium(2);
       std::erase_if(options.formats, [](const auto& f) { return f.type == CodecType::H264; });
       t.join(options);
       TestClient& client = t.join_sender(1);
       Rtp packet = client.cam(201);
       packet.payload_type = client.payload_type(CodecType::H264);
       t.send(client, packet);
     }},
    {Drop::RedUnreadable,
     [](PathFixture& t) {
       t.join(2);
       auto options = TestClient::like_chromium(1);
       options.formats[0].red_payload_type = 63;
       TestClient& client = t.join_sender(options);
       Rtp packet = client.mic(101);
       packet.payload_type = 63;
       packet.payload = {0xef};
       t.send(client, packet);
     }},
    {Drop::BeforeStream,
     [](PathFixture& t) {
       t.join(2);
       TestClient& client = t.join_sender(1);
       t.send_now(client, client.cam(210, true));
       t.send(client, client.cam(209));
     }},
    {Drop::AwaitsKeyFrame,
     [](PathFixture& t) {
       t.join(2);
       TestClient& client = t.join_sender(1);
       t.send(client, client.cam(201));
     }},
    {Drop::HeaderTooLong,  // no client could have negotiated such a MID
     [](PathFixture& t) {
       auto options = TestClient::listener(2);
       options.slots[0].mid = std::string(256, 'm');
       t.join(options);
       TestClient& client = t.join_sender(1);
       t.send(client, client.mic(101));
     }},
    {Drop::PaceOverflow,
     [](PathFixture& t) {
       auto options = TestClient::like_chromium(2);
       options.reporting = congestion::Reporting::TransportWide;
       t.join(options);
       TestClient& client = t.join_sender(1);
       for (uint16_t i = 0; i < limits::HeldPacketsPerEndpoint + 100; ++i) {
         Rtp packet = client.cam(static_cast<uint16_t>(201 + i), i == 0);
         packet.payload.resize(1100);
         t.send_now(client, packet);
       }
     }},
    {Drop::PacedTooLong,
     [](PathFixture& t) {
       auto options = TestClient::like_chromium(2);
       options.reporting = congestion::Reporting::TransportWide;
       t.join(options);
       TestClient& client = t.join_sender(1);
       for (uint16_t i = 0; i < 40; ++i) {
         Rtp packet = client.cam(static_cast<uint16_t>(201 + i), i == 0);
         packet.payload.resize(1100);
         t.send(client, packet);
       }
       t.turn();
       t.leave(client);
       t.run_for(50ms);
     }},
    {Drop::NoPacket,
     [](PathFixture& t) {
       t.join(2);
       TestClient& client = t.join_sender(1);
       t.leave_free(1);
       t.send(client, client.mic(101));
     }},
    {Drop::NoBatch,
     [](PathFixture& t) {
       t.join(1);
       t.sealer.held = true;
       t.run_for((limits::TxBatchesInFlight + 1) * 10ms);
     }},
    {Drop::NoConsent,
     [](PathFixture& t) {
       t.gives_keys = false;
       t.add(TestClient::like_chromium(2));
       t.run_for(20ms);
       t.gives_keys = true;
       TestClient& client = t.join_sender(1);
       t.send(client, client.mic(101));
     }},
    {Drop::SealFailed,
     [](PathFixture& t) {
       t.join(2);
       TestClient& client = t.join_sender(1);
       t.sealer.failing = true;
       t.send(client, client.mic(101));
     }},
    {Drop::ResendUnknown, [](PathFixture& t) { nack(t, t.join(1), 7); }},
    {Drop::ResendTooSoon,
     [](PathFixture& t) {
       TestClient& receiver = t.join(2);
       TestClient& client = t.join_sender(1);
       t.send_now(client, client.cam(201, true));
       for (int i = 0; i < 2; ++i) nack(t, receiver, receiver.media.at(0).header.sequence);
     }},
    {Drop::ResendBudget,
     [](PathFixture& t) {
       TestClient& receiver = t.join(2);
       TestClient& client = t.join_sender(1);
       Rtp large = client.cam(201, true);
       large.payload.resize(1200);
       t.send_now(client, large);
       for (int i = 0; i < 100; ++i) {
         nack(t, receiver, receiver.media.at(0).header.sequence);
         t.run_for(30ms);
       }
     }},
};

class DropTable : public PathFixture, public ::testing::WithParamInterface<Provocation> {};

TEST_P(DropTable, IsProvokedAndCounted) {
  EXPECT_EQ(drops(GetParam().reason), 0u);
  GetParam().provoke(*this);
  run_for(10ms);
  EXPECT_GT(drops(GetParam().reason), 0u) << "dropped: " << ::testing::PrintToString(dropped());
}

INSTANTIATE_TEST_SUITE_P(
    Reasons, DropTable, ::testing::ValuesIn(Provocations), [](const auto& row) {
      const path::DropName& reason = path::DropNames[static_cast<size_t>(row.param.reason)];
      std::string name = std::string(reason.stage) + "_" + reason.reason;
      std::erase(name, '_');
      return name;
    });

// What takes two workers: tests/packets/relay_test.cc and tests/sim/spread_test.cc; and two encodings:
// tests/packets/layers_test.cc.
constexpr Drop ProvokedElsewhere[] = {Drop::RelayFull, Drop::RelayUnknown, Drop::OtherLayer, Drop::ResendUnneeded};

TEST(DropTable, HasARowForEveryReason) {
  std::set<Drop> provoked(std::begin(ProvokedElsewhere), std::end(ProvokedElsewhere));
  for (const Provocation& row : Provocations) provoked.insert(row.reason);
  for (size_t d = 1; d < path::Drops; ++d) {
    EXPECT_TRUE(provoked.contains(static_cast<Drop>(d)))
        << "nothing provokes " << path::DropNames[d].reason;
  }
}

}  // namespace
}  // namespace viaduct::testing
