#include "secrecy/self_test.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace viaduct::secrecy {
namespace {

constexpr mode_t OwnerOnly = 0600;

bool can_create_named(const std::string& folder) {
  const std::string path = folder + "/.viaduct-self-test-" + std::to_string(getpid());
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, OwnerOnly);
  if (fd < 0) return false;
  close(fd);
  unlink(path.c_str());
  return true;
}

bool can_create_unnamed(const std::string& folder) {
  const int fd = open(folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, OwnerOnly);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

}  // namespace

std::vector<std::string> usual_folders() {
  std::vector<std::string> folders{".", "/tmp", "/dev/shm"};
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    folders.emplace_back(home);
  return folders;
}

Result<void> try_to_write_files(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    if (!can_create_named(folder) && !can_create_unnamed(folder)) continue;
    return Error{ErrorCode::PermissionDenied, "the bridge could create a file in '" + folder +
                                                  "'; run it where Landlock or seccomp work, or on "
                                                  "a file system that is mounted read-only"};
  }
  return {};
}

}  // namespace viaduct::secrecy
