// PCI network cards as the host's /sys shows them: what keeps DPDK from one, in a sentence.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace viaduct::dpdk {

// 3b:00.0 or 0000:3b:00.0.
bool is_pci_address(std::string_view text);

// Whether DPDK can take the card: it is there, and its driver is one that leaves it to a program (vfio-pci,
// uio_pci_generic, igb_uio) or shares it with one (mlx4_core, mlx5_core, mana). `root` stands for / in tests.
Result<void> check_pci_device(std::string_view address, const std::filesystem::path& root = "/");

}  // namespace viaduct::dpdk
