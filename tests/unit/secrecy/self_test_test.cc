#include "secrecy/self_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "secrecy/hardening_state.h"
#include "secrecy/landlock.h"
#include "secrecy/lockdown.h"
#include "secrecy/seccomp_filter.h"
#include "tests/unit/secrecy/child.h"

namespace viaduct::secrecy {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using viaduct::testing::in_child;

class SelfTest : public ::testing::Test {
 protected:
  SelfTest() { std::filesystem::create_directories(folder_); }
  ~SelfTest() override { std::filesystem::remove_all(folder_); }
  const std::string folder_ =
      ::testing::TempDir() + "viaduct_self_test_" + std::to_string(getpid());
};

TEST_F(SelfTest, FindsALockdownThatDoesNotWorkAndLeavesNoFile) {
  HardeningState state;
  state.record(measure::NoFileWrites, try_to_write_files({"/proc", folder_}));
  EXPECT_FALSE(state.find(measure::NoFileWrites).in_force);
  EXPECT_THAT(state.missing(), Contains(HasSubstr("could create a file in '" + folder_ + "'")));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(SelfTest, SucceedsWhereNoFileCanBeMade) {
  EXPECT_TRUE(try_to_write_files({"/proc", "/nowhere/at/all"}).ok());
}

TEST_F(SelfTest, SucceedsUnderLandlockAlone) {
  const auto ended = in_child([&] {
    if (!forbid_new_privileges() || !forbid_file_writes()) return 2;
    return try_to_write_files({folder_, "/dev/shm"}).ok() ? 0 : 1;
  });
  if (ended.result == 2) GTEST_SKIP() << "this kernel offers no Landlock";
  EXPECT_EQ(ended.result, 0);
}

TEST_F(SelfTest, SucceedsUnderTheFilterOfSystemCallsAlone) {
  if (viaduct::testing::Sanitized) GTEST_SKIP() << "a sanitizer uses system calls that the filter refuses";
  const auto ended = in_child([&] {
    if (!filter_system_calls()) return 2;
    return try_to_write_files({folder_, "/dev/shm"}).ok() ? 0 : 1;
  });
  EXPECT_EQ(ended.result, 0);
}

TEST_F(SelfTest, LooksWhereProgramsUsuallyWrite) {
  const auto folders = usual_folders();
  for (const char* folder : {".", "/tmp", "/dev/shm"}) EXPECT_THAT(folders, Contains(folder));
}

}  // namespace
}  // namespace viaduct::secrecy
