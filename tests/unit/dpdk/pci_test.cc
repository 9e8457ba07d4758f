#include "dpdk/pci.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace viaduct::dpdk {
namespace {

namespace fs = std::filesystem;

// A made-up /sys with one network card.
class PciTest : public testing::Test {
 protected:
  PciTest() : root_(fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(root_);
    fs::create_directories(card());
  }
  ~PciTest() override { fs::remove_all(root_); }

  fs::path card() const { return root_ / "sys/bus/pci/devices/0000:3b:00.0"; }
  void bind(const std::string& driver) {
    const fs::path target = root_ / "sys/bus/pci/drivers" / driver;
    fs::create_directories(target);
    fs::create_directory_symlink(target, card() / "driver");
  }

  const fs::path root_;
};

TEST_F(PciTest, TellsPciAddressesFromNamesOfVirtualDevices) {
  for (const char* address : {"0000:3b:00.0", "3b:00.1", "0000:AF:1f.7"})
    EXPECT_TRUE(is_pci_address(address)) << address;
  for (const char* other : {"", "net_tap0", "0000:3b:00", "3b:00.8", "3b.00.0", "00000:3b:00.0", "zz:00.0", "eth1"})
    EXPECT_FALSE(is_pci_address(other)) << other;
}

TEST_F(PciTest, TakesACardThatIsBoundToVfio) {
  bind("vfio-pci");
  EXPECT_TRUE(check_pci_device("0000:3b:00.0", root_));
  EXPECT_TRUE(check_pci_device("3b:00.0", root_)) << "the domain may be left out";
}

TEST_F(PciTest, TakesACardWhoseDriverSharesIt) {
  bind("mlx5_core");
  EXPECT_TRUE(check_pci_device("0000:3B:00.0", root_));
}

TEST_F(PciTest, SaysThatThereIsNoSuchCard) {
  const auto checked = check_pci_device("0000:5e:00.0", root_);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::NotFound);
  EXPECT_EQ(checked.error().text, "there is no PCI device 0000:5e:00.0; name in dpdk-ports one that 'lspci -D' shows");
}

TEST_F(PciTest, NamesTheInterfaceAndDriverOfACardThatTheKernelUses) {
  bind("ixgbe");
  fs::create_directories(card() / "net/eth1");
  const auto checked = check_pci_device("0000:3b:00.0", root_);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().text.find("as eth1 (driver ixgbe); bind it to vfio-pci"), std::string::npos)
      << checked.error().text;
}

TEST_F(PciTest, SaysThatACardHasNoDriver) {
  const auto checked = check_pci_device("0000:3b:00.0", root_);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().text.find("no driver is bound"), std::string::npos) << checked.error().text;
}

}  // namespace
}  // namespace viaduct::dpdk
