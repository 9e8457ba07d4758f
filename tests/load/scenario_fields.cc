#include "tests/load/scenario_fields.h"

#include <algorithm>
#include <cmath>
#include <regex>
#include <utility>

namespace viaduct::load {
namespace {

struct Quantity {
  double value = 0;
  std::string unit;
};

std::optional<Quantity> quantity_in(const std::string& text) {
  static const std::regex Form("([0-9]+(?:\\.[0-9]+)?) ?([A-Za-z%/]*)");
  std::smatch parts;
  if (!std::regex_match(text, parts, Form)) return std::nullopt;
  return Quantity{std::strtod(parts[1].str().c_str(), nullptr), parts[2]};
}

std::string in_seconds(Duration d) {
  const double s = to_seconds(d);
  char text[32];
  std::snprintf(text, sizeof text, "%g %s", s < 1 ? s * 1000 : s, s < 1 ? "ms" : "s");
  return text;
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

}  // namespace

Fields::Fields(const YAML::Node& node, std::string what) : node_(node), what_(std::move(what)) {
  if (!node_.IsMap()) refuse("is no mapping of fields to values");
}

YAML::Node Fields::take(const char* name) {
  known_.insert(name);
  return std::as_const(node_)[name];
}

std::string Fields::scalar(const char* name, const YAML::Node& node) const {
  if (!node.IsScalar()) refuse_field(name, "one value is wanted");
  return node.Scalar();
}

std::string Fields::text(const char* name, const std::string& otherwise) {
  const YAML::Node node = take(name);
  if (!node.IsDefined()) return otherwise;
  const std::string value = scalar(name, node);
  const bool printable = std::ranges::all_of(value, [](char c) { return c >= 0x20 && c != 0x7f; });
  if (value.empty() || value.size() > limits::NameCharacters || !printable)
    refuse_field(name, "1 to 64 characters are wanted, none of them a control character");
  return value;
}

bool Fields::flag(const char* name, bool otherwise) {
  return choice<bool>(name, {{"true", true}, {"false", false}}, otherwise);
}

double Fields::number(const char* name, double otherwise, double least, double most) {
  const YAML::Node node = take(name);
  if (!node.IsDefined()) return otherwise;
  const std::string value = scalar(name, node);
  const auto quantity = quantity_in(value);
  if (!quantity || !quantity->unit.empty() || quantity->value < least || quantity->value > most)
    refuse_field(name, "'" + value + "': a number from " + short_number(least) + " to " +
                           short_number(most) + " is allowed");
  return quantity->value;
}

uint64_t Fields::whole(const char* name, uint64_t otherwise, uint64_t least, uint64_t most) {
  const double value = number(name, static_cast<double>(otherwise), static_cast<double>(least),
                              static_cast<double>(most));
  if (value != std::floor(value)) refuse_field(name, "a whole number is wanted");
  return static_cast<uint64_t>(value);
}

uint64_t Fields::whole_or(const char* name, const std::string& word, uint64_t meaning,
                          uint64_t least, uint64_t most) {
  const YAML::Node node = take(name);
  if (!node.IsDefined() || (node.IsScalar() && node.Scalar() == word)) return meaning;
  return whole(name, meaning, least, most);
}

Duration Fields::duration(const char* name, Duration otherwise, Duration least, Duration most) {
  static const std::map<std::string, double> Units = {
      {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}};
  const YAML::Node node = take(name);
  if (!node.IsDefined()) return otherwise;
  const std::string value = scalar(name, node);
  const auto quantity = quantity_in(value);
  const auto unit = quantity ? Units.find(quantity->unit) : Units.end();
  const double seconds = unit == Units.end() ? -1 : quantity->value * unit->second;
  if (seconds < to_seconds(least) || seconds > to_seconds(most))
    refuse_field(name, "'" + value + "': a time from " + in_seconds(least) + " to " +
                           in_seconds(most) + " is allowed, with its unit: us, ms, s, min, h");
  return Duration(std::llround(seconds * 1e9));
}

DataRate Fields::rate(const char* name, DataRate otherwise, double least_kbps, double most_kbps) {
  static const std::map<std::string, double> Units = {
      {"bit/s", 1e-3}, {"kbit/s", 1}, {"Mbit/s", 1e3}, {"Gbit/s", 1e6}};
  const YAML::Node node = take(name);
  if (!node.IsDefined()) return otherwise;
  const std::string value = scalar(name, node);
  const auto quantity = quantity_in(value);
  const auto unit = quantity ? Units.find(quantity->unit) : Units.end();
  const double kbps = unit == Units.end() ? -1 : quantity->value * unit->second;
  if (kbps < least_kbps || kbps > most_kbps)
    refuse_field(name, "'" + value + "': a rate from " + short_number(least_kbps) + " to " +
                           short_number(most_kbps) +
                           " kbit/s is allowed, with its unit: bit/s, kbit/s, Mbit/s, Gbit/s");
  return DataRate{std::llround(kbps * 1000)};
}

double Fields::share(const char* name, double otherwise) {
  const YAML::Node node = take(name);
  if (!node.IsDefined()) return otherwise;
  const std::string value = scalar(name, node);
  const auto quantity = quantity_in(value);
  if (!quantity || quantity->unit != "%" || quantity->value > 100)
    refuse_field(name, "'" + value + "': 0 % to 100 % is allowed");
  return quantity->value / 100;
}

void Fields::size(const char* name, uint16_t& width, uint16_t& height) {
  const YAML::Node node = take(name);
  if (!node.IsDefined()) return;
  const std::string value = scalar(name, node);
  static const std::regex Form("([1-9][0-9]{1,3})x([1-9][0-9]{1,3})");
  std::smatch parts;
  if (!std::regex_match(value, parts, Form))
    refuse_field(name, "'" + value + "': WIDTHxHEIGHT is allowed, each 10 to 9999");
  width = static_cast<uint16_t>(std::stoi(parts[1]));
  height = static_cast<uint16_t>(std::stoi(parts[2]));
}

std::optional<Fields> Fields::fields(const char* name) {
  const YAML::Node node = take(name);
  if (!node.IsDefined()) return std::nullopt;
  return Fields(node, std::string("'") + name + "'");
}

std::vector<YAML::Node> Fields::list(const char* name, size_t least) {
  const YAML::Node node = take(name);
  std::vector<YAML::Node> items;
  if (node.IsDefined() && !node.IsSequence()) refuse_field(name, "a list is wanted");
  if (node.IsDefined())
    for (const YAML::Node& item : node) items.push_back(item);
  if (items.size() < least) refuse_field(name, "at least one is wanted");
  return items;
}

void Fields::finish() const {
  for (const auto& field : node_) {
    const std::string name = field.first.IsScalar() ? field.first.Scalar() : "?";
    if (known_.contains(name)) continue;
    std::string names;
    for (const std::string& known : known_) names += (names.empty() ? "" : ", ") + known;
    throw FieldError{line_of(field.first),
                     what_ + " has no field '" + name + "': allowed are " + names};
  }
}

void Fields::refuse(const std::string& why) const { throw FieldError{line(), what_ + " " + why}; }

void Fields::refuse_field(const char* name, const std::string& why) const {
  const YAML::Node node = node_[name];
  throw FieldError{node.IsDefined() ? line_of(node) : line(),
                   std::string("'") + name + "' of " + what_ + ": " + why};
}

}  // namespace viaduct::load
