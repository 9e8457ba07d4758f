#include "edge/media_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace viaduct::edge {

Result<std::unique_ptr<MediaMemory>> MediaMemory::map(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return Error{ErrorCode::ResourceExhausted, "no room for " + std::to_string(bytes) +
                                                   " bytes of media (" + std::strerror(errno) +
                                                   ")"};
  }
  madvise(memory, bytes, MADV_DONTDUMP);
  madvise(memory, bytes, MADV_DONTFORK);
  const bool locked = mlock2(memory, bytes, MLOCK_ONFAULT) == 0;  // each page as it is touched
  return std::unique_ptr<MediaMemory>(
      new MediaMemory(static_cast<uint8_t*>(memory), bytes, locked));
}

MediaMemory::~MediaMemory() { munmap(data_, bytes_); }

}  // namespace viaduct::edge
