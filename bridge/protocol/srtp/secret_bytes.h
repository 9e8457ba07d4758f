// A fixed number of secret bytes in secret memory, wiped when they go out of scope.
//
// They move and never copy, so that a key stands in one place: not on a stack, not in a ring, not
// in what a move left behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "secrecy/in_secret_memory.h"

namespace viaduct::srtp {

template <size_t N>
class SecretBytes {
 public:
  SecretBytes() : bytes_(static_cast<uint8_t*>(secrecy::allocate_or_throw(N))) {}  // zeros
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~SecretBytes() { secrecy::release(bytes_); }

  size_t size() const { return bytes_ == nullptr ? 0 : N; }  // 0 once it has been moved from
  uint8_t* data() { return bytes_; }
  const uint8_t* data() const { return bytes_; }
  MutableBytes first(size_t n) { return MutableBytes(bytes_, size()).first(n); }
  Bytes first(size_t n) const { return Bytes(bytes_, size()).first(n); }
  Bytes slice(size_t offset, size_t n) const { return Bytes(bytes_, size()).subspan(offset, n); }

 private:
  uint8_t* bytes_;
};

}  // namespace viaduct::srtp
