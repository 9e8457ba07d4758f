#include "protocol/sdp/lines.h"

#include <algorithm>

namespace viaduct::sdp {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::optional<Line> LineReader::next() {
  while (!rest_.empty()) {
    std::string_view text = take_until(rest_, '\n');
    ++number_;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) continue;

    Line line;
    line.number = number_;
    // Control characters would travel on into the answer, the logs and the API.
    if (text.size() < 2 || text[1] != '=' || std::ranges::any_of(text, is_control)) return line;
    line.type = text[0];
    line.value = text.substr(2);
    if (line.type == 'a') {
      line.rest = line.value;
      line.name = take_until(line.rest, ':');
    }
    return line;
  }
  return std::nullopt;
}

Error error_at(const Line& line, std::string_view what) {
  std::string text = "SDP line " + std::to_string(line.number);
  if (line.type == 'a') {
    text += " (a=" + std::string(line.name.substr(0, 32)) + ")";
  } else if (line.type != 0) {
    text += std::string(" (") + line.type + "=)";
  }
  return {ErrorCode::InvalidArgument, text + ": " + std::string(what)};
}

std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return take_until(rest, ' ');
}

std::string_view take_until(std::string_view& rest, char separator) {
  const size_t at = rest.find(separator);
  const std::string_view front = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return front;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace viaduct::sdp
