// Views of bytes, network byte order, and bounds-checked reading and writing.
//
// A reader or writer that would step over its end stays where it is and turns !ok(); callers check once at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace viaduct {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

inline Bytes as_bytes(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }
inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Big-endian loads and stores. The caller has checked the bounds.
constexpr uint16_t load_be16(const uint8_t* p) { return static_cast<uint16_t>((p[0] << 8) | p[1]); }
constexpr uint32_t load_be24(const uint8_t* p) {
  return (static_cast<uint32_t>(p[0]) << 16) | (static_cast<uint32_t>(p[1]) << 8) | p[2];
}
constexpr uint32_t load_be32(const uint8_t* p) {
  return (static_cast<uint32_t>(load_be16(p)) << 16) | load_be16(p + 2);
}
constexpr uint64_t load_be64(const uint8_t* p) {
  return (static_cast<uint64_t>(load_be32(p)) << 32) | load_be32(p + 4);
}
constexpr void store_be16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
constexpr void store_be24(uint8_t* p, uint32_t v) {
  p[0] = static_cast<uint8_t>(v >> 16);
  store_be16(p + 1, static_cast<uint16_t>(v));
}
constexpr void store_be32(uint8_t* p, uint32_t v) {
  store_be16(p, static_cast<uint16_t>(v >> 16));
  store_be16(p + 2, static_cast<uint16_t>(v));
}
constexpr void store_be64(uint8_t* p, uint64_t v) {
  store_be32(p, static_cast<uint32_t>(v >> 32));
  store_be32(p + 4, static_cast<uint32_t>(v));
}

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  size_t remaining() const { return rest_.size(); }
  Bytes rest() const { return rest_; }

  uint8_t u8() { return take(1) ? at_[0] : 0; }
  uint16_t be16() { return take(2) ? load_be16(at_) : 0; }
  uint32_t be24() { return take(3) ? load_be24(at_) : 0; }
  uint32_t be32() { return take(4) ? load_be32(at_) : 0; }
  uint64_t be64() { return take(8) ? load_be64(at_) : 0; }
  Bytes bytes(size_t n) { return take(n) ? Bytes{at_, n} : Bytes{}; }
  void skip(size_t n) { take(n); }

 private:
  bool take(size_t n) {
    if (!ok_ || n > rest_.size()) return ok_ = false;
    at_ = rest_.data();
    rest_ = rest_.subspan(n);
    return true;
  }

  Bytes rest_;
  const uint8_t* at_ = nullptr;
  bool ok_ = true;
};

class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes out) : out_(out) {}

  bool ok() const { return ok_; }
  size_t size() const { return size_; }                          // bytes written so far
  MutableBytes written() const { return out_.first(size_); }

  void u8(uint8_t v) { if (uint8_t* p = grow(1)) *p = v; }
  void be16(uint16_t v) { if (uint8_t* p = grow(2)) store_be16(p, v); }
  void be24(uint32_t v) { if (uint8_t* p = grow(3)) store_be24(p, v); }
  void be32(uint32_t v) { if (uint8_t* p = grow(4)) store_be32(p, v); }
  void be64(uint64_t v) { if (uint8_t* p = grow(8)) store_be64(p, v); }
  void bytes(Bytes v) { if (uint8_t* p = grow(v.size()); p && !v.empty()) std::memcpy(p, v.data(), v.size()); }
  void zeros(size_t n) { if (uint8_t* p = grow(n); p && n > 0) std::memset(p, 0, n); }

 private:
  uint8_t* grow(size_t n) {
    if (!ok_ || n > out_.size() - size_) { ok_ = false; return nullptr; }
    uint8_t* p = out_.data() + size_;
    size_ += n;
    return p;
  }

  MutableBytes out_;
  size_t size_ = 0;
  bool ok_ = true;
};

}  // namespace viaduct
