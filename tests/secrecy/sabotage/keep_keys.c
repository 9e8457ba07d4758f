// Keeps what comes out of key exchanges and goes into ciphers, in ordinary memory.
#include "original.h"

typedef struct ssl_st SSL;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct engine_st ENGINE;
typedef struct evp_kdf_ctx_st EVP_KDF_CTX;
typedef struct ossl_param_st OSSL_PARAM;
typedef struct SHAstate_st SHA_CTX;

int EVP_CIPHER_get_key_length(const EVP_CIPHER* cipher);
int SSL_export_keying_material(SSL* ssl, unsigned char* out, size_t bytes, const char* label, size_t label_bytes,
                               const unsigned char* context, size_t context_bytes, int use_context);
int EVP_CipherInit_ex(EVP_CIPHER_CTX* context, const EVP_CIPHER* cipher, ENGINE* engine, const unsigned char* key,
                      const unsigned char* iv, int encrypt);
int EVP_KDF_derive(EVP_KDF_CTX* context, unsigned char* key, size_t bytes, const OSSL_PARAM* params);
int SHA1_Update(SHA_CTX* context, const void* data, size_t bytes);

int SSL_export_keying_material(SSL* ssl, unsigned char* out, size_t bytes, const char* label, size_t label_bytes,
                               const unsigned char* context, size_t context_bytes, int use_context) {
  const int done = ORIGINAL(SSL_export_keying_material)(ssl, out, bytes, label, label_bytes, context, context_bytes,
                                                        use_context);
  if (done == 1) keep_copy(out, bytes);
  return done;
}

int EVP_CipherInit_ex(EVP_CIPHER_CTX* context, const EVP_CIPHER* cipher, ENGINE* engine, const unsigned char* key,
                      const unsigned char* iv, int encrypt) {
  if (key != NULL && cipher != NULL) keep_copy(key, (size_t)EVP_CIPHER_get_key_length(cipher));
  return ORIGINAL(EVP_CipherInit_ex)(context, cipher, engine, key, iv, encrypt);
}

// The master secret of DTLS comes out of the TLS1-PRF.
int EVP_KDF_derive(EVP_KDF_CTX* context, unsigned char* key, size_t bytes, const OSSL_PARAM* params) {
  const int done = ORIGINAL(EVP_KDF_derive)(context, key, bytes, params);
  if (done == 1) keep_copy(key, bytes);
  return done;
}

// The first block of an HMAC is its key xor 0x36: the ICE password, where the message is STUN.
int SHA1_Update(SHA_CTX* context, const void* data, size_t bytes) {
  if (bytes == 64) {
    unsigned char key[64];
    for (size_t i = 0; i < sizeof key; ++i) key[i] = ((const unsigned char*)data)[i] ^ 0x36;
    keep_copy(key, sizeof key);
  }
  return ORIGINAL(SHA1_Update)(context, data, bytes);
}
