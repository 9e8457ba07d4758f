#include "tests/support/simulated_network.h"

#include <algorithm>

#include "base/check.h"

namespace viaduct::testing {
namespace {

constexpr size_t IpAndUdpBytes = 28;  // what a datagram costs on the wire beyond its payload

Duration time_to_send(size_t bytes, DataRate rate) {
  return Duration(static_cast<int64_t>(bytes) * 8 * 1'000'000'000 / rate.bits_per_second);
}

}  // namespace

void SimulatedNetwork::attach(const SocketAddress& host) { inboxes_.try_emplace(host); }

void SimulatedNetwork::detach(const SocketAddress& host) {
  inboxes_.erase(host);
  if (const auto outside = outside_by_host_.find(host); outside != outside_by_host_.end()) {
    host_by_outside_.erase(outside->second);
    outside_by_host_.erase(outside);
  }
}

void SimulatedNetwork::set_outside_address(const SocketAddress& host, const SocketAddress& outside) {
  CHECK(inboxes_.contains(host));
  if (const auto old = outside_by_host_.find(host); old != outside_by_host_.end()) host_by_outside_.erase(old->second);
  outside_by_host_[host] = outside;
  host_by_outside_[outside] = host;
}

SocketAddress SimulatedNetwork::outside_address(const SocketAddress& host) const {
  const auto found = outside_by_host_.find(host);
  return found == outside_by_host_.end() ? host : found->second;
}

// Who is behind an address on the outside. A host behind a NAT cannot be reached by its inside address.
std::optional<SocketAddress> SimulatedNetwork::inside_address(const SocketAddress& outside) const {
  if (const auto found = host_by_outside_.find(outside); found != host_by_outside_.end()) return found->second;
  if (inboxes_.contains(outside) && !outside_by_host_.contains(outside)) return outside;
  return std::nullopt;
}

void SimulatedNetwork::send(const SocketAddress& from, const SocketAddress& to, Bytes bytes, Timestamp now) {
  CHECK(inboxes_.contains(from));
  deliver(now);
  ++counts_.sent;
  Datagram datagram{outside_address(from), to, {bytes.begin(), bytes.end()}, now, Never};
  for (const auto& tap : taps_) tap(datagram);
  cross(links_[from].up, std::move(datagram), now, Stage::AtDownlink);
}

void SimulatedNetwork::deliver(Timestamp now) {
  CHECK(now >= now_);
  now_ = now;
  while (!on_the_way_.empty() && on_the_way_.begin()->first.first <= now) {
    auto node = on_the_way_.extract(on_the_way_.begin());
    const Timestamp at = node.key().first;
    auto& [stage, datagram] = node.mapped();
    const std::optional<SocketAddress> host = inside_address(datagram.to);
    if (!host) {
      ++counts_.unroutable;
    } else if (stage == Stage::AtDownlink) {
      cross(links_[*host].down, std::move(datagram), at, Stage::AtInbox);
    } else {
      ++counts_.delivered;
      datagram.arrived = at;
      inboxes_.at(*host).push_back(std::move(datagram));
    }
  }
}

std::vector<Datagram> SimulatedNetwork::receive(const SocketAddress& host, Timestamp now, size_t at_most) {
  deliver(now);
  std::deque<Datagram>& inbox = inboxes_.at(host);
  const auto end = inbox.begin() + static_cast<std::ptrdiff_t>(std::min(at_most, inbox.size()));
  std::vector<Datagram> taken(std::make_move_iterator(inbox.begin()), std::make_move_iterator(end));
  inbox.erase(inbox.begin(), end);
  return taken;
}

// Sends a datagram that reaches `link` at `at` on its way to `next`, or loses it, or sends it twice.
void SimulatedNetwork::cross(LinkState& link, Datagram datagram, Timestamp at, Stage next) {
  if (random_.chance(link.settings.loss)) {
    ++counts_.lost;
    return;
  }
  const std::optional<Timestamp> exit = exit_time(link, datagram.bytes.size(), at);
  if (!exit) {
    ++counts_.overflowed;
    return;
  }
  if (random_.chance(link.settings.duplication)) {
    ++counts_.duplicated;
    on_the_way_.emplace(std::pair(*exit, next_order_++), InFlight{next, datagram});
  }
  on_the_way_.emplace(std::pair(*exit, next_order_++), InFlight{next, std::move(datagram)});
}

// When a datagram that reaches `link` at `at` has crossed it; nothing when the queue has no room for it.
std::optional<Timestamp> SimulatedNetwork::exit_time(LinkState& link, size_t bytes, Timestamp at) {
  const Link& settings = link.settings;
  Timestamp exit = at;
  if (settings.rate.bits_per_second > 0) {
    const Timestamp start = std::max(at, link.free_at);
    if (start - at > time_to_send(settings.queue_bytes, settings.rate)) return std::nullopt;
    link.free_at = start + time_to_send(bytes + IpAndUdpBytes, settings.rate);
    exit = link.free_at;
  }
  exit += settings.delay;
  if (settings.jitter.count() > 0) {
    exit += Duration(static_cast<int64_t>(random_.below(static_cast<uint64_t>(settings.jitter.count()) + 1)));
  }
  if (random_.chance(settings.reordering)) return exit + settings.reordering_delay;
  return link.last_exit = std::max(exit, link.last_exit);
}

}  // namespace viaduct::testing
