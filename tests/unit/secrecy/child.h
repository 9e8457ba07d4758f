// What can be tried only once in a process is tried in a forked child.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace viaduct::testing {

// How a child ended: what its body returned, or the signal that ended it.
struct Ended {
  int result = -1;
  int signal = 0;
};

template <typename Body>
Ended in_child(Body&& body) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);  // AddressSanitizer would make an exit status of it
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return {-1, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

// The errno of an attempt, 0 when it worked.
template <typename Call>
int errno_of(Call&& call) {
  errno = 0;
  return call() < 0 ? errno : 0;
}

// Sanitizers answer mlock() and mlockall() by themselves, use system calls that the filter refuses,
// and keep copies of what is freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // g++
inline constexpr bool Sanitized = true;
#elif defined(__has_feature)  // clang
inline constexpr bool Sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool Sanitized = false;
#endif
inline constexpr bool LocksForReal = !Sanitized;

}  // namespace viaduct::testing
