#include "protocol/rtp/packet.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::rtp {
namespace {

using testing::ExactBytes;
using testing::from_hex;
using testing::to_hex;

// "id:hex" of each element, in order.
std::vector<std::string> elements_of(Bytes packet) {
  const auto header = parse_header(packet);
  std::vector<std::string> found;
  if (!header) return found;
  for_each_extension(packet, *header, [&](uint8_t id, Bytes data) {
    found.push_back(std::to_string(id) + ":" + to_hex(data));
  });
  return found;
}

// An RTP packet with an extension of this profile and body (whole words), and a payload of two bytes.
std::vector<uint8_t> with_extension(const std::string& profile, const std::string& body) {
  const std::vector<uint8_t> elements = from_hex(body);
  std::vector<uint8_t> packet = from_hex("90 60 0001 00000002 00000003" + profile);
  packet.push_back(0);
  packet.push_back(static_cast<uint8_t>(elements.size() / 4));
  packet.insert(packet.end(), elements.begin(), elements.end());
  packet.insert(packet.end(), {0xaa, 0xbb});
  return packet;
}

TEST(RtpHeader, ReadsEveryFieldOfTheFixedHeader) {  // RFC 3550 section 5.1
  const auto packet = from_hex("a2 e5 1234 89abcdef deadbeef 00000001 00000002 cafe 02");
  const auto header = parse_header(packet);
  ASSERT_TRUE(header);
  EXPECT_TRUE(header->padding);
  EXPECT_TRUE(header->marker);
  EXPECT_EQ(header->payload_type, 0x65);
  EXPECT_EQ(header->sequence, 0x1234);
  EXPECT_EQ(header->timestamp, 0x89abcdefu);
  EXPECT_EQ(header->ssrc, 0xdeadbeefu);
  EXPECT_EQ(header->csrc_count, 2);
  EXPECT_EQ(header->extension_profile, 0);
  EXPECT_EQ(header->extension_bytes, 0);
  EXPECT_EQ(header->header_bytes, 20);
}

TEST(RtpHeader, SaysWhereTheExtensionLies) {
  const auto packet = from_hex("91 60 0001 00000002 00000003 00000009 bede 0001 10aa0000 ff");
  const auto header = parse_header(packet);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->extension_profile, OneByteProfile);
  EXPECT_EQ(header->extension_offset, 20);
  EXPECT_EQ(header->extension_bytes, 4);
  EXPECT_EQ(header->header_bytes, 24);
}

TEST(RtpHeader, RejectsOtherVersions) {
  for (const char* first : {"00", "40", "c0"}) {
    EXPECT_FALSE(parse_header(from_hex(std::string(first) + "60 0001 00000002 00000003"))) << first;
  }
}

TEST(RtpHeader, RejectsAHeaderCutAnywhere) {
  const auto whole = from_hex("92 60 0001 00000002 00000003 00000007 00000008 bede 0002 10aa2155 66000000");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_header(ExactBytes(Bytes(whole).first(size)))) << size;
  }
  EXPECT_TRUE(parse_header(ExactBytes(whole)));
}

TEST(RtpHeader, RejectsAnExtensionTooLongToExist) {
  std::vector<uint8_t> packet(300'000, 0);
  const auto start = from_hex("90 60 0001 00000002 00000003 bede ffff");
  std::ranges::copy(start, packet.begin());
  EXPECT_FALSE(parse_header(packet));
}

// S05: every length 0..40 and first byte 128..191, with every byte behind it the same.
TEST(RtpHeader, NeverReadsPastTheEndWhateverTheFirstByte) {
  for (size_t size = 0; size <= 40; ++size) {
    for (int first = 128; first < 192; ++first) {
      for (const int fill : {0x00, 0x01, 0x10, 0xbe, 0xff}) {
        std::vector<uint8_t> bytes(size, static_cast<uint8_t>(fill));
        if (size > 0) bytes[0] = static_cast<uint8_t>(first);
        if (size >= 16) bytes[12] = 0xbe, bytes[13] = 0xde, bytes[14] = 0;
        const ExactBytes packet{bytes};
        const auto header = parse_header(packet);
        EXPECT_FALSE(header && header->header_bytes > size);
        if (!header) continue;
        elements_of(packet);
        const auto payload = payload_bytes_without_padding(packet, *header);
        EXPECT_LE(payload.value_or(0), size - header->header_bytes);
      }
    }
  }
}

TEST(RtpHeader, SurvivesRandomBytes) {
  SeededRandom random(5);
  for (int i = 0; i < 50'000; ++i) {
    std::vector<uint8_t> bytes(random.below(120));
    random.fill(bytes);
    if (bytes.size() > 16) {
      bytes[0] = static_cast<uint8_t>(0x90 | random.below(2));
      bytes[12] = random.chance(0.5) ? 0xbe : 0x10;
      bytes[13] = random.chance(0.5) ? 0xde : 0x00;
      bytes[14] = 0;
      bytes[15] = static_cast<uint8_t>(random.below(16));
    }
    const ExactBytes packet{bytes};
    size_t bytes_in_elements = 0;
    const auto header = parse_header(packet);
    if (!header) continue;
    for_each_extension(packet, *header, [&](uint8_t, Bytes data) { bytes_in_elements += 1 + data.size(); });
    EXPECT_LE(bytes_in_elements, header->extension_bytes);
  }
}

TEST(RtpExtensions, ReadsOneByteElements) {  // RFC 8285 section 4.2
  using Elements = std::vector<std::string>;
  const std::vector<std::pair<std::string, Elements>> rows = {
      {"10 aa 21 bbcc 000000", {"1:aa", "2:bbcc"}},
      {"00 00 10 aa", {"1:aa"}},                                   // padding in front
      {"10 aa 00 21 bbcc 0000", {"1:aa", "2:bbcc"}},               // and in between
      {"10 aa f0 bb 30 cc 0000", {"1:aa"}},                        // 15 ends the walk
      {"10 aa 01 bbcc 30 dd 00", {"1:aa"}},                        // 0 with a length ends it, too
      {"10 aa 2f bb", {"1:aa"}},                                   // longer than the extension
      {"ef 000102030405060708090a0b0c0d0e0f 000000", {"14:000102030405060708090a0b0c0d0e0f"}},
      {"10 aa 10 bb", {"1:aa", "1:bb"}},
      {"00000000", {}},
      {"", {}},
  };
  for (const auto& [body, expected] : rows) {
    EXPECT_EQ(elements_of(ExactBytes(with_extension("bede", body))), expected) << body;
  }
}

TEST(RtpExtensions, ReadsTwoByteElements) {  // RFC 8285 section 4.3
  using Elements = std::vector<std::string>;
  const std::vector<std::pair<std::string, Elements>> rows = {
      {"01 00 02 01 aa 00 03 02 bbcc 000000", {"1:", "2:aa", "3:bbcc"}},
      {"ff 01 aa 0f 01 bb 0000", {"255:aa", "15:bb"}},             // 15 is an identifier like others
      {"01 01 aa 02", {"1:aa"}},                                   // no room for a length
      {"01 01 aa 02 05 bbccdd", {"1:aa"}},                         // longer than the extension
  };
  for (const auto& [body, expected] : rows) {
    EXPECT_EQ(elements_of(ExactBytes(with_extension("1000", body))), expected) << body;
    EXPECT_EQ(elements_of(ExactBytes(with_extension("100f", body))), expected) << body;
  }
}

TEST(RtpExtensions, IgnoresOtherProfiles) {
  EXPECT_TRUE(elements_of(with_extension("0001", "10aa0000")).empty());
  EXPECT_TRUE(elements_of(with_extension("0000", "10aa0000")).empty());
}

TEST(RtpExtensions, FindsTheFirstElementOfAnIdentifier) {
  const auto packet = with_extension("bede", "10 aa 21 bbcc 20 dd 00");
  const auto header = parse_header(packet);
  ASSERT_TRUE(header);
  EXPECT_EQ(to_hex(find_extension(packet, *header, 2)), "bbcc");
  EXPECT_EQ(to_hex(find_extension(packet, *header, 1)), "aa");
  EXPECT_TRUE(find_extension(packet, *header, 3).empty());
  EXPECT_TRUE(find_extension(packet, *header, 0).empty());
}

// S16: padding with an empty payload, of zero bytes, or longer than the payload.
TEST(RtpPadding, IsTakenOffOnlyWhenItsCountIsPossible) {
  struct Row {
    const char* packet;
    std::optional<size_t> payload_bytes;
  };
  const Row rows[] = {
      {"80 60 0001 00000002 00000003 aabbcc", 3},
      {"80 60 0001 00000002 00000003", 0},
      {"a0 60 0001 00000002 00000003 aabb 000003", 2},
      {"a0 60 0001 00000002 00000003 aabbcc 01", 3},
      {"a0 60 0001 00000002 00000003 000003", 0},                  // padding alone, as probes are
      {"a0 60 0001 00000002 00000003 01", 0},
      {"a0 60 0001 00000002 00000003", std::nullopt},              // no room for the count
      {"a0 60 0001 00000002 00000003 aabb00", std::nullopt},       // a count of 0
      {"a0 60 0001 00000002 00000003 aabb04", std::nullopt},       // one more than there is
      {"a0 60 0001 00000002 00000003 ff", std::nullopt},
  };
  for (const Row& row : rows) {
    const ExactBytes packet{from_hex(row.packet)};
    const auto header = parse_header(packet);
    ASSERT_TRUE(header);
    EXPECT_EQ(payload_bytes_without_padding(packet, *header), row.payload_bytes) << row.packet;
  }
}

TEST(RtpElements, ReadTheAudioLevel) {  // RFC 6464 section 3
  EXPECT_EQ(read_audio_level(from_hex("7f")), (AudioLevel{.level = 127, .voice = false}));
  EXPECT_EQ(read_audio_level(from_hex("9e")), (AudioLevel{.level = 30, .voice = true}));
  EXPECT_EQ(read_audio_level(from_hex("80")), (AudioLevel{.level = 0, .voice = true}));
  EXPECT_EQ(read_audio_level(from_hex("1e00")), (AudioLevel{.level = 30, .voice = false}));
  EXPECT_FALSE(read_audio_level({}));
  EXPECT_FALSE(read_audio_level(from_hex("010203")));
}

TEST(RtpElements, ReadTheTransportSequenceAndTheMid) {
  EXPECT_EQ(read_transport_sequence(from_hex("fffe")), 0xfffe);
  EXPECT_FALSE(read_transport_sequence(from_hex("ff")));
  EXPECT_FALSE(read_transport_sequence(from_hex("fffe00")));
  EXPECT_EQ(read_mid(as_bytes("v1")), "v1");
  EXPECT_EQ(read_mid({}), "");
}

}  // namespace
}  // namespace viaduct::rtp
