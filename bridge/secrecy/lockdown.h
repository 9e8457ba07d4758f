// What the process gives up for good, so that nothing it holds gets out of it: core dumps,
// debuggers of its own user, new privileges, swap, and in the end (landlock.h, seccomp_filter.h)
// every way to write a file.
//
// In two steps. close_memory() comes before there is any secret to lose. close_files() comes when
// all files and sockets are open and before there is a second thread: Landlock binds the thread
// that asks and those that it starts.
#pragma once

#include "base/result.h"
#include "secrecy/hardening_state.h"
#include "secrecy/seccomp_filter.h"

namespace viaduct::secrecy {

// Records core_dumps, not_dumpable, no_new_privileges and memory_locked.
void close_memory(HardeningState& state);
// Records landlock, seccomp and, tried out, no_file_writes.
void close_files(HardeningState& state, Hardware hardware = {});

// Of these each error says why, and what to do about it.
Result<void> forbid_core_dumps();
Result<void> forbid_dumping();  // and with it ptrace and /proc/PID/mem for the same user
Result<void> forbid_new_privileges();
// All memory there is and will be stays in RAM once it is touched. Refuses where a limit of locked
// memory would later make allocations fail.
Result<void> lock_memory();

// What libraries would put into files because the environment says so: an error where that is
// memory, off where it is a cache of theirs.
Result<void> prepare_environment();

}  // namespace viaduct::secrecy
