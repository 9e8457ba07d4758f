// The fields of one YAML mapping, each read once and checked: what is left over at the end is an
// error, and so is what has the wrong type, unit or range.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/units.h"
#include "limits.h"

namespace viaduct::load {

// Thrown within the reading of one file, and turned into a Result there.
struct FieldError {
  size_t line = 0;
  std::string sentence;  // without its full stop
};

class Fields {
 public:
  // `what` names the mapping in errors: "a group".
  Fields(const YAML::Node& node, std::string what);

  bool has(const char* name) const { return node_[name].IsDefined(); }
  size_t line() const { return line_of(node_); }

  // Each returns `otherwise` where the field is not there.
  std::string text(const char* name, const std::string& otherwise);
  bool flag(const char* name, bool otherwise);
  double number(const char* name, double otherwise, double least, double most);
  uint64_t whole(const char* name, uint64_t otherwise, uint64_t least, uint64_t most);
  // A whole number, or `word`, which stands for `meaning`.
  uint64_t whole_or(const char* name, const std::string& word, uint64_t meaning, uint64_t least,
                    uint64_t most);
  Duration duration(const char* name, Duration otherwise, Duration least, Duration most);
  DataRate rate(const char* name, DataRate otherwise, double least_kbps, double most_kbps);
  double share(const char* name, double otherwise);                // "1.5 %", as 0.015
  void size(const char* name, uint16_t& width, uint16_t& height);  // "1280x720"
  template <typename T>
  T choice(const char* name, const std::map<std::string, T>& choices, T otherwise);

  // A mapping within this one; nothing where it is not there.
  std::optional<Fields> fields(const char* name);
  // The items of a list, at least so many.
  std::vector<YAML::Node> list(const char* name, size_t least);

  // Call when all was read: refuses what is left.
  void finish() const;

  [[noreturn]] void refuse(const std::string& why) const;
  [[noreturn]] void refuse_field(const char* name, const std::string& why) const;

 private:
  static size_t line_of(const YAML::Node& node) {
    return static_cast<size_t>(std::max(node.Mark().line, 0)) + 1;
  }
  YAML::Node take(const char* name);
  std::string scalar(const char* name, const YAML::Node& node) const;

  YAML::Node node_;
  std::string what_;
  std::set<std::string> known_;
};

template <typename T>
std::string allowed(const std::map<std::string, T>& choices) {
  std::string text;
  for (const auto& [name, value] : choices) text += (text.empty() ? "" : ", ") + name;
  return "allowed are " + text;
}

template <typename T>
T Fields::choice(const char* name, const std::map<std::string, T>& choices, T otherwise) {
  const YAML::Node node = take(name);
  if (!node.IsDefined()) return otherwise;
  const std::string word = scalar(name, node);
  const auto found = choices.find(word);
  if (found == choices.end()) refuse_field(name, "'" + word + "': " + allowed(choices));
  return found->second;
}

}  // namespace viaduct::load
