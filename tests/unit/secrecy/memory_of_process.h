// The process's memory as the kernel shows it to root: what mappings say of themselves, and what
// can be read.
#pragma once

#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace viaduct::testing {

// The VmFlags of the mapping that holds `address` (proc(5)): "rd wr ... lo dd".
inline std::string flags_of(const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t from = 0, to = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
      inside = from <= at && at < to;
    if (inside && line.starts_with("VmFlags:")) return line.substr(9);
  }
  return {};
}

// Bytes through /proc/self/mem, whoever may have given them back; nothing where the kernel refuses.
inline std::optional<std::vector<uint8_t>> peek(uintptr_t at, size_t bytes) {
  const int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::vector<uint8_t> out(bytes);
  const ssize_t got = pread(fd, out.data(), bytes, static_cast<off_t>(at));
  close(fd);
  if (got != static_cast<ssize_t>(bytes)) return std::nullopt;
  return out;
}
inline std::optional<std::vector<uint8_t>> peek(const void* at, size_t bytes) {
  return peek(reinterpret_cast<uintptr_t>(at), bytes);
}

// What stands at an address that has been given back, and stays mapped.
inline std::vector<uint8_t> left_at(const void* address, size_t bytes) {
  ASAN_UNPOISON_MEMORY_REGION(address, bytes);
  const auto* at = static_cast<const uint8_t*>(address);
  std::vector<uint8_t> out(at, at + bytes);
  ASAN_POISON_MEMORY_REGION(address, bytes);
  return out;
}

}  // namespace viaduct::testing
