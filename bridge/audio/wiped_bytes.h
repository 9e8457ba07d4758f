// Memory for what sound is made of: cleared before it goes back, whoever frees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace viaduct::audio {

class WipedBytes {
 public:
  explicit WipedBytes(size_t bytes) : data_(new uint8_t[bytes]()), bytes_(bytes) {}
  ~WipedBytes() {
    if (data_) explicit_bzero(data_.get(), bytes_);
  }
  WipedBytes(WipedBytes&& other) noexcept = default;
  WipedBytes& operator=(WipedBytes&&) = delete;

  uint8_t* data() const { return data_.get(); }

 private:
  std::unique_ptr<uint8_t[]> data_;
  size_t bytes_;
};

}  // namespace viaduct::audio
