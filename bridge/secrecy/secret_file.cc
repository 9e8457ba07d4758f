#include "secrecy/secret_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "limits.h"
#include "secrecy/in_secret_memory.h"

namespace viaduct::secrecy {

Result<SecretString> read_secret_file(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return Error{ErrorCode::NotFound,
                 std::string("it cannot be opened (") + std::strerror(errno) + ")"};
  std::vector<char, SecretAllocator<char>> text(limits::SecretFileBytes + 1);
  size_t filled = 0;
  ssize_t got = 0;
  while (filled < text.size() &&
         (got = read(fd, text.data() + filled, text.size() - filled)) != 0) {
    if (got > 0) filled += static_cast<size_t>(got);
    if (got < 0 && errno != EINTR) break;
  }
  const int reason = got < 0 ? errno : 0;
  close(fd);
  if (reason != 0)
    return Error{ErrorCode::NotFound,
                 std::string("it cannot be read (") + std::strerror(reason) + ")"};
  if (filled > limits::SecretFileBytes)
    return Error{ErrorCode::InvalidArgument, "it is too long for a key or a secret"};
  return SecretString(std::string_view(text.data(), filled));
}

}  // namespace viaduct::secrecy
