#include "secrecy/lockdown.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "secrecy/landlock.h"
#include "secrecy/seccomp_filter.h"
#include "secrecy/self_test.h"

namespace viaduct::secrecy {
namespace {

Error refused(const char* what, const char* remedy) {
  return {ErrorCode::Unavailable, std::string(what) + " (" + std::strerror(errno) + "); " + remedy};
}

// No limit of locked memory applies: there is none, or the process has CAP_IPC_LOCK where the
// kernel looks for it, which shows in that it may lock a page although its limit is zero.
bool may_lock_everything() {
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
  if (limit.rlim_cur == RLIM_INFINITY) return true;
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* probe = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return false;
  const rlimit none{0, limit.rlim_max};
  setrlimit(RLIMIT_MEMLOCK, &none);
  const bool locked = mlock(probe, page) == 0;
  setrlimit(RLIMIT_MEMLOCK, &limit);
  munmap(probe, page);
  return locked;
}

}  // namespace

void close_memory(HardeningState& state) {
  state.record(measure::CoreDumps, forbid_core_dumps());
  state.record(measure::NotDumpable, forbid_dumping());
  state.record(measure::NoNewPrivileges, forbid_new_privileges());
  state.record(measure::MemoryLocked, lock_memory());
}

void close_files(HardeningState& state, Hardware hardware) {
  state.record(measure::Landlock, forbid_file_writes());
  state.record(measure::Seccomp, filter_system_calls(hardware));
  state.record(measure::NoFileWrites, try_to_write_files());
}

Result<void> forbid_core_dumps() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) == 0) return {};
  return refused("core dumps cannot be switched off", "let the bridge lower its own RLIMIT_CORE");
}

Result<void> forbid_dumping() {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0) return {};
  return refused("the process stays dumpable", "let the bridge use prctl(PR_SET_DUMPABLE)");
}

Result<void> forbid_new_privileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) return {};
  return refused("privileges could still be gained",
                 "let the bridge use prctl(PR_SET_NO_NEW_PRIVS)");
}

Result<void> lock_memory() {
  if (!may_lock_everything()) {
    return Error{ErrorCode::Unavailable,
                 "the limit of locked memory is too low; raise it (ulimit -l unlimited, "
                 "LimitMEMLOCK=infinity, "
                 "--ulimit memlock=-1)"};
  }
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return {};
  return refused("memory cannot be locked",
                 "let the bridge use mlockall, or switch swap off and run without this");
}

Result<void> prepare_environment() {
  for (const char* name :
       {"CUDA_ENABLE_COREDUMP_ON_EXCEPTION", "CUDA_ENABLE_USER_TRIGGERED_COREDUMP"}) {
    if (std::getenv(name) == nullptr) continue;
    return Error{ErrorCode::InvalidArgument,
                 std::string(name) +
                     " is set, and such a dump holds media and keys; remove "
                     "it from the environment"};
  }
  setenv("CUDA_CACHE_DISABLE", "1", 1);
  return {};
}

}  // namespace viaduct::secrecy
