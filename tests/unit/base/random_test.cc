#include "base/random.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace viaduct {
namespace {

TEST(SeededRandom, IsXoshiro256StarStarSeededBySplitmix64) {
  // Splitmix64 with seed 1234567 gives the state 6457827717110365317, 3203168211198807973, 9817491932198370423,
  // 4593380528125082431 (its authors' test vector); from that state xoshiro256** goes on as follows.
  SeededRandom random(1234567);
  EXPECT_EQ(random.next(), 3504822795582309479u);
  EXPECT_EQ(random.next(), 1819558768956484042u);
  EXPECT_EQ(random.next(), 1250851346055027673u);
  EXPECT_EQ(random.next(), 16940231675099994102u);
}

TEST(SeededRandom, RepeatsItselfFromTheSameSeedOnly) {
  std::vector<uint8_t> a(37), b(37), c(37);
  SeededRandom(5).fill(a);
  SeededRandom(5).fill(b);
  SeededRandom(6).fill(c);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
}

TEST(SeededRandom, FillsExactlyTheBytesItIsGiven) {
  for (size_t size = 0; size <= 17; ++size) {
    std::vector<uint8_t> out(size);  // on the heap: a write past it is seen by AddressSanitizer
    SeededRandom(9).fill(out);
    std::vector<uint8_t> longer(24);
    SeededRandom(9).fill(longer);
    EXPECT_TRUE(std::equal(out.begin(), out.end(), longer.begin())) << size;
  }
}

TEST(SeededRandom, DrawsBelowABoundAndByChance) {
  SeededRandom random(3);
  std::set<uint64_t> seen;
  int heads = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t n = random.below(6);
    ASSERT_LT(n, 6u);
    seen.insert(n);
    heads += random.chance(0.25);
    EXPECT_FALSE(random.chance(0));
    EXPECT_TRUE(random.chance(1));
  }
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_NEAR(heads, 250, 60);
}

TEST(Random, DrawsIceCharactersAsLongAsAsked) {
  SeededRandom random(4);
  const std::string text = random.ice_chars(2000);
  EXPECT_EQ(text.size(), 2000u);
  EXPECT_EQ(std::set<char>(text.begin(), text.end()).size(), 64u);
  constexpr const char* Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  EXPECT_EQ(text.find_first_not_of(Alphabet), std::string::npos);
  EXPECT_EQ(random.ice_chars(0), "");
}

TEST(SystemRandom, NeverRepeatsItself) {
  SystemRandom random;
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.u64());
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_NE(SystemRandom().ice_chars(24), SystemRandom().ice_chars(24));
}

}  // namespace
}  // namespace viaduct
