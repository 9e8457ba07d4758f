#include "secrecy/secret_string.h"

#include <openssl/crypto.h>

#include <cstring>

#include "secrecy/in_secret_memory.h"

namespace viaduct::secrecy {

SecretString::SecretString(std::string_view text, Copy) : size_(text.size()) {
  if (text.empty()) return;
  data_ = static_cast<char*>(allocate_or_throw(size_));
  std::memcpy(data_, text.data(), size_);
}

SecretString::~SecretString() { release(data_); }

bool SecretString::equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace viaduct::secrecy
