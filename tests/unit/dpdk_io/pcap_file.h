// Capture files (libpcap's first format, Ethernet), as the pcap driver of DPDK reads and writes them.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/frames/frames.h"

namespace viaduct::dpdk {

inline constexpr uint32_t Microseconds = 0xa1b2c3d4;  // what the times are in
inline constexpr uint32_t Nanoseconds = 0xa1b23c4d;   // as the driver writes it

// In the byte order of this machine, as the format has it.
struct PcapHeader {
  uint32_t magic = Microseconds;
  uint16_t major = 2, minor = 4;
  uint32_t zone = 0, accuracy = 0;
  uint32_t longest = 65535;
  uint32_t link = 1;  // Ethernet
};
struct PcapRecord {
  uint32_t seconds = 0, fraction = 0;
  uint32_t captured = 0, length = 0;
};

inline void write_pcap(const std::string& path, const std::vector<testing::Octets>& frames) {
  std::ofstream file(path, std::ios::binary);
  const PcapHeader header;
  file.write(reinterpret_cast<const char*>(&header), sizeof header);
  for (const testing::Octets& frame : frames) {
    const auto size = static_cast<uint32_t>(frame.size());
    const PcapRecord record{.captured = size, .length = size};
    file.write(reinterpret_cast<const char*>(&record), sizeof record);
    file.write(reinterpret_cast<const char*>(frame.data()), size);
  }
}

// Stops at whatever is no record.
inline std::vector<testing::Octets> read_pcap(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  PcapHeader header;
  std::vector<testing::Octets> frames;
  if (!file.read(reinterpret_cast<char*>(&header), sizeof header)) return frames;
  if (header.magic != Microseconds && header.magic != Nanoseconds) return frames;
  PcapRecord record;
  while (file.read(reinterpret_cast<char*>(&record), sizeof record) && record.captured <= header.longest) {
    testing::Octets frame(record.captured);
    if (!file.read(reinterpret_cast<char*>(frame.data()), record.captured)) break;
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace viaduct::dpdk
