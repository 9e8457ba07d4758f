#include "tests/unit/dpdk_pcap/pcap_file.h"

#include <cstring>
#include <fstream>
#include <iterator>

#include "base/check.h"

namespace viaduct::testing {
namespace {

constexpr uint32_t Microseconds = 0xa1b2c3d4;
constexpr uint32_t Nanoseconds = 0xa1b23c4d;
constexpr size_t FileHeaderBytes = 24;
constexpr size_t RecordHeaderBytes = 16;
constexpr size_t LengthAt = 8;  // in a record's header: bytes that were kept

uint32_t read_u32(const char* from) {
  uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

std::vector<Octets> read_pcap(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> all{std::istreambuf_iterator<char>(file), {}};
  CHECK(all.size() >= FileHeaderBytes);
  CHECK(read_u32(all.data()) == Microseconds || read_u32(all.data()) == Nanoseconds);
  std::vector<Octets> frames;
  for (size_t at = FileHeaderBytes; at < all.size();) {
    CHECK(all.size() - at >= RecordHeaderBytes);
    const size_t length = read_u32(all.data() + at + LengthAt);
    at += RecordHeaderBytes;
    CHECK(all.size() - at >= length);
    frames.emplace_back(all.begin() + static_cast<ptrdiff_t>(at), all.begin() + static_cast<ptrdiff_t>(at + length));
    at += length;
  }
  return frames;
}

}  // namespace viaduct::testing
