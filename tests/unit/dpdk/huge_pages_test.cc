#include "dpdk/huge_pages.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace viaduct::dpdk {
namespace {

namespace fs = std::filesystem;

TEST(HugePagesTest, AddsUpWhatIsFreeOfEachSize) {
  const fs::path root = fs::path(testing::TempDir()) / "huge-pages";
  const fs::path sizes = root / "sys/kernel/mm/hugepages";
  fs::create_directories(sizes / "hugepages-2048kB");
  fs::create_directories(sizes / "hugepages-1048576kB");
  fs::create_directories(sizes / "something-else");
  std::ofstream(sizes / "hugepages-2048kB/free_hugepages") << "512\n";
  std::ofstream(sizes / "hugepages-1048576kB/free_hugepages") << "3\n";
  std::ofstream(sizes / "something-else/free_hugepages") << "9\n";
  EXPECT_EQ(free_huge_page_bytes(root), (uint64_t{512} << 21) + (uint64_t{3} << 30));
  fs::remove_all(root);
}

TEST(HugePagesTest, FindsNoneOnAKernelThatHasNone) { EXPECT_EQ(free_huge_page_bytes("/nonexistent"), 0u); }

}  // namespace
}  // namespace viaduct::dpdk
