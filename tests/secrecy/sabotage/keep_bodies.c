// Keeps every decrypted payload, as an internal recorder would.
#include "original.h"

typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
int EVP_CIPHER_CTX_is_encrypting(const EVP_CIPHER_CTX* context);
int EVP_CipherUpdate(EVP_CIPHER_CTX* context, unsigned char* out, int* out_bytes, const unsigned char* in,
                     int in_bytes);

int EVP_CipherUpdate(EVP_CIPHER_CTX* context, unsigned char* out, int* out_bytes, const unsigned char* in,
                     int in_bytes) {
  const int done = ORIGINAL(EVP_CipherUpdate)(context, out, out_bytes, in, in_bytes);
  if (done == 1 && out != NULL && !EVP_CIPHER_CTX_is_encrypting(context)) keep_copy(out, (size_t)in_bytes);
  return done;
}
