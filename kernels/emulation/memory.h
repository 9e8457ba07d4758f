// Pages of the emulator's own: stacks with a guard below each, and shared memory. Wiped on demand
// by stores that no compiler leaves out.
#pragma once

#include <cstddef>
#include <span>

namespace viaduct::emulation {

class Pages {
 public:
  // At least so many bytes, in whole pages. To touch the page before them ends the program.
  explicit Pages(size_t wanted);
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

// `bytes` start at a multiple of 8. Not by memset, which a sanitizer would take for an act of the
// kernel that happens to run.
void fill(std::span<std::byte> bytes, std::byte value);
void wipe(std::span<std::byte> bytes);

}  // namespace viaduct::emulation
