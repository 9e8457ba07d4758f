#include "dpdk/pci.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>

namespace viaduct::dpdk {
namespace {

constexpr std::array<std::string_view, 6> UsableDrivers = {"vfio-pci",  "uio_pci_generic", "igb_uio",
                                                           "mlx4_core", "mlx5_core",       "mana"};

bool are_hex(std::string_view text, size_t digits) {
  return text.size() == digits &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string with_domain(std::string_view address) {
  std::string full(address.size() == 7 ? "0000:" : "");
  for (const char c : address) full += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return full;
}

// The name of the interface that the kernel's driver made of the card, with a word before it; empty when there is none.
std::string interface_of(const std::filesystem::path& device) {
  std::error_code error;
  for (const auto& interface : std::filesystem::directory_iterator(device / "net", error))
    return " as " + interface.path().filename().string();
  return {};
}

}  // namespace

bool is_pci_address(std::string_view text) {
  if (text.size() == 12) {
    if (!are_hex(text.substr(0, 4), 4) || text[4] != ':') return false;
    text.remove_prefix(5);
  }
  return text.size() == 7 && are_hex(text.substr(0, 2), 2) && text[2] == ':' && are_hex(text.substr(3, 2), 2) &&
         text[5] == '.' && text[6] >= '0' && text[6] <= '7';
}

Result<void> check_pci_device(std::string_view address, const std::filesystem::path& root) {
  const std::string full = with_domain(address);
  const std::filesystem::path device = root / "sys/bus/pci/devices" / full;
  std::error_code error;
  if (!std::filesystem::exists(device, error)) {
    return Error{ErrorCode::NotFound,
                 "there is no PCI device " + full + "; name in dpdk-ports one that 'lspci -D' shows"};
  }
  const std::filesystem::path link = std::filesystem::read_symlink(device / "driver", error);
  if (error) {
    return Error{ErrorCode::Unavailable, "no driver is bound to the network card " + full +
                                             "; bind it to vfio-pci with deploy/host/dpdk prepare"};
  }
  const std::string driver = link.filename().string();
  if (std::find(UsableDrivers.begin(), UsableDrivers.end(), driver) != UsableDrivers.end()) return {};
  return Error{ErrorCode::Unavailable, "the kernel uses the network card " + full + interface_of(device) + " (driver " +
                                           driver +
                                           "); bind it to vfio-pci with deploy/host/dpdk prepare, which takes it away "
                                           "from the kernel"};
}

}  // namespace viaduct::dpdk
