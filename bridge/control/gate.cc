#include "control/gate.h"

#include <algorithm>

namespace viaduct::control {
namespace {

SocketAddress key_of(const IpAddress& address) {
  if (!address.is_v6()) return {address, 0};
  std::array<uint8_t, 16> prefix = address.bytes();
  std::fill(prefix.begin() + 8, prefix.end(), uint8_t{0});
  return {IpAddress::v6(prefix), 0};
}

}  // namespace

ConnectionGate::Verdict ConnectionGate::admit(const IpAddress& address, Timestamp now) {
  if (open_ >= limits_.total) return Verdict::TotalFull;
  const SocketAddress key = key_of(address);
  auto found = visitors_.find(key);
  if (found == visitors_.end()) {
    if (visitors_.size() >= MaxAddresses) forget_idle(now);
    if (visitors_.size() >= MaxAddresses) return Verdict::TotalFull;
    found = visitors_.emplace(key, Visitor{0, TokenBucket(limits_.new_per_second)}).first;
  }
  Visitor& visitor = found->second;
  if (!visitor.arrivals.take(now)) return Verdict::TooFast;
  if (visitor.open >= limits_.per_address) return Verdict::AddressFull;
  ++visitor.open;
  ++open_;
  return Verdict::Admitted;
}

void ConnectionGate::release(const IpAddress& address) {
  const auto found = visitors_.find(key_of(address));
  if (found == visitors_.end() || found->second.open == 0) return;
  --found->second.open;
  --open_;
}

void ConnectionGate::forget_idle(Timestamp now) {
  std::erase_if(visitors_, [now](const auto& v) {
    return v.second.open == 0 && v.second.arrivals.is_full(now);
  });
}

}  // namespace viaduct::control
