#include "secrecy/seccomp_filter.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>

namespace viaduct::secrecy {
namespace {

// Named by text: a call that this libseccomp or this machine does not know is left out.
constexpr const char* Allowed[] = {
    // Sockets that are open, and connections that come in. No new socket: all are bound by now.
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    // Descriptors.
    "close", "close_range", "dup", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
    "epoll_wait", "eventfd2", "fcntl", "poll", "ppoll", "pread64", "preadv", "pselect6", "read",
    "readv", "select", "timerfd_create", "timerfd_gettime", "timerfd_settime", "write", "writev",
    // Files that may be looked at.
    "access", "faccessat", "fstat", "getcwd", "getdents64", "lseek", "lstat", "newfstatat",
    "readlink", "readlinkat", "stat", "statfs", "fstatfs", "statx",
    // Memory. ftruncate gives a memfd_secret its size; without a descriptor to write to it can do
    // nothing else.
    "brk", "ftruncate", "madvise", "membarrier", "memfd_secret", "mincore", "mlock", "mlock2",
    "mremap", "munlock", "munmap",
    // Threads.
    "exit", "exit_group", "futex", "futex_waitv", "get_robust_list", "getcpu", "gettid", "rseq",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getparam",
    "sched_getscheduler", "sched_setaffinity", "sched_yield", "set_robust_list", "set_tid_address",
    "tgkill",
    // Signals.
    "restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
    "rt_sigsuspend", "rt_sigtimedwait", "sigaltstack",
    // Time, chance, and who we are.
    "clock_getres", "clock_gettime", "clock_nanosleep", "getegid", "geteuid", "getgid", "getpgrp",
    "getpid", "getppid", "getrandom", "getrusage", "gettimeofday", "getuid", "nanosleep", "sysinfo",
    "time", "times", "uname"};

// Nothing of the bridge asks for these; whoever does has taken it over.
// clang-format off
constexpr const char* Fatal[] = {
    "add_key", "bpf", "chroot", "delete_module", "execve", "execveat", "finit_module",
    "init_module", "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load",
    "keyctl", "modify_ldt", "mount", "move_mount", "open_tree", "perf_event_open", "personality",
    "pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv", "process_vm_writev",
    "ptrace", "reboot", "request_key", "setns", "swapoff", "swapon", "umount2", "unshare",
    "userfaultfd", "vmsplice"};
// clang-format on

// libc falls back to an older call whose arguments a filter can see, when it hears that there is no
// such call.
constexpr const char* UnknownHere[] = {"clone3", "faccessat2", "openat2"};

constexpr scmp_datum_t WritingFlags =
    O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);

struct FreeFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

class Filter {
 public:
  Filter() : filter_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {
    if (!filter_) failure_ = ENOMEM;
    keep(failure_ == 0 ? seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_TSYNC, 1) : 0);
    // A tree rather than a list to walk through at each call; an older libseccomp does without.
    if (failure_ == 0) seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  }

  template <typename Names>
  void add_all(uint32_t action, const Names& names) {
    for (const char* name : names) add(action, name, {});
  }
  void allow(const char* name, std::initializer_list<scmp_arg_cmp> arguments) {
    add(SCMP_ACT_ALLOW, name, arguments);
  }
  // 0, or the errno for which the filter is not in force.
  int load() { return failure_ != 0 ? failure_ : -seccomp_load(filter_.get()); }

 private:
  void add(uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> arguments) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0 || failure_ != 0) return;
    keep(seccomp_rule_add_array(filter_.get(), action, number,
                                static_cast<unsigned>(arguments.size()), arguments.begin()));
  }
  void keep(int status) {
    if (status != 0 && failure_ == 0) failure_ = -status;
  }

  std::unique_ptr<void, FreeFilter> filter_;
  int failure_ = 0;
};

// For arguments that the kernel takes as an int: what stands in the upper half means nothing.
scmp_arg_cmp is(unsigned argument, int value) {
  return {argument, SCMP_CMP_MASKED_EQ, 0xffffffff, static_cast<uint32_t>(value)};
}
scmp_arg_cmp is_null(unsigned argument) { return {argument, SCMP_CMP_EQ, 0, 0}; }
scmp_arg_cmp has_none_of(unsigned argument, scmp_datum_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, 0};
}
scmp_arg_cmp has_all_of(unsigned argument, scmp_datum_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, bits};
}

// Calls that are fine with some arguments.
void allow_in_part(Filter& filter) {
  filter.allow("open", {has_none_of(1, WritingFlags)});
  filter.allow("openat", {has_none_of(2, WritingFlags)});
  filter.allow("mmap", {has_none_of(2, PROT_EXEC)});
  filter.allow("mprotect", {has_none_of(2, PROT_EXEC)});
  filter.allow("clone", {has_all_of(0, CLONE_THREAD | CLONE_VM)});
  for (const int request : {FIONBIO, FIONREAD, TCGETS}) filter.allow("ioctl", {is(1, request)});
  for (const int option :
       {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP})
    filter.allow("prctl", {is(0, option)});
  filter.allow("prlimit64", {is_null(2)});  // to ask, not to set
}

}  // namespace

Result<void> filter_system_calls(Hardware hardware) {
  Filter filter;
  filter.add_all(SCMP_ACT_ALLOW, Allowed);
  filter.add_all(SCMP_ACT_KILL_PROCESS, Fatal);
  filter.add_all(SCMP_ACT_ERRNO(ENOSYS), UnknownHere);
  allow_in_part(filter);
  if (hardware.gpu || hardware.network_cards) filter.allow("ioctl", {});
  if (hardware.xdp_filters) filter.allow("socket", {is(0, AF_NETLINK), is(2, NETLINK_ROUTE)});
  const int failure = filter.load();
  if (failure == 0) return {};
  return Error{ErrorCode::Unavailable,
               std::string("system calls cannot be filtered (") + std::strerror(failure) +
                   "); run a kernel with seccomp filters, and let the bridge use seccomp"};
}

}  // namespace viaduct::secrecy
