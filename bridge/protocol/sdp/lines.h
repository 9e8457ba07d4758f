// The lines of a session description and the words in them (RFC 8866 section 5). Views only: the text outlives them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace viaduct::sdp {

// `type`=`value`, and for type 'a' also `name`[:`rest`]. A line that is not of this form has type 0.
struct Line {
  int number = 0;  // counted from 1
  char type = 0;
  std::string_view value;
  std::string_view name;
  std::string_view rest;
};

class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}
  // The next line that is not empty; nothing at the end. Lines end with CRLF, or LF alone.
  std::optional<Line> next();

 private:
  std::string_view rest_;
  int number_ = 0;
};

// An InvalidArgument that names the line, but not its value: that may be a password.
Error error_at(const Line& line, std::string_view what);

// Takes the next word, up to a space, off the front of `rest`; empty when there is none.
std::string_view take_word(std::string_view& rest);

// Splits at the first `separator`: takes what stands before it off the front of `rest`, or all of it when there
// is none.
std::string_view take_until(std::string_view& rest, char separator);

// Names in SDP compare without case.
bool same_name(std::string_view a, std::string_view b);

// All of `text` as a decimal number that fits T.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return number;
}

}  // namespace viaduct::sdp
