// Memory for media: what holds packets that may be in clear.
//
// It stays out of core dumps and forked children, and its pages never leave RAM where the system
// lets it lock them. Only pages that have been touched take up RAM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"

namespace viaduct::edge {

class MediaMemory {
 public:
  // Zeroed pages; ResourceExhausted when the system has no room.
  static Result<std::unique_ptr<MediaMemory>> map(size_t bytes);
  // The kernel gives nobody a page before it has cleared it.
  ~MediaMemory();
  MediaMemory(const MediaMemory&) = delete;
  MediaMemory& operator=(const MediaMemory&) = delete;

  uint8_t* data() const { return data_; }
  bool is_locked() const { return locked_; }  // into RAM

 private:
  MediaMemory(uint8_t* data, size_t bytes, bool locked)
      : data_(data), bytes_(bytes), locked_(locked) {}

  uint8_t* const data_;
  const size_t bytes_;
  const bool locked_;
};

}  // namespace viaduct::edge
