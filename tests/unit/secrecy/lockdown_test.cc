// Each in a child of its own: nothing here can be undone.
#include "secrecy/lockdown.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "secrecy/landlock.h"
#include "secrecy/seccomp_filter.h"
#include "tests/unit/secrecy/child.h"

namespace viaduct::secrecy {
namespace {

using ::testing::HasSubstr;
using viaduct::testing::errno_of;
using viaduct::testing::in_child;
using viaduct::testing::LocksForReal;
using viaduct::testing::Sanitized;

// A folder with one file in it, which a child may try to change.
class Lockdown : public ::testing::Test {
 protected:
  Lockdown() {
    std::filesystem::create_directories(folder_);
    std::ofstream(file_) << "as it was";
  }
  ~Lockdown() override { std::filesystem::remove_all(folder_); }

  int create() const {
    return errno_of([&] { return open(fresh_.c_str(), O_WRONLY | O_CREAT, 0600); });
  }
  int read_file() const {
    return errno_of([&] { return open(file_.c_str(), O_RDONLY); });
  }

  const std::string folder_ = ::testing::TempDir() + "viaduct_lockdown_" + std::to_string(getpid());
  const std::string file_ = folder_ + "/file";
  const std::string fresh_ = folder_ + "/fresh";
};

std::string own_status() {
  std::stringstream text;
  text << std::ifstream("/proc/self/status").rdbuf();
  return text.str();
}

bool has_landlock() {
  return in_child([] {
           return forbid_new_privileges().ok() && forbid_file_writes().ok() ? 1 : 0;
         }).result == 1;
}

TEST_F(Lockdown, EndsCoreDumpsAndDebuggersOfTheSameUser) {
  const auto ended = in_child([] {
    if (!forbid_core_dumps() || !forbid_dumping()) return 1;
    rlimit limit{1, 1};
    getrlimit(RLIMIT_CORE, &limit);
    if (limit.rlim_cur != 0 || limit.rlim_max != 0) return 2;
    return prctl(PR_GET_DUMPABLE) == 0 ? 0 : 3;
  });
  EXPECT_EQ(ended.result, 0);
}

TEST_F(Lockdown, LeavesNoCoreFileOfACrash) {
  const auto crash = [&](bool locked_down) {
    const auto ended = in_child([&] {
      if (chdir(folder_.c_str()) != 0) return 1;
      const rlimit plenty{RLIM_INFINITY, RLIM_INFINITY};
      setrlimit(RLIMIT_CORE, &plenty);
      if (locked_down && (!forbid_core_dumps() || !forbid_dumping())) return 2;
      std::signal(SIGSEGV, SIG_DFL);
      raise(SIGSEGV);
      return 3;
    });
    EXPECT_EQ(ended.signal, SIGSEGV);
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      files += entry.path() != file_;
    return files;
  };
  EXPECT_EQ(crash(true), 0u);
  std::string pattern;
  std::getline(std::ifstream("/proc/sys/kernel/core_pattern"), pattern);
  if (pattern.starts_with('|') || pattern.starts_with('/') || geteuid() != 0 || !LocksForReal)
    GTEST_SKIP() << "the twin without a lockdown leaves its core elsewhere: " << pattern;
  EXPECT_EQ(crash(false), 1u);
}

TEST_F(Lockdown, LocksMemoryThatComesLaterToo) {
  if (!LocksForReal) GTEST_SKIP() << "a sanitizer answers mlockall() by itself";
  if (geteuid() != 0) GTEST_SKIP() << "needs root, or no limit of locked memory";
  const auto ended = in_child([] {
    if (!lock_memory()) return 1;
    void* later =
        mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static_cast<volatile char*>(later)[0] = 1;
    return own_status().find("VmLck:\t       0 kB") == std::string::npos ? 0 : 2;
  });
  EXPECT_EQ(ended.result, 0);
}

TEST_F(Lockdown, DoesNotLockMemoryWhereALimitWouldStopTheProgramLater) {
  if (!LocksForReal) GTEST_SKIP() << "a sanitizer answers mlock() by itself";
  const auto ended = in_child([] {
    const rlimit generous{rlim_t{1} << 40,
                          rlim_t{1} << 40};  // above what the process has, and still a limit
    setrlimit(RLIMIT_MEMLOCK, &generous);
    if (geteuid() == 0 && setuid(65534) != 0) return 1;
    const auto locked = lock_memory();
    if (locked) return 2;
    return locked.error().text.find("raise it") != std::string::npos ? 0 : 3;
  });
  EXPECT_EQ(ended.result, 0);
}

TEST_F(Lockdown, ByLandlockLeavesNoWriteRightAnywhere) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel offers no Landlock";
  const auto ended = in_child([&] {
    if (!forbid_new_privileges() || !forbid_file_writes()) return 1;
    if (create() != EACCES) return 2;
    if (errno_of([&] { return open(file_.c_str(), O_WRONLY); }) != EACCES) return 3;
    if (errno_of([&] { return open(folder_.c_str(), O_WRONLY | O_TMPFILE, 0600); }) != EACCES)
      return 4;
    if (errno_of([&] { return open("/dev/shm/viaduct_lockdown", O_RDWR | O_CREAT, 0600); }) !=
        EACCES)
      return 5;
    if (errno_of([&] { return unlink(file_.c_str()); }) != EACCES) return 6;
    if (errno_of([&] { return mkdir(fresh_.c_str(), 0700); }) != EACCES) return 7;
    if (errno_of([&] { return symlink("x", fresh_.c_str()); }) != EACCES) return 8;
    if (errno_of([&] { return mkfifo(fresh_.c_str(), 0600); }) != EACCES) return 9;
    if (errno_of([&] { return execl("/bin/true", "true", nullptr); }) != EACCES) return 10;
    return read_file();
  });
  EXPECT_EQ(ended.result, 0);
}

TEST_F(Lockdown, ByLandlockBindsThreadsThatStartLater) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel offers no Landlock";
  const auto ended = in_child([&] {
    if (!forbid_new_privileges() || !forbid_file_writes()) return 1;
    int seen = 0;
    std::thread([&] { seen = create(); }).join();
    return seen;
  });
  EXPECT_EQ(ended.result, EACCES);
}

TEST_F(Lockdown, ByLandlockLeavesOpenFilesAsTheyAre) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel offers no Landlock";
  const auto ended = in_child([&] {
    const int log = open(file_.c_str(), O_WRONLY | O_APPEND);
    if (!forbid_new_privileges() || !forbid_file_writes()) return 1;
    return write(log, "!", 1) == 1 ? 0 : 2;
  });
  EXPECT_EQ(ended.result, 0);
}

TEST_F(Lockdown, ByTheFilterOpensFilesForReadingOnly) {
  if (Sanitized) GTEST_SKIP() << "a sanitizer uses system calls that the filter refuses";
  const auto ended = in_child([&] {
    if (!filter_system_calls()) return 1;
    if (create() != EPERM) return 2;
    for (const int flags : {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_RDONLY | O_APPEND}) {
      if (errno_of([&] { return open(file_.c_str(), flags); }) != EPERM) return 3;
    }
    if (errno_of([&] { return open(folder_.c_str(), O_WRONLY | O_TMPFILE, 0600); }) != EPERM)
      return 4;
    if (errno_of([&] { return unlink(file_.c_str()); }) != EPERM) return 5;
    if (errno_of([&] { return open(folder_.c_str(), O_RDONLY | O_DIRECTORY); }) != 0) return 6;
    return read_file();
  });
  EXPECT_EQ(ended.result, 0);
}

TEST_F(Lockdown, ByTheFilterShowsInProc) {
  if (Sanitized) GTEST_SKIP() << "a sanitizer uses system calls that the filter refuses";
  const auto ended = in_child([] {
    if (!filter_system_calls()) return 1;
    const std::string status = own_status();
    if (status.find("Seccomp:\t2") == std::string::npos) return 2;
    return status.find("NoNewPrivs:\t1") == std::string::npos ? 3 : 0;
  });
  EXPECT_EQ(ended.result, 0);
}

TEST_F(Lockdown, ByTheFilterLetsTheProgramLive) {
  if (Sanitized) GTEST_SKIP() << "a sanitizer uses system calls that the filter refuses";
  const auto ended = in_child([] {
    if (!filter_system_calls()) return 1;
    SecretMemory memory({.most_bytes = 8 << 20, .kept_for_program_bytes = 0});
    for (int i = 0; i < 50; ++i) {
      if (memory.allocate(60'000) == nullptr) return 2;
    }
    int seen = 0;
    std::thread([&] {
      prctl(PR_SET_NAME, "named");
      std::vector<char> much(64 << 20, 'x');
      seen = much.back();
    }).join();
    return seen == 'x' && memory.usage().backing != Backing::Unlocked ? 0 : 3;
  });
  EXPECT_EQ(ended.result, 0);
  EXPECT_EQ(ended.signal, 0);
}

TEST_F(Lockdown, ByTheFilterBindsThreadsThatRunAlready) {
  if (Sanitized) GTEST_SKIP() << "a sanitizer uses system calls that the filter refuses";
  const auto ended = in_child([&] {
    int seen = 0;
    int filtered[2];
    if (pipe(filtered) != 0) return 1;
    std::thread thread([&] {
      char byte = 0;
      if (read(filtered[0], &byte, 1) == 1) seen = create();
    });
    const bool done = filter_system_calls().ok();
    if (write(filtered[1], "!", 1) != 1) return 2;
    thread.join();
    return done ? seen : 3;
  });
  EXPECT_EQ(ended.result, EPERM);
}

TEST_F(Lockdown, ByTheFilterRefusesWhatTheProgramNeverNeeds) {
  if (Sanitized) GTEST_SKIP() << "a sanitizer uses system calls that the filter refuses";
  const auto ended = in_child([] {
    if (!filter_system_calls()) return 1;
    if (errno_of([] { return socket(AF_INET, SOCK_DGRAM, 0); }) != EPERM) return 2;
    if (errno_of([] { return fork(); }) != EPERM) return 3;
    if (mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
        MAP_FAILED)
      return 4;
    if (errno_of([] { return memfd_create("x", 0); }) != EPERM) return 5;
    const rlimit core{1 << 20, 1 << 20};
    if (errno_of([&] { return setrlimit(RLIMIT_CORE, &core); }) != EPERM) return 6;
    return errno_of([] { return prctl(PR_SET_DUMPABLE, 1); }) == EPERM ? 0 : 7;
  });
  EXPECT_EQ(ended.result, 0);
}

TEST_F(Lockdown, ByTheFilterLetsADriverTalkToItsOpenDevicesOnlyWhereThereIsOne) {
  if (Sanitized) GTEST_SKIP() << "a sanitizer uses system calls that the filter refuses";
  const auto asked = [](Hardware hardware) {
    return in_child([hardware] {
             int descriptors[2];
             if (pipe(descriptors) != 0 || !filter_system_calls(hardware)) return 1;
             constexpr unsigned long NvidiaEscape = 0xc0384627;  // one of the driver's requests
             return errno_of([&] { return ioctl(descriptors[0], NvidiaEscape, nullptr); });
           })
        .result;
  };
  EXPECT_EQ(asked({}), EPERM);
  EXPECT_EQ(asked({.network_cards = true}), ENOTTY);
  EXPECT_EQ(asked({.gpu = true}), ENOTTY) << "the kernel has looked at it: a pipe has no such request";
}

TEST_F(Lockdown, ByTheFilterLetsAFilterOfTheKernelsBeTakenAwayOnlyWhereThereIsOne) {
  if (Sanitized) GTEST_SKIP() << "a sanitizer uses system calls that the filter refuses";
  const auto asked = [](Hardware hardware, int family, int protocol) {
    return in_child([=] {
             if (!filter_system_calls(hardware)) return 1;
             return errno_of([&] { return socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol); });
           })
        .result;
  };
  EXPECT_EQ(asked({.gpu = true, .network_cards = true}, AF_NETLINK, NETLINK_ROUTE), EPERM);
  EXPECT_EQ(asked({.xdp_filters = true}, AF_NETLINK, NETLINK_ROUTE), 0);
  EXPECT_EQ(asked({.xdp_filters = true}, AF_NETLINK, NETLINK_NETFILTER), EPERM);
  EXPECT_EQ(asked({.xdp_filters = true}, AF_INET, 0), EPERM);
}

TEST_F(Lockdown, ByTheFilterKillsWhatOnlyAnIntruderWouldDo) {
  if (Sanitized) GTEST_SKIP() << "a sanitizer uses system calls that the filter refuses";
  const auto signal_of = [](auto&& call) {
    return in_child([&] {
             if (!filter_system_calls()) return 1;
             call();
             return 0;
           })
        .signal;
  };
  char here = 0;
  const iovec local{&here, 1}, remote{&here, 1};
  EXPECT_EQ(signal_of([] { execl("/bin/true", "true", nullptr); }), SIGSYS);
  EXPECT_EQ(signal_of([] { ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }), SIGSYS);
  EXPECT_EQ(signal_of([&] { process_vm_readv(getppid(), &local, 1, &remote, 1, 0); }), SIGSYS);
  EXPECT_EQ(signal_of([&] { process_vm_writev(getppid(), &local, 1, &remote, 1, 0); }), SIGSYS);
}

TEST_F(Lockdown, AsAWholeIsInForceAndSaysSo) {
  if (Sanitized) GTEST_SKIP() << "a sanitizer uses system calls that the filter refuses";
  if (geteuid() != 0 || !has_landlock()) GTEST_SKIP() << "needs root and a kernel with Landlock";
  const auto ended = in_child([] {
    HardeningState state;
    close_memory(state);
    close_files(state);
    int missing = 0;
    for (const Measure& one : state.measures()) missing += !one.in_force;
    return missing;
  });
  EXPECT_EQ(ended.result, 2);  // what it has no say in: the memory of keys, and of packets
}

TEST_F(Lockdown, RefusesAnEnvironmentThatAsksForDumpsOfAGpu) {
  ASSERT_TRUE(prepare_environment().ok());
  EXPECT_STREQ(std::getenv("CUDA_CACHE_DISABLE"), "1");
  setenv("CUDA_ENABLE_COREDUMP_ON_EXCEPTION", "1", 1);
  EXPECT_THAT(prepare_environment().error().text, HasSubstr("CUDA_ENABLE_COREDUMP_ON_EXCEPTION"));
  unsetenv("CUDA_ENABLE_COREDUMP_ON_EXCEPTION");
}

}  // namespace
}  // namespace viaduct::secrecy
