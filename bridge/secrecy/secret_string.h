// A password or another secret text. Its characters stand in secret memory wherever it is copied or
// moved to, and are wiped when it goes.
//
// A view of it, and whatever is made from that view, is on its own. Comparing takes a time that
// depends on lengths alone.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>

namespace viaduct::secrecy {

class SecretString {
 public:
  SecretString() = default;
  // From anything that reads as text. The original is its owner's to wipe.
  template <std::convertible_to<std::string_view> Text>
  SecretString(const Text& text)
      : SecretString(std::string_view(text), Copy{}) {}  // NOLINT(google-explicit-constructor)
  SecretString(const SecretString& other) : SecretString(other.view(), Copy{}) {}
  SecretString(SecretString&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecretString& operator=(SecretString other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SecretString();

  std::string_view view() const { return {data_, size_}; }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  template <std::convertible_to<std::string_view> Text>
  friend bool operator==(const SecretString& a, const Text& b) {
    return equal(a.view(), std::string_view(b));
  }

 private:
  struct Copy {};
  SecretString(std::string_view text, Copy);
  static bool equal(std::string_view a, std::string_view b);

  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace viaduct::secrecy
