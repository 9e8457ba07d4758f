// Every CPU cipher against libsrtp2, bit for bit: what one makes the other must make and read.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "protocol/srtp/srtcp.h"
#include "tests/differential/libsrtp.h"
#include "tests/support/cipher_engines.h"
#include "tests/support/cipher_job.h"
#include "tests/support/hex.h"
#include "tests/support/random_packet.h"

namespace viaduct::edge {
namespace {

using testing::LibSrtp;
using testing::Outcome;
using testing::PacketKind;
using testing::random_rtcp;
using testing::random_rtp;
using testing::RandomPacket;
using testing::run_in_place;
using ByteVector = std::vector<uint8_t>;

// A random master key and what both libraries make of it.
class Key {
 public:
  Key(srtp::SrtpProfile profile, SeededRandom& random)
      : profile_(profile), key_(srtp::master_key_bytes(profile)), salt_(srtp::master_salt_bytes(profile)) {
    random.fill(key_);
    random.fill(salt_);
  }
  srtp::SrtpKeys keys() const { return {profile_, key_, salt_}; }

 private:
  srtp::SrtpProfile profile_;
  ByteVector key_, salt_;
};

class CipherDifferential
    : public ::testing::TestWithParam<std::tuple<testing::CipherEngine, srtp::SrtpProfile>> {
 protected:
  static constexpr int Keys = 8;
  static constexpr int PacketsPerKey = 200;

  static void expect_same(const Outcome& ours, const LibSrtp::Output& theirs) {
    ASSERT_EQ(ours.verdict == Verdict::Ok, theirs.has_value());
    if (theirs) {
      ASSERT_EQ(testing::to_hex(ours.packet), testing::to_hex(*theirs));
    }
  }

  SeededRandom random_{42};
  static srtp::SrtpProfile profile() { return std::get<srtp::SrtpProfile>(GetParam()); }
  static std::unique_ptr<SessionCipher> make(Direction direction) {
    return std::get<testing::CipherEngine>(GetParam()).make(direction, Keys);
  }

  const std::unique_ptr<SessionCipher> protect_owner_ = make(Direction::Protect);
  const std::unique_ptr<SessionCipher> unprotect_owner_ = make(Direction::Unprotect);
  SessionCipher& protect_ = *protect_owner_;
  SessionCipher& unprotect_ = *unprotect_owner_;
};

INSTANTIATE_TEST_SUITE_P(Engines, CipherDifferential,
                         ::testing::Combine(::testing::ValuesIn(testing::all_engines()),
                                            ::testing::ValuesIn(testing::AllProfiles)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" +
                                  srtp::to_string(std::get<1>(test.param));
                         });

TEST_P(CipherDifferential, MakesTheSameSrtpPacketsThroughARollover) {
  for (int k = 0; k < Keys; ++k) {
    const Key key(profile(), random_);
    LibSrtp oracle(key.keys(), false);
    const KeySlot slot = protect_.add_key(key.keys()).value();
    const uint32_t ssrc = random_.u32();
    uint64_t index = 65'536 - random_.below(PacketsPerKey);
    for (int i = 0; i < PacketsPerKey; ++i, index += 1 + random_.below(3)) {
      const RandomPacket packet = random_rtp(random_, ssrc, static_cast<uint16_t>(index));
      const PacketKind kind{slot, false, packet.header_bytes, ssrc, index};
      const Outcome ours = run_in_place(protect_, Direction::Protect, kind, packet.bytes);
      ASSERT_NO_FATAL_FAILURE(expect_same(ours, oracle.protect_rtp(packet.bytes))) << "index " << index;
    }
  }
}

TEST_P(CipherDifferential, MakesTheSameSrtpPacketsAtAnyRolloverCount) {
  const Key key(profile(), random_);
  const KeySlot slot = protect_.add_key(key.keys()).value();
  for (int i = 0; i < PacketsPerKey; ++i) {
    LibSrtp oracle(key.keys(), false);
    const uint32_t ssrc = random_.u32();
    const auto rollovers = static_cast<uint32_t>(random_.u32() >> random_.below(32));
    const auto seq = static_cast<uint16_t>(100 + random_.below(65'000));
    // libsrtp2 knows a stream only once it has carried a packet.
    ASSERT_TRUE(oracle.protect_rtp(random_rtp(random_, ssrc, seq).bytes));
    oracle.set_rollovers(ssrc, rollovers);

    const auto next = static_cast<uint16_t>(seq + 1);
    const RandomPacket packet = random_rtp(random_, ssrc, next);
    const PacketKind kind{slot, false, packet.header_bytes, ssrc, (uint64_t{rollovers} << 16) | next};
    const Outcome ours = run_in_place(protect_, Direction::Protect, kind, packet.bytes);
    ASSERT_NO_FATAL_FAILURE(expect_same(ours, oracle.protect_rtp(packet.bytes))) << "rollovers " << rollovers;
  }
}

TEST_P(CipherDifferential, ReadsTheSrtpPacketsThatTheOtherMakes) {
  for (int k = 0; k < Keys; ++k) {
    const Key key(profile(), random_);
    LibSrtp sender(key.keys(), false), receiver(key.keys(), true);
    const KeySlot in = unprotect_.add_key(key.keys()).value(), out = protect_.add_key(key.keys()).value();
    const uint32_t ssrc = random_.u32();
    uint64_t index = 65'536 - PacketsPerKey / 2;
    for (int i = 0; i < PacketsPerKey; ++i, ++index) {
      const RandomPacket packet = random_rtp(random_, ssrc, static_cast<uint16_t>(index));
      const ByteVector theirs = sender.protect_rtp(packet.bytes).value();
      const Outcome opened =
          run_in_place(unprotect_, Direction::Unprotect, {in, false, packet.header_bytes, ssrc, index}, theirs);
      ASSERT_EQ(opened.verdict, Verdict::Ok);
      ASSERT_EQ(opened.packet, packet.bytes);

      const Outcome ours =
          run_in_place(protect_, Direction::Protect, {out, false, packet.header_bytes, ssrc, index}, packet.bytes);
      ASSERT_EQ(receiver.unprotect_rtp(ours.packet), packet.bytes) << "index " << index;
    }
  }
}

TEST_P(CipherDifferential, MakesAndReadsTheSameSrtcpPackets) {
  for (int k = 0; k < Keys; ++k) {
    const Key key(profile(), random_);
    LibSrtp sender(key.keys(), false), receiver(key.keys(), true);
    const KeySlot in = unprotect_.add_key(key.keys()).value(), out = protect_.add_key(key.keys()).value();
    const uint32_t ssrc = random_.u32();
    for (int i = 0; i < PacketsPerKey; ++i) {
      const RandomPacket packet = random_rtcp(random_, ssrc);
      const ByteVector theirs = sender.protect_rtcp(packet.bytes).value();
      const uint32_t index = srtp::srtcp_index(theirs, profile()).value();  // libsrtp2 counts by itself
      const Outcome ours = run_in_place(protect_, Direction::Protect, {out, true, 8, ssrc, index}, packet.bytes);
      ASSERT_NO_FATAL_FAILURE(expect_same(ours, theirs)) << "index " << index;

      const Outcome opened = run_in_place(unprotect_, Direction::Unprotect, {in, true, 8, ssrc, 0}, theirs);
      ASSERT_EQ(opened.verdict, Verdict::Ok);
      ASSERT_EQ(opened.packet, packet.bytes);
      ASSERT_EQ(opened.index, index);
      ASSERT_EQ(receiver.unprotect_rtcp(ours.packet), packet.bytes);
    }
  }
}

TEST_P(CipherDifferential, RefusesWhatTheOtherRefuses) {
  const Key key(profile(), random_), other_key(profile(), random_);
  const KeySlot out = protect_.add_key(key.keys()).value();
  const KeySlot in = unprotect_.add_key(key.keys()).value(), wrong = unprotect_.add_key(other_key.keys()).value();
  LibSrtp stranger(other_key.keys(), true);
  const uint32_t ssrc = random_.u32();
  for (int i = 0; i < 4 * PacketsPerKey; ++i) {
    const bool rtcp = random_.chance(0.3);
    const auto seq = static_cast<uint16_t>(1 + i);
    const RandomPacket packet = rtcp ? random_rtcp(random_, ssrc) : random_rtp(random_, ssrc, seq, 200);
    const PacketKind received{in, rtcp, packet.header_bytes, ssrc, seq};
    const PacketKind sent{out, rtcp, packet.header_bytes, ssrc, seq};
    const ByteVector sealed = run_in_place(protect_, Direction::Protect, sent, packet.bytes).packet;
    const auto theirs = [&](LibSrtp& oracle, const ByteVector& bytes) {
      return rtcp ? oracle.unprotect_rtcp(bytes) : oracle.unprotect_rtp(bytes);
    };

    // Another key.
    const PacketKind misread{wrong, rtcp, packet.header_bytes, ssrc, seq};
    EXPECT_EQ(run_in_place(unprotect_, Direction::Unprotect, misread, sealed).verdict, Verdict::AuthFailed);
    EXPECT_FALSE(theirs(stranger, sealed));

    // A flipped bit behind the header, whose lengths a flip could change for the oracle alone.
    ByteVector forged = sealed;
    const size_t at = packet.header_bytes + random_.below(sealed.size() - packet.header_bytes);
    forged[at] = static_cast<uint8_t>(forged[at] ^ (1u << random_.below(8)));
    LibSrtp friendly(key.keys(), true);
    EXPECT_EQ(run_in_place(unprotect_, Direction::Unprotect, received, forged).verdict, Verdict::AuthFailed);
    EXPECT_FALSE(theirs(friendly, forged));

    // And untouched, both take it.
    EXPECT_EQ(run_in_place(unprotect_, Direction::Unprotect, received, sealed).packet, packet.bytes);
    EXPECT_EQ(theirs(friendly, sealed), packet.bytes);
  }
}

}  // namespace
}  // namespace viaduct::edge
