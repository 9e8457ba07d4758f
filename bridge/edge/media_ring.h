// A bounded ring of messages with media in them, between exactly one producing thread and one
// consuming thread. Never blocks, never allocates after construction; a full ring refuses.
//
// Unlike base/spsc_ring.h it hands out the slots themselves, so that each message is written once
// and read where it stands; and as messages hold decrypted packets they lie in memory for media
// and are wiped as they are taken.
#pragma once

#include <atomic>
#include <bit>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include "base/check.h"
#include "base/spsc_ring.h"
#include "edge/media_memory.h"

namespace viaduct::edge {

template <typename T>
class MediaRing {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  static Result<std::unique_ptr<MediaRing>> open(size_t capacity) {
    auto memory = MediaMemory::map(capacity * sizeof(T));
    if (!memory) return memory.error();
    return std::unique_ptr<MediaRing>(new MediaRing(capacity, std::move(*memory)));
  }

  // Producer. A blank message to fill in, which push() sends off; null when the ring is full.
  T* blank() {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == capacity_) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ == capacity_) return nullptr;
    }
    return new (slot(tail)) T;
  }
  void push() { tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  // Consumer. The oldest message, which pop() wipes; null when there is none.
  T* front() {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return nullptr;
    }
    return std::launder(reinterpret_cast<T*>(slot(head)));
  }
  void pop() {
    const size_t head = head_.load(std::memory_order_relaxed);
    explicit_bzero(slot(head), sizeof(T));
    head_.store(head + 1, std::memory_order_release);
  }

  bool is_locked() const { return memory_->is_locked(); }
  size_t capacity() const { return capacity_; }
  // Either side; a value that may be old by the time it is read.
  size_t size() const {
    return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire);
  }

 private:
  MediaRing(size_t capacity, std::unique_ptr<MediaMemory> memory)
      : capacity_(capacity), memory_(std::move(memory)) {
    CHECK(std::has_single_bit(capacity));
  }
  uint8_t* slot(size_t at) const { return memory_->data() + (at & (capacity_ - 1)) * sizeof(T); }

  const size_t capacity_;
  const std::unique_ptr<MediaMemory> memory_;
  alignas(CacheLineBytes) std::atomic<size_t> head_{0};
  size_t tail_seen_ = 0;  // the consumer's last reading of tail_
  alignas(CacheLineBytes) std::atomic<size_t> tail_{0};
  size_t head_seen_ = 0;  // the producer's last reading of head_
};

}  // namespace viaduct::edge
