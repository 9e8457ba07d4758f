// Tries, twice a second, to write a file, from a thread that was there before the program began.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static void* write_again_and_again(void* unused) {
  for (;;) {
    const struct timespec pause = {0, 500 * 1000 * 1000};
    nanosleep(&pause, NULL);
    const int fd = open("recording", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
  }
  return unused;
}

__attribute__((constructor)) static void begin(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, write_again_and_again, NULL) == 0) pthread_detach(thread);
}
