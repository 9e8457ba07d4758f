#include "secrecy/openssl_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <cstring>
#include <memory>

#include "secrecy/secret_memory.h"
#include "tests/unit/secrecy/child.h"
#include "tests/unit/secrecy/memory_of_process.h"

namespace viaduct::secrecy {
namespace {

using ::testing::Each;
using viaduct::testing::left_at;
using viaduct::testing::peek;

// Before main(), because OpenSSL takes no other memory once it has used its own.
const bool in_time = keep_openssl_in_secret_memory();

constexpr uint8_t Mask = 0x5a;

// A needle that stands nowhere in memory as itself: masked, and compared byte by byte.
size_t times_in_readable_memory(const std::vector<uint8_t>& masked) {
  size_t hits = 0;
  std::ifstream maps("/proc/self/maps");
  std::vector<std::pair<uintptr_t, uintptr_t>> ranges;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t from = 0, to = 0;
    char readable = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %c", &from, &to, &readable) != 3)
      continue;
    if (readable == 'r' && to - from < (size_t{256} << 20))
      ranges.emplace_back(from, to);  // not a sanitizer's shadow
  }
  for (const auto& [from, to] : ranges) {
    const auto bytes = peek(from, to - from);
    if (!bytes) continue;
    const auto same = [](uint8_t a, uint8_t b) { return a == (b ^ Mask); };
    for (auto at = bytes->begin(); at != bytes->end(); ++at) {
      at = std::search(at, bytes->end(), masked.begin(), masked.end(), same);
      if (at == bytes->end()) break;
      ++hits;
    }
  }
  return hits;
}

TEST(OpensslMemory, IsSecretAndWipedWhenItIsFreed) {
  ASSERT_TRUE(in_time);
  auto* block = static_cast<uint8_t*>(OPENSSL_malloc(100));
  EXPECT_TRUE(process_memory().owns(block));
  std::memset(block, 0xaa, 100);
  OPENSSL_free(block);
  EXPECT_THAT(left_at(block, 100), Each(0));
}

TEST(OpensslMemory, GrowsWithItsContentAndLeavesNothingBehind) {
  auto* block = static_cast<uint8_t*>(OPENSSL_malloc(100));
  std::memset(block, 0xaa, 100);
  auto* grown = static_cast<uint8_t*>(OPENSSL_realloc(block, 1000));
  EXPECT_TRUE(process_memory().owns(grown));
  EXPECT_EQ(grown[99], 0xaa);
  EXPECT_THAT(left_at(block, 100), Each(0));
  OPENSSL_free(grown);
  EXPECT_EQ(OPENSSL_malloc(0), nullptr);
  OPENSSL_free(nullptr);
}

// How often the number of a new key stands in readable memory.
struct Found {
  size_t with_a_copy_on_the_heap = 0;
  size_t without = 0;
};
Found look_for_a_new_key() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number), 1);
  std::vector<uint8_t> secret(32);  // as OpenSSL's BIGNUM holds it on this machine, least byte first
  EXPECT_EQ(BN_bn2lebinpad(number, secret.data(), 32), 32);
  BN_clear_free(number);

  Found found;
  auto on_the_heap = std::make_unique<std::vector<uint8_t>>(secret);
  for (uint8_t& byte : secret) byte ^= Mask;
  found.with_a_copy_on_the_heap = times_in_readable_memory(secret);
  explicit_bzero(on_the_heap->data(), on_the_heap->size());
  found.without = times_in_readable_memory(secret);
  return found;
}

TEST(OpensslMemory, HoldsAPrivateKeyWhereNothingReadsItOut) {
  // The first call of a library's function goes through the loader, which saves the vector registers on the stack, and
  // what was copied with them.
  look_for_a_new_key();
  const Found found = look_for_a_new_key();
  EXPECT_GE(found.with_a_copy_on_the_heap, 1u);  // the way of looking does find something
  if (viaduct::testing::Sanitized) GTEST_SKIP() << "a sanitizer keeps copies of what is freed";
  if (process_memory().usage().backing != Backing::MemfdSecret)
    GTEST_SKIP() << "this kernel offers no memfd_secret";
  EXPECT_EQ(found.without, 0u);
}

}  // namespace
}  // namespace viaduct::secrecy
