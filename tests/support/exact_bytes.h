// Bytes in a heap block of exactly their size, so that the address sanitizer sees a read past their end. (A vector may
// own more.)
#pragma once

#include <algorithm>
#include <memory>

#include "base/bytes.h"

namespace viaduct::testing {

class ExactBytes {
 public:
  explicit ExactBytes(Bytes bytes) : block_(new uint8_t[bytes.size()]), size_(bytes.size()) {
    std::ranges::copy(bytes, block_.get());
  }
  operator Bytes() const { return {block_.get(), size_}; }  // NOLINT(google-explicit-constructor)

 private:
  std::unique_ptr<uint8_t[]> block_;
  size_t size_;
};

}  // namespace viaduct::testing
