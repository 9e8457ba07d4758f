// Pages of the emulator's own: stacks with a guard below each, and shared memory. Wiped on demand by
// stores that no compiler leaves out.
#pragma once

#include <cstddef>
#include <span>

namespace viaduct::emulation {

class Pages {
 public:
  // A touch of the page before the first byte ends the program.
  explicit Pages(size_t size);
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

void wipe(std::span<std::byte> bytes);

}  // namespace viaduct::emulation
