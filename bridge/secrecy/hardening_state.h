// What keeps the content of calls inside this process, measure by measure, and whether each is in
// force here.
//
// It is printed at start, exported as viaduct_hardening{measure="..."}, and with require-hardening
// the bridge does not start unless all of it is in force. Nothing here enforces anything:
// lockdown.h does, and this says truly what came of it.
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
  std::string remedy;  // where it is not: why, and what to do about it
};

class HardeningState final : public MetricSource {
 public:
  // Nothing is in force before it is recorded.
  HardeningState();

  // The error of `outcome` is the remedy. Recorded again, a measure takes the later outcome.
  void record(std::string_view name, const Result<void>& outcome);

  const std::vector<Measure>& measures() const { return measures_; }
  const Measure& find(std::string_view name) const;
  bool complete() const;
  // For each measure that is missing what it is, why, and what to do: "landlock is not in force:
  // ...".
  std::vector<std::string> missing() const;
  std::string missing_in_one_sentence() const;
  // When it is complete.
  std::string summary() const;

  // The memory of keys grows while the bridge runs, so that measure is looked at when it is asked
  // for.
  void visit(MetricVisitor& visitor) const override;

 private:
  std::vector<Measure> measures_;
};

// Whether keys are where nothing can read them out, as far as this kernel can do that; if not, what
// to do.
Result<void> judge_secret_memory(bool openssl_too,
                                 Backing weakest = process_memory().usage().backing);
// Whether media stays in RAM, and what to do if not.
Result<void> judge_packet_pools(bool all_locked);

}  // namespace viaduct::secrecy
