// Who may connect and how fast: bounds in total, for one address, and in time. Pure.
#pragma once

#include <cstddef>
#include <unordered_map>

#include "base/socket_address.h"
#include "base/time.h"

namespace viaduct::control {

// Lets `per_second` things happen on average and twice as many in a burst.
class TokenBucket {
 public:
  explicit TokenBucket(double per_second) : per_second_(per_second), tokens_(2 * per_second) {}
  bool take(Timestamp now);
  // True when nothing was taken for so long that a new bucket would be the same.
  bool is_full(Timestamp now) const;

 private:
  double tokens_at(Timestamp now) const;
  double per_second_;
  double tokens_;
  Timestamp last_{};
};

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
