#include "secrecy/openssl_memory.h"

#include <openssl/crypto.h>

#include "secrecy/secret_memory.h"

namespace viaduct::secrecy {
namespace {

// OpenSSL takes null for an answer, and reports that memory is out.
void* allocate_for_openssl(size_t bytes, const char*, int) {
  return allocate(bytes, SecretOwner::Library);
}
void* reallocate_for_openssl(void* block, size_t bytes, const char*, int) {
  return reallocate(block, bytes, SecretOwner::Library);
}
void release_for_openssl(void* block, const char*, int) { release(block); }

}  // namespace

bool keep_openssl_in_secret_memory() {
  return CRYPTO_set_mem_functions(allocate_for_openssl, reallocate_for_openssl,
                                  release_for_openssl) == 1;
}

}  // namespace viaduct::secrecy
