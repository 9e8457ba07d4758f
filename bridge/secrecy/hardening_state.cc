#include "secrecy/hardening_state.h"

#include <algorithm>

#include "base/check.h"

namespace viaduct::secrecy {

HardeningState::HardeningState() {
  for (const std::string_view name :
       {measure::CoreDumps, measure::NotDumpable, measure::NoNewPrivileges, measure::MemoryLocked,
        measure::SecretMemory, measure::PacketPools, measure::Seccomp, measure::Landlock,
        measure::NoFileWrites}) {
    measures_.push_back({name, false, "hardening is off; set it to true"});
  }
}

void HardeningState::record(std::string_view name, const Result<void>& outcome) {
  const auto same_name = [name](const Measure& measure) { return measure.name == name; };
  const auto found = std::find_if(measures_.begin(), measures_.end(), same_name);
  CHECK(found != measures_.end());
  found->in_force = outcome.ok();
  found->remedy = outcome ? std::string() : outcome.error().text;
}

const Measure& HardeningState::find(std::string_view name) const {
  const auto found = std::find_if(measures_.begin(), measures_.end(),
                                  [name](const Measure& one) { return one.name == name; });
  CHECK(found != measures_.end());
  return *found;
}

bool HardeningState::complete() const {
  return std::all_of(measures_.begin(), measures_.end(),
                     [](const Measure& one) { return one.in_force; });
}

std::vector<std::string> HardeningState::missing() const {
  std::vector<std::string> sentences;
  for (const Measure& one : measures_) {
    if (!one.in_force)
      sentences.push_back(std::string(one.name) + " is not in force: " + one.remedy);
  }
  return sentences;
}

std::string HardeningState::missing_in_one_sentence() const {
  std::string all;
  for (const std::string& sentence : missing())
    all.append(all.empty() ? "" : "; ").append(sentence);
  return all;
}

std::string HardeningState::summary() const {
  std::string names;
  for (const Measure& one : measures_) names.append(names.empty() ? "" : ", ").append(one.name);
  const bool hidden_from_root = process_memory().usage().backing == Backing::MemfdSecret;
  return "hardening is in force: " + names + "; keys are in " +
         (hidden_from_root ? "memfd_secret, which root cannot read either"
                           : "locked memory, which root can read: this kernel offers no "
                             "memfd_secret (boot it with "
                             "secretmem.enable=1)");
}

void HardeningState::visit(MetricVisitor& v) const {
  const SecretMemoryUsage keys = process_memory().usage();
  for (const Measure& one : measures_) {
    const bool weakened = one.name == measure::SecretMemory && keys.backing == Backing::Unlocked;
    v.gauge("viaduct_hardening",
            "1 when the measure is in force, 0 when it is not; the log of the start says why.",
            {{"measure", one.name}}, one.in_force && !weakened ? 1 : 0);
  }
  for (const Backing backing : {Backing::MemfdSecret, Backing::Locked, Backing::Unlocked}) {
    v.gauge("viaduct_secret_memory_backing",
            "1 for what stands behind the weakest page that holds keys.",
            {{"backing", to_string(backing)}}, keys.backing == backing ? 1 : 0);
  }
  v.gauge("viaduct_secret_memory_bytes",
          "Memory for keys and passwords, and all that OpenSSL holds.", {{"state", "in_use"}},
          static_cast<double>(keys.bytes_in_use));
  v.gauge("viaduct_secret_memory_bytes",
          "Memory for keys and passwords, and all that OpenSSL holds.", {{"state", "reserved"}},
          static_cast<double>(keys.bytes_reserved));
}

Result<void> judge_secret_memory(bool openssl_too, Backing weakest) {
  if (!openssl_too) {
    return Error{ErrorCode::Unavailable,
                 "OpenSSL had memory of its own before the bridge could give it any; start it "
                 "without LD_PRELOAD"};
  }
  if (weakest == Backing::Unlocked) {
    return Error{
        ErrorCode::Unavailable,
        "memory for keys is not locked; raise the limit of locked memory (ulimit -l unlimited, "
        "LimitMEMLOCK=infinity, --ulimit memlock=-1)"};
  }
  return {};
}

Result<void> judge_packet_pools(bool all_locked) {
  if (all_locked) return {};
  return Error{
      ErrorCode::Unavailable,
      "memory for media is not locked; raise the limit of locked memory (ulimit -l unlimited, "
      "LimitMEMLOCK=infinity, --ulimit memlock=-1), or lower packet-pool-packets or workers"};
}

}  // namespace viaduct::secrecy
