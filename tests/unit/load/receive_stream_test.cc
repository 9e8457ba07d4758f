// Counting what arrives, and saying whose fault it is that something did not.
#include "tests/load/receive_stream.h"

#include <gtest/gtest.h>

namespace viaduct::load {
namespace {

using codec::MediaKind;

constexpr Timestamp Start{100s};
constexpr uint32_t Sender = 4;
constexpr size_t Bytes1200 = 1200;

// One sender whose packets 0, 1, 2... come out of the bridge as 1000, 1001, 1002...
class ReceiveStreamTest : public ::testing::Test {
 protected:
  static constexpr uint16_t First = 1000;

  Timestamp sent_at(uint32_t packet) const { return Start + packet * 10ms; }

  void send(uint32_t packet, Fate fate = Fate::Sent) {
    sent_.record(packet, fate, sent_at(packet));
  }
  void arrive(uint32_t packet, Duration latency = 2ms) {
    const auto index = stream_.on_packet(static_cast<uint16_t>(First + packet), packet * 900,
                                         Bytes1200, sent_at(packet) + latency);
    if (index) stream_.on_verified(*index, Stamp{Sender, packet, {}});
  }
  void send_and_arrive(uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; ++i) {
      send(i);
      arrive(i);
    }
  }

  SentPackets sent_{4096};
  SentPackets another_{4096};
  const ReceiveStream::FindSent find_ = [this](uint32_t stream) -> const SentPackets* {
    return stream == Sender ? &sent_ : stream == Sender + 1 ? &another_ : nullptr;
  };
  Histogram latency_;
  ReceiveStream stream_{MediaKind::Video, 1, 2, find_, latency_};
};

TEST_F(ReceiveStreamTest, CountsWhatComesAndMissesNothingThatCame) {
  send_and_arrive(0, 2000);
  stream_.finish();
  EXPECT_EQ(stream_.counts().packets, 2000u);
  EXPECT_EQ(stream_.counts().bytes, 2000 * Bytes1200);
  EXPECT_EQ(stream_.counts().verified, 2000u);
  EXPECT_EQ(stream_.counts().lost(), 0u);
  EXPECT_EQ(stream_.counts().reordered, 0u);
}

TEST_F(ReceiveStreamTest, SaysWhoseFaultEachLossIs) {
  send_and_arrive(0, 100);
  send(100, Fate::Refused);
  send(101, Fate::Impaired);
  send(102, Fate::Impaired);
  send(103);  // and the bridge loses it
  send_and_arrive(104, 110);
  stream_.on_impaired(First + 110);  // on the way from the bridge
  send_and_arrive(111, 120);
  stream_.finish();
  EXPECT_EQ(stream_.counts().lost_generator, 1u);
  EXPECT_EQ(stream_.counts().lost_impairment, 3u);
  EXPECT_EQ(stream_.counts().lost_elsewhere, 1u);
}

TEST_F(ReceiveStreamTest, CallsAPacketLostOnceTheWindowHasPassedIt) {
  send_and_arrive(0, 10);
  send_and_arrive(11, 11 + ReceiveStream::WindowPackets - 1);
  EXPECT_EQ(stream_.counts().lost(), 0u);
  send_and_arrive(11 + ReceiveStream::WindowPackets - 1, 11 + ReceiveStream::WindowPackets);
  EXPECT_EQ(stream_.counts().lost_elsewhere, 1u);
  arrive(10);
  EXPECT_EQ(stream_.counts().lost_elsewhere, 1u) << "too late to be of use";
  stream_.finish();
  EXPECT_EQ(stream_.counts().lost_elsewhere, 1u);
}

TEST_F(ReceiveStreamTest, TellsReorderedPacketsFromDuplicates) {
  send_and_arrive(0, 10);
  for (const uint32_t i : {11u, 10u, 10u, 12u, 9u}) {
    send(i);
    arrive(i);
  }
  stream_.finish();
  EXPECT_EQ(stream_.counts().packets, 13u);
  EXPECT_EQ(stream_.counts().reordered, 1u);
  EXPECT_EQ(stream_.counts().duplicated, 2u);
  EXPECT_EQ(stream_.counts().lost(), 0u);
}

TEST_F(ReceiveStreamTest, CountsAcrossTheWrapOfTheSequenceNumber) {
  send_and_arrive(0, 70'000);
  stream_.finish();
  EXPECT_EQ(stream_.counts().packets, 70'000u);
  EXPECT_EQ(stream_.counts().lost(), 0u);
}

TEST_F(ReceiveStreamTest, KnowsTheLatencyOfPacketsThatWereNotVerified) {
  send_and_arrive(0, 2);
  for (uint32_t i = 2; i < 100; ++i) {
    send(i);
    stream_.on_packet(static_cast<uint16_t>(First + i), i * 900, Bytes1200, sent_at(i) + 7ms);
  }
  EXPECT_EQ(latency_.count(), 100u);
  EXPECT_EQ(latency_.max(), 7ms);
}

TEST_F(ReceiveStreamTest, GivesNoLatencyAfterAPauseUntilAVerifiedPacketTellsWhoseItIs) {
  send_and_arrive(0, 10);
  // The sender goes on to number 59, the bridge leaves out the silence in between.
  for (uint32_t i = 10; i < 60; ++i) send(i);
  const auto arrives_as = [&](uint16_t out, uint32_t packet) {
    return stream_.on_packet(static_cast<uint16_t>(First + out), packet * 900, Bytes1200,
                             sent_at(packet) + 2ms);
  };
  arrives_as(10, 50);
  EXPECT_FALSE(stream_.knows_origin());
  EXPECT_EQ(latency_.count(), 10u);
  const auto index = arrives_as(11, 51);
  stream_.on_verified(*index, Stamp{Sender, 51, {}});
  EXPECT_TRUE(stream_.knows_origin());
  arrives_as(12, 52);
  EXPECT_EQ(latency_.count(), 12u);
  EXPECT_EQ(latency_.max(), 2ms);
  EXPECT_EQ(stream_.counts().switches, 0u);
}

TEST_F(ReceiveStreamTest, CallsPacketsLateThatTookTooLong) {
  send_and_arrive(0, 10);
  send(10);
  arrive(10, LateAfter + 1ms);
  EXPECT_EQ(stream_.counts().late, 1u);
}

TEST_F(ReceiveStreamTest, MeasuresJitterAsTheMeanDifferenceOfLatencies) {
  for (uint32_t i = 0; i < 500; ++i) {
    send(i);
    arrive(i, i % 2 ? 5ms : 1ms);
  }
  EXPECT_NEAR(to_seconds(stream_.jitter()), 0.004, 0.0001);
}

TEST_F(ReceiveStreamTest, CountsAFreezeWhereFramesAreMissingAndNotWhereTheSenderPaused) {
  send_and_arrive(0, 100);  // a frame each 10 ms
  send_and_arrive(150, 200);
  EXPECT_EQ(stream_.counts().freezes, 1u) << "half a second is missing";
  EXPECT_EQ(stream_.counts().frozen, 510ms);

  // The next number, a second later: the sender was muted.
  another_.record(200, Fate::Sent, sent_at(300));
  stream_.on_packet(First + 200, 300 * 900, Bytes1200, sent_at(300) + 2ms);
  EXPECT_EQ(stream_.counts().freezes, 1u);
}

TEST_F(ReceiveStreamTest, FollowsTheSlotToAnotherSender) {
  send_and_arrive(0, 100);
  // Packets 500 and on of the other come out behind it.
  for (uint32_t i = 0; i < 50; ++i)
    another_.record(500 + i, i == 20 ? Fate::Impaired : Fate::Sent, sent_at(100 + i));
  for (uint32_t i = 0; i < 50; ++i) {
    if (i == 20) continue;
    const auto index = stream_.on_packet(static_cast<uint16_t>(First + 100 + i), (100 + i) * 900,
                                         Bytes1200, sent_at(100 + i) + 2ms);
    ASSERT_TRUE(index);
    stream_.on_verified(*index, Stamp{Sender + 1, 500 + i, {}});
  }
  stream_.finish();
  EXPECT_EQ(stream_.counts().switches, 1u);
  EXPECT_EQ(stream_.counts().lost_impairment, 1u);
  EXPECT_EQ(stream_.counts().lost_elsewhere, 0u);
}

TEST_F(ReceiveStreamTest, CountsWhatIsNotWhatItsSenderWroteAsCorrupt) {
  send_and_arrive(0, 10);
  stream_.on_verified(First + 9, std::nullopt);
  EXPECT_EQ(stream_.counts().corrupt, 1u);
}

TEST_F(ReceiveStreamTest, ForgetsWhatWasBeforeTheMeasuring) {
  send_and_arrive(0, 10);
  send_and_arrive(20, 30);
  stream_.begin_measuring();
  send_and_arrive(30, 40);
  stream_.finish();
  EXPECT_EQ(stream_.counts().packets, 10u);
  EXPECT_EQ(stream_.counts().lost(), 0u);
}

}  // namespace
}  // namespace viaduct::load
