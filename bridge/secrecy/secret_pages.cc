#include "secrecy/secret_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace viaduct::secrecy {
namespace {

constexpr long MemfdSecretCall =
    447;  // the same number on every architecture; older C libraries do not name it

int memfd_secret() { return static_cast<int>(syscall(MemfdSecretCall, O_CLOEXEC)); }

// Of a secret file the kernel lets the size be set once, so each mapping has a file of its own.
uint8_t* map_memfd_secret(size_t bytes) {
  const int fd = memfd_secret();
  if (fd < 0) return nullptr;
  void* data = MAP_FAILED;
  if (ftruncate(fd, static_cast<off_t>(bytes)) == 0)
    data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return data == MAP_FAILED ? nullptr : static_cast<uint8_t*>(data);
}

uint8_t* map_anonymous(size_t bytes) {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return data == MAP_FAILED ? nullptr : static_cast<uint8_t*>(data);
}

SecretPages map_best(size_t bytes, Backing at_best) {
  if (at_best == Backing::MemfdSecret) {
    if (uint8_t* data = map_memfd_secret(bytes)) return {data, bytes, Backing::MemfdSecret};
  }
  uint8_t* data = map_anonymous(bytes);
  if (data == nullptr) return {};
  const bool locked = at_best != Backing::Unlocked && mlock(data, bytes) == 0;
  return {data, bytes, locked ? Backing::Locked : Backing::Unlocked};
}

}  // namespace

const char* to_string(Backing backing) {
  switch (backing) {
    case Backing::MemfdSecret:
      return "memfd_secret";
    case Backing::Locked:
      return "locked";
    case Backing::Unlocked:
      return "unlocked";
  }
  return "unknown";
}

SecretPages map_secret_pages(size_t bytes, Backing at_best) {
  const SecretPages pages = map_best(bytes, at_best);
  if (pages.data == nullptr) return {};
  madvise(pages.data, bytes, MADV_DONTDUMP);  // memfd_secret is so by itself, and says no
  madvise(pages.data, bytes, MADV_DONTFORK);
  return pages;
}

void unmap_secret_pages(const SecretPages& pages) { munmap(pages.data, pages.bytes); }

bool kernel_offers_memfd_secret() {
  const int fd = memfd_secret();
  if (fd >= 0) close(fd);
  return fd >= 0;
}

void raise_memory_lock_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_MEMLOCK, &limit);
}

}  // namespace viaduct::secrecy
