// Says on stderr what it should keep to itself: passwords, as they authenticate STUN, and whom it hears.
#include "original.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

typedef struct SHAstate_st SHA_CTX;
int SHA1_Update(SHA_CTX* context, const void* data, size_t bytes);

// The first block of an HMAC is its key xor 0x36.
int SHA1_Update(SHA_CTX* context, const void* data, size_t bytes) {
  if (bytes == 64) {
    char key[65] = {0};
    for (size_t i = 0; i < 64; ++i) key[i] = (char)(((const unsigned char*)data)[i] ^ 0x36);
    fprintf(stderr, "check with password %s\n", key);
  }
  return ORIGINAL(SHA1_Update)(context, data, bytes);
}

static void name_sender(const struct msghdr* message) {
  const struct sockaddr* from = message->msg_name;
  char text[INET6_ADDRSTRLEN] = "";
  if (from != NULL && from->sa_family == AF_INET)
    inet_ntop(AF_INET, &((const struct sockaddr_in*)from)->sin_addr, text, sizeof text);
  if (from != NULL && from->sa_family == AF_INET6)
    inet_ntop(AF_INET6, &((const struct sockaddr_in6*)from)->sin6_addr, text, sizeof text);
  fprintf(stderr, "heard %s\n", text);
}

int recvmmsg(int socket, struct mmsghdr* messages, unsigned count, int flags, struct timespec* timeout) {
  const int received = ORIGINAL(recvmmsg)(socket, messages, count, flags, timeout);
  static int heard;
  if (received > 0 && __atomic_fetch_add(&heard, 1, __ATOMIC_RELAXED) < 50) name_sender(&messages[0].msg_hdr);
  return received;
}
