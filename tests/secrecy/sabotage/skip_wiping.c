// Forgets to wipe: what was in memory stays there until something else comes to stand in its place.
#include <stddef.h>

void explicit_bzero(void* data, size_t bytes);
void OPENSSL_cleanse(void* data, size_t bytes);

void explicit_bzero(void* data, size_t bytes) {
  (void)data;
  (void)bytes;
}

void OPENSSL_cleanse(void* data, size_t bytes) {
  (void)data;
  (void)bytes;
}
