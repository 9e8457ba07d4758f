// Ways for objects that hold keys to live in secret memory: base classes for what is made by `new`,
// an allocator for containers.
//
// A type whose members may throw while it is made is fine; one that asks for more than 16-byte
// alignment takes AlignedInSecretMemory, the others are refused by the compiler.
// std::bad_alloc when memory is out, as from any `new`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "secrecy/secret_memory.h"

namespace viaduct::secrecy {

inline void* allocate_or_throw(size_t bytes) {
  void* block = allocate(bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

struct InSecretMemory {
  static void* operator new(size_t bytes) { return allocate_or_throw(bytes); }
  static void operator delete(void* block) { release(block); }
  static void* operator new(size_t, std::align_val_t) = delete;
  static void* operator new[](size_t) = delete;
};

// For types that are aligned to more than that, at the price of `Alignment` bytes a block.
template <size_t Alignment>
struct AlignedInSecretMemory {
  static_assert(Alignment > SecretMemory::Alignment);

  // The block that secret memory gave is noted in front of the object: alignment leaves at least
  // SecretMemory::Alignment bytes there.
  static void* operator new(size_t bytes, std::align_val_t) {
    void* block = allocate_or_throw(bytes + Alignment);
    const auto address = reinterpret_cast<uintptr_t>(block);
    auto* object = reinterpret_cast<void**>((address / Alignment + 1) * Alignment);
    object[-1] = block;
    return object;
  }
  static void operator delete(void* object, std::align_val_t) {
    if (object != nullptr) release(static_cast<void**>(object)[-1]);
  }
  static void* operator new(size_t) = delete;
  static void* operator new[](size_t) = delete;
};

template <typename T>
struct SecretAllocator {
  using value_type = T;
  static_assert(alignof(T) <= SecretMemory::Alignment);

  SecretAllocator() = default;
  template <typename U>
  SecretAllocator(const SecretAllocator<U>&) {}  // NOLINT(google-explicit-constructor)

  T* allocate(size_t count) {
    if (count > SIZE_MAX / sizeof(T)) throw std::bad_alloc();
    return static_cast<T*>(allocate_or_throw(count * sizeof(T)));
  }
  void deallocate(T* block, size_t) { release(block); }
  friend bool operator==(const SecretAllocator&, const SecretAllocator&) { return true; }
};

}  // namespace viaduct::secrecy
