#include "protocol/srtp/srtcp.h"

#include <gtest/gtest.h>

#include <vector>

namespace viaduct::srtp {
namespace {

std::vector<uint8_t> packet_with_word(SrtpProfile profile, uint32_t word, size_t rtcp_bytes) {
  std::vector<uint8_t> packet(rtcp_bytes + srtcp_trailer_bytes(profile), 0xaa);
  const size_t tag = tag_bytes(profile);
  store_be32(&packet[profile == SrtpProfile::Aes128CmHmacSha1_80 ? rtcp_bytes : rtcp_bytes + tag], word);
  return packet;
}

class Srtcp : public ::testing::TestWithParam<SrtpProfile> {};

TEST_P(Srtcp, ReadsTheIndexWhereTheProfilePutsIt) {
  const auto encrypted = packet_with_word(GetParam(), 0x80000000u | 0x12345678u, 28);
  EXPECT_EQ(srtcp_index(encrypted, GetParam()), 0x12345678u);
  EXPECT_TRUE(parse_srtcp_trailer(encrypted, GetParam())->encrypted);
  EXPECT_EQ(parse_srtcp_trailer(encrypted, GetParam())->rtcp_bytes, 28u);

  const auto clear = packet_with_word(GetParam(), MaxSrtcpIndex, 8);
  EXPECT_EQ(srtcp_index(clear, GetParam()), MaxSrtcpIndex);
  EXPECT_FALSE(parse_srtcp_trailer(clear, GetParam())->encrypted);
}

TEST_P(Srtcp, ReadsNothingFromAPacketTooShortForHeaderAndTrailer) {
  const auto whole = packet_with_word(GetParam(), 1, 8);
  for (size_t n = 0; n < whole.size(); ++n) {
    const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_FALSE(srtcp_index(cut, GetParam())) << n;
  }
  EXPECT_TRUE(srtcp_index(whole, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Profiles, Srtcp,
                         ::testing::Values(SrtpProfile::Aes128CmHmacSha1_80, SrtpProfile::AeadAes128Gcm,
                                           SrtpProfile::AeadAes256Gcm),
                         [](const auto& test) { return std::string(to_string(test.param)); });

}  // namespace
}  // namespace viaduct::srtp
