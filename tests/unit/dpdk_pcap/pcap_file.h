// Frames of a pcap file, for tests: little-endian, Ethernet, as make_golden.py and DPDK's driver write it.
#pragma once

#include <filesystem>
#include <vector>

#include "tests/support/frames/frames.h"

namespace viaduct::testing {

std::vector<Octets> read_pcap(const std::filesystem::path& path);

}  // namespace viaduct::testing
