#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dpdk/eal.h"

namespace viaduct::dpdk {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

TEST(EalArgumentsTest, AskForOrdinaryPagesOfTheSizeNeeded) {
  EXPECT_THAT(eal_arguments({.memory_mib = 300, .main_cpu = 2}),
              ElementsAre("viaduct", "--lcores", "0@2", "--log-level", "pmd.net.tap:critical", "--log-level",
                          "*:warning", "--no-huge", "--no-shconf", "-m", "300", "--no-pci", "--no-telemetry"));
}

TEST(EalArgumentsTest, LeaveNothingOnDiskWithHugePages) {
  const auto arguments = eal_arguments({.huge_pages = true});
  EXPECT_THAT(arguments, Contains("--in-memory"));
  EXPECT_THAT(arguments, Not(Contains("--no-huge"))) << "DPDK refuses the two together";
}

TEST(EalArgumentsTest, OpenTheNamedCardsAlone) {
  const auto arguments = eal_arguments({.pci_ports = {"0000:3b:00.0", "0000:3b:00.1"}});
  EXPECT_THAT(arguments, Not(Contains("--no-pci")));
  const auto first = std::find(arguments.begin(), arguments.end(), "-a");
  ASSERT_LT(first + 3, arguments.end());
  EXPECT_THAT(std::vector(first, first + 4), ElementsAre("-a", "0000:3b:00.0", "-a", "0000:3b:00.1"));
}

TEST(EalArgumentsTest, EndWithTheOperatorsOwn) {
  const auto arguments = eal_arguments({.telemetry = true, .more = {"--iova-mode", "va"}});
  EXPECT_THAT(arguments, Not(Contains("--no-telemetry")));
  EXPECT_THAT(std::vector(arguments.end() - 2, arguments.end()), ElementsAre("--iova-mode", "va"));
}

}  // namespace
}  // namespace viaduct::dpdk
