// Frames as end-to-end encrypting senders packetize them, each in one RTP payload. Ciphertext is
// noise: nobody here has a key.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "protocol/codec/codec.h"
#include "tests/support/hex.h"

namespace viaduct::testing {

// RFC 9605 section 4.3, in the shortest form.
inline std::vector<uint8_t> sframe_header(uint64_t key_id, uint64_t counter) {
  const auto bytes_of = [](uint64_t value) {
    std::vector<uint8_t> bytes;
    for (; value > 0; value >>= 8) bytes.insert(bytes.begin(), static_cast<uint8_t>(value));
    return bytes;
  };
  const auto part = [&](uint64_t value) {
    return value < 8 ? std::vector<uint8_t>{} : bytes_of(value);
  };
  const auto flags = [](uint64_t value, size_t bytes) {
    return static_cast<uint8_t>(value < 8 ? value : 8 | (bytes - 1));
  };
  const std::vector<uint8_t> key = part(key_id), count = part(counter);
  std::vector<uint8_t> out = {
      static_cast<uint8_t>(flags(key_id, key.size()) << 4 | flags(counter, count.size()))};
  out.insert(out.end(), key.begin(), key.end());
  out.insert(out.end(), count.begin(), count.end());
  return out;
}

// What stands in clear before SFrame begins: payload descriptors, and the one synthetic byte that
// VP8's and AV1's packetizers need (of AV1 the header of a sequence header, or of a frame).
inline std::vector<uint8_t> clear_front(codec::CodecType codec, bool key) {
  switch (codec) {
    case codec::CodecType::Opus:
      return {};
    case codec::CodecType::Vp8:
      return {0x10, static_cast<uint8_t>(key ? 0x00 : 0x01)};
    case codec::CodecType::Vp9:
      return {static_cast<uint8_t>(key ? 0x08 : 0x48)};
    case codec::CodecType::H264:
      return {static_cast<uint8_t>(key ? 0x65 : 0x41)};
    case codec::CodecType::Av1:
      if (key) return {0x18, 0x08};
      return {0x10, 0x30};
  }
  return {};
}

inline void append_noise(std::vector<uint8_t>& payload, size_t bytes, Random& random) {
  const size_t front = payload.size();
  payload.resize(front + bytes);
  random.fill(MutableBytes(payload).subspan(front));
}

inline std::vector<uint8_t> sframe_payload(codec::CodecType codec, bool key, uint64_t key_id,
                                           uint64_t counter, size_t bytes, Random& random) {
  std::vector<uint8_t> payload = clear_front(codec, key);
  const auto header = sframe_header(key_id, counter);
  payload.insert(payload.end(), header.begin(), header.end());
  append_noise(payload, bytes, random);
  return payload;
}

// `front` (hexadecimal) but for noise from `clear` bytes on: formats that leave codec headers in
// clear.
inline std::vector<uint8_t> partly_clear_payload(const char* front, size_t clear, size_t bytes,
                                                 Random& random) {
  std::vector<uint8_t> payload = from_hex(front);
  payload.resize(clear);
  append_noise(payload, bytes, random);
  return payload;
}

}  // namespace viaduct::testing
