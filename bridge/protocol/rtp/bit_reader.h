// Reads numbers of any width from bytes, the most significant bit first. Stepping over the end gives zeros and turns
// !ok(); callers check once at the end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace viaduct::rtp {

class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t position() const { return at_; }  // in bits

  bool flag() { return bits(1) != 0; }
  // `count` is 32 at most.
  uint32_t bits(size_t count) {
    if (!ok_ || count > bytes_.size() * 8 - at_) {
      ok_ = false;
      return 0;
    }
    uint32_t value = 0;
    for (const size_t end = at_ + count; at_ < end; ++at_)
      value = value << 1 | (static_cast<uint32_t>(bytes_[at_ / 8]) >> (7 - at_ % 8) & 1);
    return value;
  }
  // A number below `values`, which is not 0, in no more bits than needed (AV1 RTP specification, section A.8.1, ns(n)).
  uint32_t below(uint32_t values) {
    size_t width = 0;
    while (values >> width != 0) ++width;
    const uint32_t short_ones = (uint32_t{1} << width) - values;
    const uint32_t value = bits(width - 1);
    return value < short_ones ? value : (value << 1) - short_ones + bits(1);
  }

 private:
  Bytes bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace viaduct::rtp
