#include "secrecy/secret_memory.h"

#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "secrecy/leak_check.h"

namespace viaduct::secrecy {
namespace {

constexpr uint32_t InUse = 0x5ec7e700;
constexpr uint32_t Free = 0x0f9ee000;
constexpr uint32_t LargeClass = SecretMemory::SizeClasses;
constexpr size_t PageBytes = 4096;

// 16, 32, 48, 64, then four steps for each doubling: 80, 96, 112, 128, 160, ... 64 KiB.
constexpr size_t bytes_of_class(size_t size_class) {
  if (size_class < 4) return 16 * (size_class + 1);
  const size_t base = size_t{64} << ((size_class - 4) / 4);
  return base + base / 4 * ((size_class - 4) % 4 + 1);
}
constexpr size_t class_of(size_t bytes) {
  if (bytes <= 64) return (bytes - 1) / 16;
  const auto log = static_cast<size_t>(std::bit_width(bytes - 1)) - 1;
  const size_t base = size_t{1} << log;
  return 4 + (log - 6) * 4 + (bytes - 1 - base) / (base / 4);
}
static_assert(bytes_of_class(SecretMemory::SizeClasses - 1) == SecretMemory::LargestSmallBytes);
static_assert(class_of(SecretMemory::LargestSmallBytes) == SecretMemory::SizeClasses - 1);
static_assert(class_of(64) == 3 && class_of(65) == 4 && class_of(128) == 7 && class_of(129) == 8);

}  // namespace

// In front of each block.
struct alignas(SecretMemory::Alignment) SecretMemory::Header {
  uint32_t size_class;
  uint32_t mark;
  union {
    size_t bytes;  // in use: what was asked for
    Header* next;  // free
  };

  uint8_t* block() { return reinterpret_cast<uint8_t*>(this + 1); }
  size_t room() const { return size_class == LargeClass ? bytes : bytes_of_class(size_class); }
};

SecretMemory::~SecretMemory() {
  for (const SecretPages& pages : chunks_) {
    ASAN_UNPOISON_MEMORY_REGION(pages.data, pages.bytes);
    forget_for_leak_check(pages.data, pages.bytes);
    explicit_bzero(pages.data, pages.bytes);
    unmap_secret_pages(pages);
  }
  for (const SecretPages& pages : large_) {
    forget_for_leak_check(pages.data, pages.bytes);
    explicit_bzero(pages.data, pages.bytes);
    unmap_secret_pages(pages);
  }
}

void* SecretMemory::allocate(size_t bytes, SecretOwner owner) {
  if (bytes == 0) return nullptr;
  const std::lock_guard lock(mutex_);
  if (bytes > LargestSmallBytes) {
    Header* block = take_large(bytes, owner);
    return block == nullptr ? nullptr : block->block();
  }
  Header* block = take(class_of(bytes), owner);
  return block == nullptr ? nullptr : hand_out(block, bytes);
}

void* SecretMemory::reallocate(void* block, size_t bytes, SecretOwner owner) {
  if (block == nullptr) return allocate(bytes, owner);
  if (bytes == 0) return release(block), nullptr;
  if (resize_in_place(block, bytes)) return block;
  void* moved = allocate(bytes, owner);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(bytes, bytes_of(block)));
  release(block);
  return moved;
}

void SecretMemory::release(void* block) {
  if (block == nullptr) return;
  Header* header = take_in(block);
  const std::lock_guard lock(mutex_);
  header->size_class == LargeClass ? give_large(header) : give(header);
}

SecretMemoryUsage SecretMemory::usage() const {
  const std::lock_guard lock(mutex_);
  return {in_use_, reserved_, weakest_};
}

bool SecretMemory::owns(const void* address) const {
  const auto holds = [address](const SecretPages& pages) {
    return address >= pages.data && address < pages.data + pages.bytes;
  };
  const std::lock_guard lock(mutex_);
  return std::any_of(chunks_.begin(), chunks_.end(), holds) ||
         std::any_of(large_.begin(), large_.end(), holds);
}

// Small blocks.

SecretMemory::Header* SecretMemory::take(size_t size_class, SecretOwner owner) {
  Header* block = free_[size_class];
  if (block != nullptr) {
    free_[size_class] = block->next;
  } else {
    block = carve(sizeof(Header) + bytes_of_class(size_class), owner);
    if (block == nullptr) return nullptr;
    block->size_class = static_cast<uint32_t>(size_class);
    block->mark = Free;
    ASAN_POISON_MEMORY_REGION(block->block(), bytes_of_class(size_class));
  }
  in_use_ += bytes_of_class(size_class);
  return block;
}

void SecretMemory::give(Header* block) {
  in_use_ -= bytes_of_class(block->size_class);
  block->next = free_[block->size_class];
  free_[block->size_class] = block;
}

// The next `block_bytes` of the last chunk, or of a new one; what is left of the old one is less
// than the largest small block.
SecretMemory::Header* SecretMemory::carve(size_t block_bytes, SecretOwner owner) {
  if (carved_bytes_ + block_bytes > ChunkBytes) {
    if (!may_grow(ChunkBytes, owner)) return nullptr;
    const SecretPages pages = map_secret_pages(ChunkBytes, settings_.at_best);
    if (pages.data == nullptr) return nullptr;
    remember_for_leak_check(pages.data, pages.bytes);
    chunks_.push_back(pages);
    reserved_ += ChunkBytes;
    weakest_ = std::max(weakest_, pages.backing);
    carved_bytes_ = 0;
  }
  uint8_t* at = chunks_.back().data + carved_bytes_;
  carved_bytes_ += block_bytes;
  return reinterpret_cast<Header*>(at);
}

bool SecretMemory::may_grow(size_t bytes, SecretOwner owner) const {
  const size_t kept = owner == SecretOwner::Program ? 0 : settings_.kept_for_program_bytes;
  return reserved_ + bytes + kept <= settings_.most_bytes;
}

void* SecretMemory::hand_out(Header* block, size_t bytes) {
  CHECK(block->mark == Free);
  block->mark = InUse;
  block->bytes = bytes;
  ASAN_UNPOISON_MEMORY_REGION(block->block(), bytes);
  return block->block();
}

SecretMemory::Header* SecretMemory::take_in(void* block) {
  Header* header = static_cast<Header*>(block) - 1;
  CHECK(header->mark == InUse);
  explicit_bzero(block, header->bytes);
  if (header->size_class == LargeClass) return header;
  header->mark = Free;
  ASAN_POISON_MEMORY_REGION(block, header->room());
  return header;
}

size_t SecretMemory::bytes_of(const void* block) {
  return (static_cast<const Header*>(block) - 1)->bytes;
}

// A small block may become what its class has room for. What is cut off is wiped: all of a block's
// room behind its `bytes` is zero.
bool SecretMemory::resize_in_place(void* block, size_t bytes) {
  Header* header = static_cast<Header*>(block) - 1;
  CHECK(header->mark == InUse);
  if (bytes > LargestSmallBytes || class_of(bytes) != header->size_class) return false;
  auto* data = static_cast<uint8_t*>(block);
  if (bytes < header->bytes) explicit_bzero(data + bytes, header->bytes - bytes);
  ASAN_POISON_MEMORY_REGION(data, header->room());
  ASAN_UNPOISON_MEMORY_REGION(data, bytes);
  header->bytes = bytes;
  return true;
}

// Large blocks.

SecretMemory::Header* SecretMemory::take_large(size_t bytes, SecretOwner owner) {
  if (bytes > settings_.most_bytes) return nullptr;
  const size_t whole = (sizeof(Header) + bytes + PageBytes - 1) / PageBytes * PageBytes;
  if (!may_grow(whole, owner)) return nullptr;
  const SecretPages pages = map_secret_pages(whole, settings_.at_best);
  if (pages.data == nullptr) return nullptr;
  remember_for_leak_check(pages.data, pages.bytes);
  large_.push_back(pages);
  reserved_ += whole;
  in_use_ += bytes;
  weakest_ = std::max(weakest_, pages.backing);
  auto* block = reinterpret_cast<Header*>(pages.data);
  block->size_class = LargeClass;
  block->mark = InUse;
  block->bytes = bytes;
  return block;
}

void SecretMemory::give_large(Header* block) {
  const auto found = std::find_if(large_.begin(), large_.end(), [block](const SecretPages& pages) {
    return pages.data == reinterpret_cast<uint8_t*>(block);
  });
  CHECK(found != large_.end());
  const SecretPages pages = *found;
  *found = large_.back();
  large_.pop_back();
  reserved_ -= pages.bytes;
  in_use_ -= block->bytes;
  forget_for_leak_check(pages.data, pages.bytes);
  unmap_secret_pages(pages);
}

// The process's memory.

SecretMemory& process_memory() {
  // Never destroyed: OpenSSL gives blocks back while the process ends.
  static SecretMemory* const memory = new SecretMemory(SecretMemory::Settings{});
  return *memory;
}

// Small blocks that a thread keeps at hand. Plain data, because libraries give blocks back after
// the destructors of a thread's objects have run; then they go straight to the process's memory.
class ThreadBlocks {
 public:
  using Header = SecretMemory::Header;

  void* allocate(size_t bytes, SecretOwner owner) {
    const size_t size_class = class_of(bytes);
    Header* block = lists_[size_class];
    if (block == nullptr) {
      if (!is_open()) return process_memory().allocate(bytes, owner);
      if (!refill(size_class, owner)) return nullptr;
      block = lists_[size_class];
    }
    lists_[size_class] = block->next;
    --counts_[size_class];
    return SecretMemory::hand_out(block, bytes);
  }

  void release(void* block) {
    Header* header = SecretMemory::take_in(block);
    const size_t size_class = header->size_class;
    if (size_class == LargeClass || !is_open()) {
      const std::lock_guard lock(process_memory().mutex_);
      size_class == LargeClass ? process_memory().give_large(header)
                               : process_memory().give(header);
      return;
    }
    header->next = lists_[size_class];
    lists_[size_class] = header;
    if (++counts_[size_class] > kept(size_class)) give_back(size_class, kept(size_class) / 2);
  }

  void close() {
    closed_ = true;
    for (size_t c = 0; c < SecretMemory::SizeClasses; ++c) give_back(c, 0);
  }

 private:
  struct Closer {
    explicit Closer(ThreadBlocks* b) : blocks(b) {}
    ~Closer() { blocks->close(); }
    ThreadBlocks* blocks;
  };

  static size_t kept(size_t size_class) {
    return std::min<size_t>(32, 16 * 1024 / bytes_of_class(size_class));  // none above 16 KiB
  }

  // Opens on the thread's first use, so that what it keeps goes back when it ends.
  bool is_open() {
    if (!closed_ && !opened_) {
      opened_ = true;
      static thread_local Closer closer(this);
    }
    return !closed_;
  }

  bool refill(size_t size_class, SecretOwner owner) {
    SecretMemory& memory = process_memory();
    const size_t wanted = std::max<size_t>(1, kept(size_class) / 2);
    const std::lock_guard lock(memory.mutex_);
    while (counts_[size_class] < wanted) {
      Header* block = memory.take(size_class, owner);
      if (block == nullptr) break;
      block->next = lists_[size_class];
      lists_[size_class] = block;
      ++counts_[size_class];
    }
    return counts_[size_class] > 0;
  }

  void give_back(size_t size_class, size_t leave) {
    if (counts_[size_class] <= leave) return;
    SecretMemory& memory = process_memory();
    const std::lock_guard lock(memory.mutex_);
    for (; counts_[size_class] > leave; --counts_[size_class]) {
      Header* block = lists_[size_class];
      lists_[size_class] = block->next;
      memory.give(block);
    }
  }

  std::array<Header*, SecretMemory::SizeClasses> lists_{};
  std::array<uint8_t, SecretMemory::SizeClasses> counts_{};
  bool opened_ = false;
  bool closed_ = false;
};

namespace {
constinit thread_local ThreadBlocks thread_blocks;
}

void* allocate(size_t bytes, SecretOwner owner) {
  if (bytes == 0) return nullptr;
  if (bytes > SecretMemory::LargestSmallBytes) return process_memory().allocate(bytes, owner);
  return thread_blocks.allocate(bytes, owner);
}

void* reallocate(void* block, size_t bytes, SecretOwner owner) {
  if (block == nullptr) return allocate(bytes, owner);
  if (bytes == 0) return release(block), nullptr;
  if (SecretMemory::resize_in_place(block, bytes)) return block;
  void* moved = allocate(bytes, owner);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(bytes, SecretMemory::bytes_of(block)));
  release(block);
  return moved;
}

void release(void* block) {
  if (block != nullptr) thread_blocks.release(block);
}

}  // namespace viaduct::secrecy
