#include "dpdk/xdp/media_filter.h"

#include <gmock/gmock.h>

#include <initializer_list>
#include <utility>
#include <vector>

#include "filtered_interface.h"

namespace viaduct::xdp {
namespace {

using Bytes = std::vector<uint8_t>;
using With = FilteredInterface::With;
using ::testing::HasSubstr;

constexpr uint16_t FirstPort = 10000;
constexpr uint16_t PortCount = 4;

Bytes join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes ethernet(uint16_t type) {
  return {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, static_cast<uint8_t>(type >> 8), static_cast<uint8_t>(type)};
}

Bytes tag(uint16_t type) { return {0, 100, static_cast<uint8_t>(type >> 8), static_cast<uint8_t>(type)}; }

Bytes udp(uint16_t port) {
  return {0xc0, 0, static_cast<uint8_t>(port >> 8), static_cast<uint8_t>(port), 0, 12, 0, 0, 'd', 'a', 't', 'a'};
}

Bytes ipv4(uint8_t protocol = 17, uint16_t fragment = 0) {
  return {0x45, 0, 0, 32, 0, 1, static_cast<uint8_t>(fragment >> 8), static_cast<uint8_t>(fragment),
          64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
}

Bytes ipv6(uint8_t next_header = 17) {
  Bytes header(40);
  header[0] = 0x60;
  header[5] = 12;
  header[6] = next_header;
  header[7] = 64;
  return header;
}

Bytes media_v4(uint16_t port = FirstPort) { return join({ethernet(0x0800), ipv4(), udp(port)}); }
Bytes media_v6(uint16_t port = FirstPort) { return join({ethernet(0x86dd), ipv6(), udp(port)}); }

class MediaFilter : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = FilteredInterface::missing_privilege()) GTEST_SKIP() << *missing;
    if (!media_filter_path()) GTEST_SKIP() << media_filter_path().error().text;
  }
};

TEST_F(MediaFilter, TakesNothingBeforeItIsTold) {
  const FilteredInterface interface;
  EXPECT_EQ(interface.verdict(media_v4(0)), Verdict::ToKernel);
  EXPECT_EQ(interface.verdict(media_v4()), Verdict::ToKernel);
  EXPECT_EQ(interface.verdict(media_v6()), Verdict::ToKernel);
}

TEST_F(MediaFilter, TakesMediaPortsOfBothFamiliesAndNoOthers) {
  const FilteredInterface interface;
  ASSERT_TRUE(set_media_ports("lo", FirstPort, PortCount));
  for (uint16_t port = FirstPort; port < FirstPort + PortCount; ++port) {
    EXPECT_EQ(interface.verdict(media_v4(port)), Verdict::ToBridge) << port;
    EXPECT_EQ(interface.verdict(media_v6(port)), Verdict::ToBridge) << port;
  }
  for (const uint16_t port : std::initializer_list<uint16_t>{0, 22, FirstPort - 1, FirstPort + PortCount, 65535}) {
    EXPECT_EQ(interface.verdict(media_v4(port)), Verdict::ToKernel) << port;
    EXPECT_EQ(interface.verdict(media_v6(port)), Verdict::ToKernel) << port;
  }
}

TEST_F(MediaFilter, TakesThePortsUpToTheLastOneThatThereIs) {
  const FilteredInterface interface;
  ASSERT_TRUE(set_media_ports("lo", 65535, 1));
  EXPECT_EQ(interface.verdict(media_v4(65535)), Verdict::ToBridge);
  EXPECT_EQ(interface.verdict(media_v4(0)), Verdict::ToKernel);
}

TEST_F(MediaFilter, LooksBehindOneVlanTag) {
  const FilteredInterface interface;
  ASSERT_TRUE(set_media_ports("lo", FirstPort, PortCount));
  EXPECT_EQ(interface.verdict(join({ethernet(0x8100), tag(0x0800), ipv4(), udp(FirstPort)})), Verdict::ToBridge);
  EXPECT_EQ(interface.verdict(join({ethernet(0x8100), tag(0x86dd), ipv6(), udp(FirstPort)})), Verdict::ToBridge);
  EXPECT_EQ(interface.verdict(join({ethernet(0x8100), tag(0x0800), ipv4(), udp(22)})), Verdict::ToKernel);
  EXPECT_EQ(interface.verdict(join({ethernet(0x8100), tag(0x8100), tag(0x0800), ipv4(), udp(FirstPort)})),
            Verdict::ToKernel);
}

TEST_F(MediaFilter, LeavesEverythingElseToTheKernel) {
  const FilteredInterface interface;
  ASSERT_TRUE(set_media_ports("lo", FirstPort, PortCount));
  const Bytes payload = udp(FirstPort);
  Bytes with_options = ipv4();
  with_options[0] = 0x46;
  const std::pair<const char*, Bytes> frames[] = {
      {"ARP", join({ethernet(0x0806), ipv4(), payload})},
      {"TCP", join({ethernet(0x0800), ipv4(6), payload})},
      {"ICMP", join({ethernet(0x0800), ipv4(1), payload})},
      {"ICMPv6", join({ethernet(0x86dd), ipv6(58), payload})},
      {"an IPv6 extension header", join({ethernet(0x86dd), ipv6(0), payload})},
      {"IPv4 options", join({ethernet(0x0800), with_options, {0, 0, 0, 0}, payload})},
      {"a first fragment", join({ethernet(0x0800), ipv4(17, 0x2000), payload})},
      {"a later fragment", join({ethernet(0x0800), ipv4(17, 0x00b9), payload})},
      {"IPv6 that says it is IPv4", join({ethernet(0x0800), ipv6(), payload})},
  };
  for (const auto& [what, frame] : frames) EXPECT_EQ(interface.verdict(frame), Verdict::ToKernel) << what;
}

TEST_F(MediaFilter, TakesDatagramsThatMayNotBeFragmented) {
  const FilteredInterface interface;
  ASSERT_TRUE(set_media_ports("lo", FirstPort, PortCount));
  EXPECT_EQ(interface.verdict(join({ethernet(0x0800), ipv4(17, 0x4000), udp(FirstPort)})), Verdict::ToBridge);
}

TEST_F(MediaFilter, LeavesFramesThatEndTooEarlyToTheKernel) {
  const FilteredInterface interface;
  ASSERT_TRUE(set_media_ports("lo", FirstPort, PortCount));
  constexpr size_t UdpPayloadBytes = 4;
  for (const Bytes& whole : {media_v4(), media_v6(), join({ethernet(0x8100), tag(0x0800), ipv4(), udp(FirstPort)})})
    for (size_t length = 14; length < whole.size() - UdpPayloadBytes; ++length)
      EXPECT_EQ(interface.verdict(std::span(whole).first(length)), Verdict::ToKernel) << length;
}

TEST_F(MediaFilter, FollowsWhenTheRangeChanges) {
  const FilteredInterface interface;
  ASSERT_TRUE(set_media_ports("lo", FirstPort, PortCount));
  ASSERT_TRUE(set_media_ports("lo", 20000, 1));
  EXPECT_EQ(interface.verdict(media_v4(FirstPort)), Verdict::ToKernel);
  EXPECT_EQ(interface.verdict(media_v4(20000)), Verdict::ToBridge);
}

TEST_F(MediaFilter, TakesEverythingWhenToldSo) {
  const FilteredInterface interface;
  ASSERT_TRUE(take_everything("lo"));
  EXPECT_EQ(interface.verdict(join({ethernet(0x0806), ipv4(), udp(1)})), Verdict::ToBridge);
  EXPECT_EQ(interface.verdict(media_v6(22)), Verdict::ToBridge);
  ASSERT_TRUE(set_media_ports("lo", FirstPort, PortCount));
  EXPECT_EQ(interface.verdict(media_v6(22)), Verdict::ToKernel);
}

TEST_F(MediaFilter, PassesMediaToTheKernelWhenNoSocketIsOpen) {
  const FilteredInterface interface(With::Filter);
  ASSERT_TRUE(set_media_ports("lo", FirstPort, PortCount));
  EXPECT_EQ(interface.verdict(media_v4()), Verdict::ToKernel);
}

TEST_F(MediaFilter, SaysWhenItIsNotThere) {
  ASSERT_FALSE(FilteredInterface::has_program());
  EXPECT_THAT(set_media_ports("lo", FirstPort, PortCount).error().text, HasSubstr("not attached to 'lo'"));
  EXPECT_THAT(set_media_ports("nowhere0", FirstPort, PortCount).error().text, HasSubstr("no network interface"));
}

TEST_F(MediaFilter, LeavesProgramsOfOthersAlone) {
  const FilteredInterface interface(With::ForeignProgram);
  EXPECT_THAT(set_media_ports("lo", FirstPort, PortCount).error().text, HasSubstr("not attached"));
  EXPECT_TRUE(FilteredInterface::has_program());
}

// A process may claim an interface once, so one test says all of it.
TEST_F(MediaFilter, IsClaimedOnceAndAReplacementIsNotTakenFromARunningBridge) {
  const FilteredInterface abandoned(With::Filter);
  ASSERT_TRUE(FilteredInterface::has_program());
  EXPECT_TRUE(claim_interface("lo"));
  EXPECT_FALSE(FilteredInterface::has_program());

  const FilteredInterface in_use;
  EXPECT_THAT(claim_interface("lo").error().text, HasSubstr("another af_xdp port"));
  EXPECT_TRUE(FilteredInterface::has_program());
}

}  // namespace
}  // namespace viaduct::xdp
