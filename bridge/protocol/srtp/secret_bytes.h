// A fixed number of secret bytes that are wiped when they go out of scope.
//
// They move and never copy, so that a key stands in one place. A plain free() leaves the data behind;
// OPENSSL_cleanse is not optimised away.
#pragma once

#include <openssl/crypto.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace viaduct::srtp {

template <size_t N>
class SecretBytes {
 public:
  SecretBytes() = default;
  SecretBytes(SecretBytes&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this == &other) return *this;
    bytes_ = other.bytes_;
    other.wipe();
    return *this;
  }
  ~SecretBytes() { wipe(); }

  void wipe() { OPENSSL_cleanse(bytes_.data(), N); }
  static constexpr size_t size() { return N; }
  uint8_t* data() { return bytes_.data(); }
  const uint8_t* data() const { return bytes_.data(); }
  MutableBytes first(size_t n) { return MutableBytes(bytes_).first(n); }
  Bytes first(size_t n) const { return Bytes(bytes_).first(n); }
  Bytes slice(size_t offset, size_t n) const { return Bytes(bytes_).subspan(offset, n); }

 private:
  std::array<uint8_t, N> bytes_{};
};

}  // namespace viaduct::srtp
