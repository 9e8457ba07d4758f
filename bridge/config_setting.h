// One configuration value that carries its own name, default, limits and explanation, so that the
// file, the command line,
// --help and --print-config all speak from the same place. Defaults are written as an operator
// would write them.
//
// A Setting never holds a value outside what allowed() says, and never a secret: secrets stay in
// files that it names.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/interface_address.h"
#include "base/result.h"
#include "base/socket_address.h"

namespace viaduct {

// How a value is written in TOML: in quotes, as digits, or as true and false.
enum class ValueShape : uint8_t { Text, Number, Switch };

// A Setting<T> of whatever T.
class AnySetting {
 public:
  virtual ~AnySetting() = default;

  std::string_view name() const {
    return name_;
  }  // the TOML key; the option is the same with -- in front
  std::string_view help() const { return help_; }

  virtual ValueShape shape() const = 0;
  virtual bool is_list() const = 0;
  virtual std::string placeholder() const = 0;  // what --help shows for the value: "ADDRESS:PORT"
  virtual std::string allowed() const = 0;      // "a whole number from 0 to 64 (threads)"
  virtual std::vector<std::string> texts()
      const = 0;  // the value as it would be written; one text each for a list
  // Takes the value written as `texts`. InvalidArgument, and no change, when it is not allowed.
  virtual Result<void> assign(std::span<const std::string> texts) = 0;

 protected:
  AnySetting(std::string_view name, std::string_view help) : name_(name), help_(help) {}
  AnySetting(const AnySetting&) = default;
  AnySetting& operator=(const AnySetting&) = default;

 private:
  std::string_view name_;
  std::string_view help_;
};

// The bounds of a number, both allowed, and what it counts.
struct Range {
  uint64_t from = 0;
  uint64_t to = 0;
  std::string_view unit;
};

// Starts a group of settings in --help and in the annotated file.
class Section {
 public:
  explicit Section(std::string_view title) : title_(title) {}
  std::string_view title() const { return title_; }

 private:
  std::string_view title_;
};

// The words for an enumeration's values, specialised for each one that is configured.
template <typename E>
using Choice = std::pair<std::string_view, E>;
template <typename E>
inline constexpr std::array<Choice<E>, 0> ChoicesOf{};

// How a T is written and read. `placeholder` and `allowed` are for people.
template <typename T>
struct TextForm;

template <>
struct TextForm<std::string> {
  static constexpr ValueShape shape = ValueShape::Text;
  static std::optional<std::string> parse(std::string_view text) { return std::string(text); }
  static std::string print(const std::string& value) { return value; }
  static std::string placeholder() { return "TEXT"; }
  static std::string allowed() { return "text"; }
};

template <>
struct TextForm<std::filesystem::path> {
  static constexpr ValueShape shape = ValueShape::Text;
  static std::optional<std::filesystem::path> parse(std::string_view text) {
    return std::filesystem::path(text);
  }
  static std::string print(const std::filesystem::path& value) { return value.string(); }
  static std::string placeholder() { return "PATH"; }
  static std::string allowed() { return "a path"; }
};

template <>
struct TextForm<bool> {
  static constexpr ValueShape shape = ValueShape::Switch;
  static std::optional<bool> parse(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
  }
  static std::string print(bool value) { return value ? "true" : "false"; }
  static std::string placeholder() { return "true|false"; }
  static std::string allowed() { return "true or false"; }
};

template <>
struct TextForm<IpAddress> {
  static constexpr ValueShape shape = ValueShape::Text;
  static std::optional<IpAddress> parse(std::string_view text) { return IpAddress::parse(text); }
  static std::string print(const IpAddress& value) { return value.to_string(); }
  static std::string placeholder() { return "IP"; }
  static std::string allowed() { return "an IP address such as 192.0.2.1 or 2001:db8::1"; }
};

template <>
struct TextForm<InterfaceAddress> {
  static constexpr ValueShape shape = ValueShape::Text;
  static std::optional<InterfaceAddress> parse(std::string_view text) {
    return InterfaceAddress::parse(text);
  }
  static std::string print(const InterfaceAddress& value) { return value.to_string(); }
  static std::string placeholder() { return "IP/BITS"; }
  static std::string allowed() {
    return "an IP address with the bits of its network such as 192.0.2.1/24 or 2001:db8::1/64";
  }
};

template <>
struct TextForm<SocketAddress> {
  static constexpr ValueShape shape = ValueShape::Text;
  static std::optional<SocketAddress> parse(std::string_view text);
  static std::string print(const SocketAddress& value) { return value.to_string(); }
  static std::string placeholder() { return "ADDRESS:PORT"; }
  static std::string allowed() {
    return "an IP address and a port such as 127.0.0.1:8080 or [::1]:8080";
  }
};

template <typename E>
requires std::is_enum_v<E>
struct TextForm<E> {
  static constexpr ValueShape shape = ValueShape::Text;
  static std::optional<E> parse(std::string_view text) {
    for (const auto& [word, value] : ChoicesOf<E>) {
      if (word == text) return value;
    }
    return std::nullopt;
  }
  static std::string print(E value) {
    for (const auto& [word, candidate] : ChoicesOf<E>) {
      if (candidate == value) return std::string(word);
    }
    return {};
  }
  static std::string words(std::string_view separator) {
    std::string out;
    for (const auto& [word, value] : ChoicesOf<E>)
      out.append(out.empty() ? "" : separator).append(word);
    return out;
  }
  static std::string placeholder() { return words("|"); }
  static std::string allowed() { return "one of " + words(", "); }
};

template <std::unsigned_integral T>
struct TextForm<T> {
  static constexpr ValueShape shape = ValueShape::Number;
  static std::optional<T> parse(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  }
  static std::string print(T value) { return std::to_string(value); }
  static std::string placeholder() { return "N"; }
  static std::string allowed() { return "a whole number"; }
};

// What a Setting<T> is written as: one T, or for a vector any number of its elements.
template <typename T>
struct ListTraits {
  static constexpr bool is_list = false;
  using Element = T;
};
template <typename E>
struct ListTraits<std::vector<E>> {
  static constexpr bool is_list = true;
  using Element = E;
};

template <typename T>
class Setting final : public AnySetting {
  using Element = typename ListTraits<T>::Element;
  using Form = TextForm<Element>;

 public:
  Setting(std::string_view name, std::string_view default_text, std::string_view help)
      : AnySetting(name, help) {
    assign_default(default_text);
  }
  Setting(std::string_view name, std::string_view default_text, Range range,
          std::string_view help) requires std::unsigned_integral<T> : AnySetting(name, help),
                                                                      range_(range) {
    CHECK(range.to <= std::numeric_limits<T>::max());
    assign_default(default_text);
  }

  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }
  // For code that has worked the value out itself; what a person wrote comes through assign().
  Setting& operator=(T value) {
    value_ = std::move(value);
    return *this;
  }

  ValueShape shape() const override { return Form::shape; }
  bool is_list() const override { return ListTraits<T>::is_list; }
  std::string placeholder() const override {
    return Form::placeholder() + (is_list() ? ",..." : "");
  }

  std::string allowed() const override {
    if (range_.to == 0) return is_list() ? "a list, each " + Form::allowed() : Form::allowed();
    return Form::allowed() + " from " + std::to_string(range_.from) + " to " +
           std::to_string(range_.to) +
           (range_.unit.empty() ? "" : " (" + std::string(range_.unit) + ")");
  }

  std::vector<std::string> texts() const override {
    std::vector<std::string> out;
    if constexpr (ListTraits<T>::is_list) {
      for (const Element& element : value_) out.push_back(Form::print(element));
    } else {
      out.push_back(Form::print(value_));
    }
    return out;
  }

  Result<void> assign(std::span<const std::string> texts) override {
    std::vector<Element> parsed;
    for (const std::string& text : texts) {
      const std::optional<Element> element = Form::parse(text);
      if (!element || !in_range(*element)) return refuse(text);
      if (std::find(parsed.begin(), parsed.end(), *element) != parsed.end())
        return refuse_repeated(text);
      parsed.push_back(*element);
    }
    if constexpr (ListTraits<T>::is_list) {
      value_ = std::move(parsed);
    } else {
      if (parsed.size() != 1) return refuse("");
      value_ = std::move(parsed.front());
    }
    return {};
  }

 private:
  bool in_range(const Element& element) const {
    if constexpr (std::unsigned_integral<T>)
      return range_.to == 0 || (element >= range_.from && element <= range_.to);
    return static_cast<void>(element), true;
  }
  Error refuse(const std::string& text) const {
    return {ErrorCode::InvalidArgument, "'" + text + "' is not allowed; give " + allowed()};
  }
  Error refuse_repeated(const std::string& text) const {
    return {ErrorCode::InvalidArgument, "'" + text + "' stands there twice; give " + allowed()};
  }
  void assign_default(std::string_view text);

  T value_{};
  Range range_;
};

// The texts between the commas of `text`; none for an empty one.
std::vector<std::string> split_list(std::string_view text);

template <typename T>
void Setting<T>::assign_default(std::string_view text) {
  const std::vector<std::string> one{std::string(text)};
  CHECK(assign(is_list() ? split_list(text) : one).ok());
}

}  // namespace viaduct
