#include "tests/support/call_bot/key_log.h"

#include <openssl/ssl.h>

#include <string_view>

#include "tests/support/hex.h"

namespace viaduct::call_bot {
namespace {

int secret_index() {
  static const int Index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return Index;
}

// "CLIENT_RANDOM <random> <master secret>"
void take_line(const SSL* ssl, const char* line) {
  const std::string_view text(line);
  if (!text.starts_with("CLIENT_RANDOM ")) return;
  void* secret = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), secret_index());
  *static_cast<std::vector<uint8_t>*>(secret) =
      testing::from_hex(text.substr(text.find_last_of(' ') + 1));
}

}  // namespace

void log_master_secret(const dtls::Context& context, std::vector<uint8_t>& secret) {
  SSL_CTX_set_ex_data(context.get(), secret_index(), &secret);
  SSL_CTX_set_keylog_callback(context.get(), take_line);
}

}  // namespace viaduct::call_bot
