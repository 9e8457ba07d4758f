#include "secrecy/hardening_state.h"

#include <algorithm>

namespace viaduct::secrecy {

void HardeningState::record(std::string_view name, const Result<void>& outcome) {
  const auto same_name = [name](const Measure& measure) { return measure.name == name; };
  auto found = std::find_if(measures_.begin(), measures_.end(), same_name);
  if (found == measures_.end()) found = measures_.insert(found, Measure{name, false, {}});
  found->in_force = outcome.ok();
  found->remedy = outcome ? std::string() : outcome.error().text;
}

const Measure* HardeningState::find(std::string_view name) const {
  const auto found =
      std::find_if(measures_.begin(), measures_.end(), [name](const Measure& one) { return one.name == name; });
  return found == measures_.end() ? nullptr : &*found;
}

bool HardeningState::complete() const {
  return std::all_of(measures_.begin(), measures_.end(), [](const Measure& one) { return one.in_force; });
}

std::vector<std::string> HardeningState::missing() const {
  std::vector<std::string> sentences;
  for (const Measure& one : measures_) {
    if (!one.in_force) sentences.push_back(std::string(one.name) + " is not in force: " + one.remedy);
  }
  return sentences;
}

void HardeningState::visit(MetricVisitor& v) const {
  const SecretMemoryUsage keys = process_memory().usage();
  for (const Measure& one : measures_) {
    const bool weakened = one.name == measure::SecretMemory && keys.backing == Backing::Unlocked;
    v.gauge("viaduct_hardening", "1 when the measure is in force, 0 when it is not; the log of the start says why.",
            {{"measure", one.name}}, one.in_force && !weakened ? 1 : 0);
  }
  for (const Backing backing : {Backing::MemfdSecret, Backing::Locked, Backing::Unlocked}) {
    v.gauge("viaduct_secret_memory_backing", "1 for what stands behind the weakest page that holds keys.",
            {{"backing", to_string(backing)}}, keys.backing == backing ? 1 : 0);
  }
  v.gauge("viaduct_secret_memory_bytes", "Memory for keys and passwords, and all that OpenSSL holds.",
          {{"state", "in_use"}}, static_cast<double>(keys.bytes_in_use));
  v.gauge("viaduct_secret_memory_bytes", "Memory for keys and passwords, and all that OpenSSL holds.",
          {{"state", "reserved"}}, static_cast<double>(keys.bytes_reserved));
}

Result<void> judge_secret_memory(Backing weakest, bool openssl_too) {
  if (!openssl_too) {
    return Error{ErrorCode::Unavailable,
                 "OpenSSL had memory of its own before the bridge could give it any; start it without LD_PRELOAD"};
  }
  if (weakest == Backing::Unlocked) {
    return Error{ErrorCode::Unavailable,
                 "no memory for keys could be locked; raise the limit of locked memory (ulimit -l, LimitMEMLOCK=infinity)"};
  }
  return {};
}

}  // namespace viaduct::secrecy
