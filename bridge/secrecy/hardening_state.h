// What keeps the content of calls inside this process, measure by measure, and whether each is in force here.
//
// It is printed at start, exported as viaduct_hardening{measure="..."}, and with require-hardening the bridge does not
// start unless all of it is in force. Nothing here enforces anything: lockdown.h does, and this says truly what came of
// it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/result.h"
#include "secrecy/secret_memory.h"

namespace viaduct::secrecy {

namespace measure {
inline constexpr std::string_view CoreDumps = "core_dumps";
inline constexpr std::string_view NotDumpable = "not_dumpable";
inline constexpr std::string_view NoNewPrivileges = "no_new_privileges";
inline constexpr std::string_view MemoryLocked = "memory_locked";
inline constexpr std::string_view SecretMemory = "secret_memory";
inline constexpr std::string_view PacketPools = "packet_pools";
inline constexpr std::string_view Seccomp = "seccomp";
inline constexpr std::string_view Landlock = "landlock";
inline constexpr std::string_view NoFileWrites = "no_file_writes";
}  // namespace measure

struct Measure {
  std::string_view name;  // of namespace measure
  bool in_force = false;
  std::string remedy;     // where it is not: why, and what to do about it
};

class HardeningState final : public MetricSource {
 public:
  // The error of `outcome` is the remedy. Recorded again, a measure takes the later outcome.
  void record(std::string_view name, const Result<void>& outcome);

  const std::vector<Measure>& measures() const { return measures_; }
  const Measure* find(std::string_view name) const;
  bool complete() const;
  // One sentence for each measure that is missing: "landlock is not in force: ...".
  std::vector<std::string> missing() const;

  // The memory of keys grows while the bridge runs, so that measure is looked at when it is asked for.
  void visit(MetricVisitor& visitor) const override;

 private:
  std::vector<Measure> measures_;
};

// Whether `memory` keeps secrets as well as this kernel can, and what to do if not.
Result<void> judge_secret_memory(Backing weakest, bool openssl_too);

}  // namespace viaduct::secrecy
