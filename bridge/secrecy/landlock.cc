#include "secrecy/landlock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace viaduct::secrecy {
namespace {

// Numbers and layout of linux/landlock.h, written out: the headers that a program is built with are
// often older than the kernel that it runs on.
constexpr long CreateRuleset = 444;
constexpr long RestrictSelf = 446;
constexpr uint32_t AskForVersion = 1;

constexpr uint64_t Execute = 1 << 0;
constexpr uint64_t WriteFile = 1 << 1;
constexpr uint64_t RemoveAndMake = 0x1ff0;  // bits 4 to 12: remove and make files of every kind
constexpr uint64_t Refer = 1 << 13;         // version 2: link and rename across folders
constexpr uint64_t Truncate = 1 << 14;      // version 3
constexpr uint64_t IoctlDev = 1 << 15;      // version 5

struct RulesetAttributes {
  uint64_t handled_access_fs;
};

// All rights that could change a file, as far as a version of the interface knows them.
uint64_t write_rights(long version) {
  uint64_t rights = Execute | WriteFile | RemoveAndMake;
  if (version >= 2) rights |= Refer;
  if (version >= 3) rights |= Truncate;
  if (version >= 5) rights |= IoctlDev;
  return rights;
}

}  // namespace

// A right that a ruleset handles is denied wherever no rule grants it, and there is no rule.
Result<void> forbid_file_writes() {
  const long version = syscall(CreateRuleset, nullptr, 0, AskForVersion);
  if (version < 1) {
    return Error{
        ErrorCode::NotFound,
        "this kernel offers no Landlock; run Linux 5.13 or newer with landlock in its lsm= list"};
  }
  const RulesetAttributes attributes{write_rights(version)};
  const long ruleset = syscall(CreateRuleset, &attributes, sizeof attributes, 0);
  const bool restricted = ruleset >= 0 && syscall(RestrictSelf, ruleset, 0) == 0;
  const int reason = errno;
  if (ruleset >= 0) close(static_cast<int>(ruleset));
  if (restricted) return {};
  return Error{ErrorCode::Unavailable, std::string("Landlock refused (") + std::strerror(reason) +
                                           "); let the bridge use landlock_restrict_self"};
}

}  // namespace viaduct::secrecy
