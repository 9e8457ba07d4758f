// Where secrets live: an allocator on secret pages (secret_pages.h) that wipes what is given back.
//
// Blocks come in sizes that step by a quarter of a power of two; what is longer than the last gets
// pages of its own. Memory grows by the chunk, never beyond its bound, and the pages of small
// blocks are kept for the next. A block that comes back twice, or from elsewhere, is a bug and
// aborts. Blocks are 16-byte aligned and zero when they are handed out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "limits.h"
#include "secrecy/secret_pages.h"

namespace viaduct::secrecy {

// Whose memory it is when the bound is near: the library gets none any more while the program's own
// secrets still do. A library reports that memory is out and a handshake fails; a bridge that
// cannot keep a key it has promised to keep must stop.
enum class SecretOwner : uint8_t { Program, Library };

// The memory of this process. Threads keep a few small blocks at hand, so that they do not meet in
// a lock.
void* allocate(size_t bytes, SecretOwner owner = SecretOwner::Program);
void* reallocate(void* block, size_t bytes, SecretOwner owner = SecretOwner::Program);
void release(void* block);

struct SecretMemoryUsage {
  size_t bytes_in_use = 0;  // of blocks that are handed out, what a thread keeps at hand among them
  size_t bytes_reserved = 0;               // of pages
  Backing backing = Backing::MemfdSecret;  // the weakest of all pages so far
};

class SecretMemory {
 public:
  static constexpr size_t Alignment = 16;
  static constexpr size_t ChunkBytes = size_t{1} << 20;
  static constexpr size_t LargestSmallBytes = 64 * 1024;  // above it a block has its own pages
  static constexpr size_t SizeClasses = 44;

  struct Settings {
    size_t most_bytes = limits::SecretMemoryBytes;
    size_t kept_for_program_bytes = limits::SecretMemoryForProgramBytes;
    Backing at_best = Backing::MemfdSecret;
  };
  explicit SecretMemory(const Settings& settings) : settings_(settings) {}
  ~SecretMemory();
  SecretMemory(const SecretMemory&) = delete;
  SecretMemory& operator=(const SecretMemory&) = delete;

  // Null for 0 bytes, and when the bound is reached or the system has no memory.
  void* allocate(size_t bytes, SecretOwner owner = SecretOwner::Program);
  // As realloc(3): keeps what fits; on null the old block is as it was.
  void* reallocate(void* block, size_t bytes, SecretOwner owner = SecretOwner::Program);
  void release(void* block);  // null is fine

  SecretMemoryUsage usage() const;
  bool owns(const void* address) const;

 private:
  friend class ThreadBlocks;
  friend void* reallocate(void* block, size_t bytes, SecretOwner owner);
  struct Header;

  Header* take(size_t size_class, SecretOwner owner);
  Header* take_large(size_t bytes, SecretOwner owner);
  void give(Header* free_block);
  void give_large(Header* block);
  bool may_grow(size_t bytes, SecretOwner owner) const;
  Header* carve(size_t block_bytes, SecretOwner owner);
  static size_t bytes_of(const void* block);
  static bool resize_in_place(void* block, size_t bytes);
  static void* hand_out(Header* block, size_t bytes);
  static Header* take_in(void* block);  // wiped

  const Settings settings_;
  mutable std::mutex mutex_;
  std::array<Header*, SizeClasses> free_{};
  std::vector<SecretPages> chunks_;  // of small blocks
  std::vector<SecretPages> large_;
  size_t carved_bytes_ = ChunkBytes;  // of the last chunk
  size_t in_use_ = 0;
  size_t reserved_ = 0;
  Backing weakest_ = Backing::MemfdSecret;
};

// What allocate(), reallocate() and release() of this namespace draw from.
SecretMemory& process_memory();

}  // namespace viaduct::secrecy
