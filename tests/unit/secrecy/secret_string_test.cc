#include "secrecy/secret_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "limits.h"
#include "secrecy/in_secret_memory.h"
#include "secrecy/secret_file.h"
#include "tests/unit/secrecy/memory_of_process.h"

namespace viaduct::secrecy {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using viaduct::testing::left_at;

TEST(SecretString, HoldsItsCharactersInSecretMemory) {
  const SecretString secret("twenty-two characters!");
  EXPECT_TRUE(process_memory().owns(secret.data()));
  EXPECT_EQ(secret.view(), "twenty-two characters!");
}

TEST(SecretString, IsWipedWhenItGoes) {
  auto secret = std::make_unique<SecretString>(std::string(40, 's'));
  const char* data = secret->data();
  secret.reset();
  EXPECT_THAT(left_at(data, 40), Each(0));
}

TEST(SecretString, WipesWhatAnAssignmentReplaces) {
  SecretString secret(std::string(40, 's'));
  const char* data = secret.data();
  secret = std::string(400, 't');
  EXPECT_THAT(left_at(data, 40), Each(0));
  EXPECT_EQ(secret, std::string(400, 't'));
}

TEST(SecretString, CopiesAndMovesWithinSecretMemory) {
  SecretString first("a secret");
  const SecretString copy = first;
  EXPECT_NE(copy.data(), first.data());
  EXPECT_TRUE(process_memory().owns(copy.data()));
  const char* data = first.data();
  const SecretString moved = std::move(first);
  EXPECT_EQ(moved.data(), data);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what is left is the point
  EXPECT_EQ(moved, copy);
}

TEST(SecretString, EqualsExactlyTheSameText) {
  const SecretString secret("secret");
  EXPECT_TRUE(secret == "secret");
  EXPECT_TRUE(secret == std::string("secret"));
  EXPECT_TRUE(secret == SecretString("secret"));
  EXPECT_FALSE(secret == "secreT");
  EXPECT_FALSE(secret == "Secret");
  EXPECT_FALSE(secret == "secret ");
  EXPECT_FALSE(secret == "");
  EXPECT_TRUE(SecretString() == "");
}

struct Holder : InSecretMemory {
  std::array<uint8_t, 100> key{};
};

TEST(InSecretMemory, PutsObjectsThereAndWipesThem) {
  auto holder = std::make_unique<Holder>();
  EXPECT_TRUE(process_memory().owns(holder.get()));
  holder->key.fill(9);
  const uint8_t* key = holder->key.data();
  holder.reset();
  EXPECT_THAT(left_at(key, 100), Each(0));
}

TEST(SecretAllocator, LetsContainersGrowWithoutLeavingACopyBehind) {
  std::vector<uint8_t, SecretAllocator<uint8_t>> keys(50, 9);
  const uint8_t* old = keys.data();
  EXPECT_TRUE(process_memory().owns(old));
  keys.resize(5000, 9);
  EXPECT_TRUE(process_memory().owns(keys.data()));
  EXPECT_THAT(left_at(old, 50), Each(0));
}

class SecretFile : public ::testing::Test {
 protected:
  std::string write(const std::string& text) const {
    std::ofstream(path_) << text;
    return path_;
  }
  ~SecretFile() override { std::filesystem::remove(path_); }
  const std::string path_ = ::testing::TempDir() + "viaduct_secret_" + std::to_string(getpid());
};

TEST_F(SecretFile, IsReadIntoSecretMemoryWhole) {
  const std::string text = std::string(9000, 'k') + "\n";
  const auto secret = read_secret_file(write(text));
  ASSERT_TRUE(secret.ok());
  EXPECT_EQ(*secret, text);
  EXPECT_TRUE(process_memory().owns(secret->data()));
}

TEST_F(SecretFile, MayBeAPipe) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "through a pipe", 14), 14);
  close(ends[1]);
  const auto secret = read_secret_file("/proc/self/fd/" + std::to_string(ends[0]));
  close(ends[0]);
  ASSERT_TRUE(secret.ok());
  EXPECT_EQ(*secret, "through a pipe");
}

TEST_F(SecretFile, ThatCannotBeReadSaysWhy) {
  EXPECT_THAT(read_secret_file("/nowhere/at/all").error().text, HasSubstr("No such file"));
  EXPECT_THAT(read_secret_file("/tmp").error().text, HasSubstr("directory"));
  EXPECT_THAT(read_secret_file(write(std::string(limits::SecretFileBytes + 1, 'k'))).error().text,
              HasSubstr("too long"));
  EXPECT_TRUE(read_secret_file(write(std::string(limits::SecretFileBytes, 'k'))).ok());
}

}  // namespace
}  // namespace viaduct::secrecy
