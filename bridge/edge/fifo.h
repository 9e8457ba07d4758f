// First in, first out, without allocating once as many have lain in it as ever will.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace viaduct::edge {

template <typename T>
class Fifo {
 public:
  // `room`: how many are expected at a time, at least 1.
  explicit Fifo(size_t room) : ring_(room) {}

  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }
  T& front() { return ring_[first_]; }
  T& at(size_t i) { return ring_[(first_ + i) % ring_.size()]; }
  void push(T value) {
    if (count_ == ring_.size()) grow();
    ring_[(first_ + count_++) % ring_.size()] = std::move(value);
  }
  // Only where it is not empty.
  T pop() {
    T value = std::move(ring_[first_]);
    first_ = (first_ + 1) % ring_.size();
    --count_;
    return value;
  }

 private:
  void grow() {
    std::vector<T> larger(2 * ring_.size());
    for (size_t i = 0; i < count_; ++i) larger[i] = std::move(at(i));
    ring_ = std::move(larger);
    first_ = 0;
  }

  std::vector<T> ring_;
  size_t first_ = 0;
  size_t count_ = 0;
};

}  // namespace viaduct::edge
