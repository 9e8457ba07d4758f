// Who on the link has which IP address, of those that we ever had to ask for: gateways, and peers that have no return
// path. What is told unasked is not believed, so nobody can slip into the place of a gateway by talking.
//
// A gateway is asked for all the time; another neighbour is forgotten once nobody sends to it. An answer holds for
// half a minute, then the neighbour is asked again, first alone, in the end by asking everyone (RFC 1122 section
// 2.3.2.1, RFC 4861 section 7.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/socket_address.h"
#include "base/time.h"
#include "dpdk/ip/interface.h"

namespace viaduct::dpdk::ip {

class Neighbours {
 public:
  static constexpr Duration Patience = 1s;      // for an answer
  static constexpr int Questions = 3;           // without one, before a neighbour counts as gone
  static constexpr Duration AnswersHold = 30s;

  struct Question {
    IpAddress ip;
    std::optional<MacAddress> at;  // whom to ask; everyone when empty
  };

  // Room for the gateways and `others`.
  Neighbours(const std::vector<IpAddress>& gateways, size_t others);

  // The neighbour's MAC. Empty while it is not known; it is then asked for, unless there are too many.
  std::optional<MacAddress> find(const IpAddress& ip, Timestamp now);

  // Takes an answer. False when there was no such question. One that does not `override` leaves what is known.
  bool learn(const IpAddress& ip, const MacAddress& mac, bool overrides, Timestamp now);
  bool is_asking(const IpAddress& ip) const;

  std::optional<Question> next_question(Timestamp now);
  Timestamp next_deadline() const { return next_; }

 private:
  struct Entry {
    IpAddress ip;
    bool is_gateway = false;
    std::optional<MacAddress> mac;
    int asked = 0;            // times since the last answer
    Timestamp due{};          // when to ask next
    Timestamp used = Timestamp::min();
    Timestamp answered = Timestamp::min();
  };

  Entry* entry_of(const IpAddress& ip);
  void admit(const IpAddress& ip, Timestamp now);
  bool is_over(const Entry& entry) const;
  void plan();

  std::vector<Entry> entries_;
  size_t capacity_;
  Timestamp next_ = Never;
};

}  // namespace viaduct::dpdk::ip
