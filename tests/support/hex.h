// Bytes as hexadecimal text, the way RFCs print their vectors: spaces, line breaks and either case are fine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace viaduct::testing {

inline std::vector<uint8_t> from_hex(std::string_view text) {
  std::vector<uint8_t> bytes;
  int digits = 0;
  for (char c : text) {
    const size_t value = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
    if (value == std::string_view::npos) continue;
    if (digits++ % 2 == 0) bytes.push_back(static_cast<uint8_t>(value << 4));
    else bytes.back() = static_cast<uint8_t>(bytes.back() | value);
  }
  return bytes;
}

inline std::string to_hex(Bytes bytes) {
  std::string text;
  for (uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace viaduct::testing
