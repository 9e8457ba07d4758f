// A bounded ring between exactly one producing thread and one consuming thread. Never blocks, never allocates after
// construction; a full ring refuses.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace viaduct {

inline constexpr size_t CacheLineBytes = 64;

template <typename T>
class SpscRing {
 public:
  explicit SpscRing(size_t capacity) : slots_(capacity), mask_(capacity - 1) {
    CHECK(std::has_single_bit(capacity));
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  // Producer. False when the ring is full; `value` is then left as it was.
  [[nodiscard]] bool push(T&& value) {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == slots_.size()) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ == slots_.size()) return false;
    }
    slots_[tail & mask_] = std::move(value);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Consumer. Empty when there is nothing.
  std::optional<T> pop() {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return std::nullopt;
    }
    std::optional<T> value(std::move(slots_[head & mask_]));
    slots_[head & mask_] = T{};  // what the slot held is released now, not when the ring comes round again
    head_.store(head + 1, std::memory_order_release);
    return value;
  }

  size_t capacity() const { return slots_.size(); }
  // Either side; a value that may be old by the time it is read.
  size_t size() const { return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire); }

 private:
  std::vector<T> slots_;
  const size_t mask_;
  alignas(CacheLineBytes) std::atomic<size_t> head_{0};
  size_t tail_seen_ = 0;  // the consumer's last reading of tail_
  alignas(CacheLineBytes) std::atomic<size_t> tail_{0};
  size_t head_seen_ = 0;  // the producer's last reading of head_
};

}  // namespace viaduct
