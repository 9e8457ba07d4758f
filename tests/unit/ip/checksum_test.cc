#include "dpdk/ip/checksum.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace viaduct::dpdk::ip {
namespace {

// Word by word in network order, as RFC 1071 section 1 puts it.
uint16_t naive_checksum(Bytes bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(bytes[i] << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0));
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

uint16_t in_host_order(uint16_t word) { return in_network_order(word); }

TEST(Checksum, GivesWhatTheExampleOfRfc1071Gives) {
  const std::vector<uint8_t> bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(in_host_order(fold(word_sum(bytes))), 0xddf2);
  EXPECT_EQ(in_host_order(checksum_of(word_sum(bytes))), 0x220d);
}

TEST(Checksum, AgreesWithTheNaiveOneAtEveryLengthAndAlignment) {
  SeededRandom random(1);
  for (size_t length = 0; length <= 300; ++length) {
    for (size_t shift = 0; shift < 8; ++shift) {
      std::vector<uint8_t> bytes(shift + length);  // ends where the sum has to
      random.fill(bytes);
      const Bytes part = Bytes(bytes).subspan(shift);
      ASSERT_EQ(in_host_order(checksum_of(word_sum(part))), naive_checksum(part)) << length << " from " << shift;
    }
  }
}

TEST(Checksum, AgreesWithTheNaiveOneOnLongRunsOfOnes) {
  for (const size_t length : {1500u, 9000u, 65535u}) {
    const std::vector<uint8_t> ones(length, 0xff);
    EXPECT_EQ(in_host_order(checksum_of(word_sum(ones))), naive_checksum(ones)) << length;
  }
}

TEST(Checksum, OfFewBytesIsThatOfMany) {
  SeededRandom random(2);
  std::array<uint8_t, 40> bytes;
  random.fill(bytes);
  EXPECT_EQ(fold(word_sum_of<40>(bytes.data())), fold(word_sum(bytes)));
  EXPECT_EQ(fold(word_sum_of<20>(bytes.data())), fold(word_sum(Bytes(bytes).first(20))));
}

TEST(Checksum, NoticesEveryFlippedBit) {
  SeededRandom random(3);
  std::array<uint8_t, 100> bytes;
  random.fill(bytes);
  store_word(&bytes[10], 0);
  store_word(&bytes[10], checksum_of(word_sum(bytes)));
  ASSERT_TRUE(sums_up(word_sum(bytes)));
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_FALSE(sums_up(word_sum(bytes))) << bit;
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
}

TEST(Checksum, FollowsAChangedWord) {
  SeededRandom random(4);
  std::array<uint8_t, 20> bytes;
  for (int round = 0; round < 100'000; ++round) {
    random.fill(bytes);
    store_word(&bytes[10], 0);
    const uint16_t before = checksum_of(word_sum(bytes));
    const uint16_t from = load_word(&bytes[4]);
    const auto to = static_cast<uint16_t>(random.next());
    store_word(&bytes[4], to);
    store_word(&bytes[10], changed(before, from, to));
    ASSERT_TRUE(sums_up(word_sum(bytes))) << round;
  }
}

TEST(Checksum, FollowsTheLastWordThatBecomesZero) {
  std::array<uint8_t, 8> bytes{8};  // an echo request of nothing but zeros
  store_word(&bytes[2], checksum_of(word_sum(bytes)));
  store_word(&bytes[2], changed(load_word(&bytes[2]), load_word(&bytes[0]), 0));
  bytes[0] = 0;
  EXPECT_TRUE(sums_up(word_sum(bytes)));
  EXPECT_EQ(naive_checksum(bytes), 0);
}

}  // namespace
}  // namespace viaduct::dpdk::ip
