// A network of UDP datagrams on virtual time, repeatable from one seed: loss, delay, jitter, reordering, duplication,
// rate limits with a queue, and NATs that change a client's address.
//
// A datagram crosses two links: its sender's uplink and its receiver's downlink. A link that was never set is perfect.
// The network has no clock: time is what deliver() was last told, and next_delivery() says how far it may jump.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/socket_address.h"
#include "base/time.h"
#include "base/units.h"

namespace viaduct::testing {

// One direction of a host's access to the network.
struct Link {
  Duration delay{0};
  Duration jitter{0};           // uniform in [0, jitter], added to the delay; never reorders by itself
  double loss = 0;              // chances per datagram
  double duplication = 0;
  double reordering = 0;        // held back by reordering_delay, so that later ones overtake it
  Duration reordering_delay = 20ms;
  DataRate rate{};              // 0: unlimited
  size_t queue_bytes = 64 * 1024;  // waiting for a rate-limited link; what does not fit is dropped
};

struct Datagram {
  SocketAddress from;
  SocketAddress to;
  std::vector<uint8_t> bytes;
  Timestamp sent;
  Timestamp arrived;            // Never while it is on its way
};

struct NetworkCounts {
  size_t sent = 0;
  size_t delivered = 0;         // put into an inbox
  size_t lost = 0;              // by chance
  size_t overflowed = 0;        // in the queue of a rate-limited link
  size_t duplicated = 0;
  size_t unroutable = 0;        // nobody at the address
};

class SimulatedNetwork {
 public:
  explicit SimulatedNetwork(uint64_t seed) : random_(seed) {}

  // Gives `host` an inbox. Datagrams to an address without one vanish and are counted.
  void attach(const SocketAddress& host);
  // Takes host, inbox and NAT mapping away; what is on its way to it vanishes.
  void detach(const SocketAddress& host);

  void set_uplink(const SocketAddress& host, const Link& link) { links_[host].up.settings = link; }
  void set_downlink(const SocketAddress& host, const Link& link) { links_[host].down.settings = link; }

  // Puts a NAT in front of `host`: others see and reach it as `outside`. Called again, the NAT rebinds: datagrams to
  // the old outside address vanish, also those already on their way.
  void set_outside_address(const SocketAddress& host, const SocketAddress& outside);
  // The address under which others see `host`: its own without a NAT.
  SocketAddress outside_address(const SocketAddress& host) const;

  // Sends from an attached host, by its inside address. `now` must not run backwards.
  void send(const SocketAddress& from, const SocketAddress& to, Bytes bytes, Timestamp now);

  // Moves everything that arrives up to `now` into the inboxes.
  void deliver(Timestamp now);
  // Delivers up to `now` and empties the inbox, or takes the first `at_most` from it.
  std::vector<Datagram> receive(const SocketAddress& host, Timestamp now, size_t at_most = SIZE_MAX);

  // When the next datagram on its way moves on; Never when there is none. Full inboxes do not count.
  Timestamp next_delivery() const { return on_the_way_.empty() ? Never : on_the_way_.begin()->first.first; }
  Timestamp now() const { return now_; }
  const NetworkCounts& counts() const { return counts_; }

  // Calls `tap` with each datagram as it is sent, with outside addresses, before anything happens to it.
  void add_tap(std::function<void(const Datagram&)> tap) { taps_.push_back(std::move(tap)); }

 private:
  struct LinkState {
    Link settings;
    Timestamp free_at{};        // when the rate limit lets the next datagram start
    Timestamp last_exit{};      // of a datagram that was not reordered
  };
  struct HostLinks {
    LinkState up;
    LinkState down;
  };
  enum class Stage : uint8_t { AtDownlink, AtInbox };
  struct InFlight {
    Stage stage = Stage::AtDownlink;
    Datagram datagram;
  };

  void cross(LinkState& link, Datagram datagram, Timestamp at, Stage next);
  std::optional<Timestamp> exit_time(LinkState& link, size_t bytes, Timestamp at);
  std::optional<SocketAddress> inside_address(const SocketAddress& outside) const;

  SeededRandom random_;
  Timestamp now_{};
  uint64_t next_order_ = 0;
  NetworkCounts counts_;
  std::unordered_map<SocketAddress, std::deque<Datagram>> inboxes_;    // by inside address
  std::unordered_map<SocketAddress, HostLinks> links_;                // by inside address
  std::unordered_map<SocketAddress, SocketAddress> outside_by_host_;
  std::unordered_map<SocketAddress, SocketAddress> host_by_outside_;
  std::map<std::pair<Timestamp, uint64_t>, InFlight> on_the_way_;      // ties move on in the order of sending
  std::vector<std::function<void(const Datagram&)>> taps_;
};

}  // namespace viaduct::testing
