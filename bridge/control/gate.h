// Who may connect and how fast: bounds in total, for one address, and in time. Pure.
#pragma once

#include <cstddef>
#include <unordered_map>

#include "base/socket_address.h"
#include "base/time.h"
#include "base/token_bucket.h"

namespace viaduct::control {

class ConnectionGate {
 public:
  struct Limits {
    size_t total = 0;
    size_t per_address = 0;
    double new_per_second = 0;  // from one address
  };
  enum class Verdict { Admitted, TotalFull, AddressFull, TooFast };
  static constexpr size_t MaxAddresses = 65536;  // remembered at a time

  explicit ConnectionGate(Limits limits) : limits_(limits) {}

  // An admitted connection must be released. IPv6 addresses count by their /64, which one
  // subscriber has to itself.
  Verdict admit(const IpAddress& address, Timestamp now);
  void release(const IpAddress& address);

  size_t open() const { return open_; }

 private:
  struct Visitor {
    size_t open = 0;
    TokenBucket arrivals;
  };
  void forget_idle(Timestamp now);

  Limits limits_;
  size_t open_ = 0;
  std::unordered_map<SocketAddress, Visitor> visitors_;
};

}  // namespace viaduct::control
