// Rollover estimate and replay window against libsrtp2: the same packets, lost, late, repeated, through many
// rollovers.
#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "base/random.h"
#include "protocol/srtp/packet_index.h"
#include "protocol/srtp/replay_window.h"
#include "tests/differential/libsrtp.h"
#include "tests/support/cipher_job.h"
#include "tests/support/random_packet.h"

namespace viaduct::srtp {
namespace {

TEST(ReplayDifferential, TakesThePacketsThatLibsrtpTakesAndNoOthers) {
  SeededRandom random(7);
  const testing::TestKey key(SrtpProfile::AeadAes128Gcm);
  testing::LibSrtp sender(key.keys(), false), receiver(key.keys(), true);
  ReplayWindow window;
  struct Sent {
    uint64_t index;
    std::vector<uint8_t> packet;
  };
  std::deque<Sent> recent;
  constexpr uint32_t Ssrc = 77;
  uint64_t index = 1'000;
  int taken = 0, refused = 0;

  for (int i = 0; i < 40'000; ++i) {
    const bool gap = random.chance(0.01);
    index += gap ? random.below(20'000) : 1 + random.below(2);
    const auto seq = static_cast<uint16_t>(index);
    recent.push_back({index, sender.protect_rtp(testing::random_rtp(random, Ssrc, seq, 20).bytes).value()});
    if (recent.size() > 400) recent.pop_front();

    // The newest, or any recent one: late if it has not come yet, a replay if it has. After a gap the newest,
    // since more than 32,767 lost in a row lose the rollover count for good.
    const Sent& arriving = gap || random.chance(0.6) ? recent.back() : recent[random.below(recent.size())];
    const auto wire_seq = static_cast<uint16_t>(arriving.index);
    const auto estimate = window.started() ? estimate_index(window.highest(), wire_seq) : wire_seq;
    const bool authentic = estimate == arriving.index;
    const bool ours = authentic && window.commit(arriving.index);
    const bool theirs = receiver.unprotect_rtp(arriving.packet).has_value();
    ASSERT_EQ(ours, theirs) << "packet " << i << ", index " << arriving.index << ", highest " << window.highest();
    ours ? ++taken : ++refused;
  }
  EXPECT_GT(window.highest() >> 16, 10u);  // rollovers
  EXPECT_GT(taken, 10'000);
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace viaduct::srtp
