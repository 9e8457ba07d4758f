// The shared memory of the block that runs. An object exists from the first time that a thread of
// the block asks for it, and holds junk then.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/emulation/memory.h"

namespace viaduct::emulation {

class SharedMemory {
 public:
  // What a block gets without asking the driver for more.
  static constexpr size_t Limit = 48 * 1024;

  void begin_block();
  // nullptr when the block asks for more than there is.
  void* object(const void* identity, size_t size, size_t alignment);
  void wipe_used();

 private:
  static constexpr size_t MaxObjects = 64;
  // Between objects, forbidden: an index that runs over its object meets no other one.
  static constexpr size_t Gap = 128;
  static constexpr size_t AreaBytes = 64 * 1024;

  struct Object {
    const void* identity = nullptr;
    std::byte* bytes = nullptr;
  };

  Pages pages_{AreaBytes};
  std::array<Object, MaxObjects> objects_;
  size_t count_ = 0;
  size_t asked_bytes_ = 0;
  size_t end_ = 0;          // of the last object
  size_t highest_end_ = 0;  // since the last wipe
};

}  // namespace viaduct::emulation
