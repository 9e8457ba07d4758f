#include "path/pace.h"

#include <algorithm>

#include "path/rewrite.h"

namespace viaduct::path {
namespace {

using conference::Endpoint;
using conference::HeldPacket;

constexpr Duration ShortestSleep = 1ms;  // between two looks
constexpr size_t PaddingAtOnce = 16;     // packets of a probe, in one look

// What waits because its batch is still with a cipher lies in no resend buffer yet.
constexpr Duration LongestSealing = 100ms;

// What a policy holds back, or its sender has muted, goes to nobody any more, however long it has waited.
bool may_leave(const conference::Source* source) {
  return source && source->held_back == conference::HeldBack::No && !source->muted;
}

}  // namespace

Pace::Pace(conference::Directory& directory, PathCounters& counters) : directory_(directory), counters_(counters) {
  busy_.reserve(limits::EndpointsPerWorker);
}

Drop Pace::hold(Handle<Endpoint> who, Endpoint& receiver, const HeldPacket& packet) {
  if (!receiver.held.push(packet)) return Drop::PaceOverflow;
  counters_.paced.add(packet.bytes);
  note(who, receiver);
  return Drop::None;
}

void Pace::note(Handle<Endpoint> who, Endpoint& receiver) {
  next_ = {};
  if (!std::exchange(receiver.in_pace, true)) busy_.push_back(who);
}

void Pace::steer(Handle<Endpoint> who, Endpoint& receiver, Timestamp now) {
  congestion::Controller& congestion = receiver.congestion;
  if (congestion.reporting() == congestion::Reporting::None) return;
  congestion.set_demand(receiver.demand, now);
  if (now >= congestion.next_deadline()) congestion.run_timers(now);
  receiver.available = congestion.target();
  receiver.pacer.set_rate(congestion.target(), receiver.held.bytes(), now);
  if (receiver.pacer.probe()) return;
  if (const auto probe = congestion.poll_probe(now)) {
    counters_.probes.add();
    receiver.pacer.start_probe(*probe, now);
    note(who, receiver);
  }
}

void Pace::run(Rewrite& rewrite, Timestamp now) {
  if (now < next_) return;
  next_ = Never;
  std::erase_if(busy_, [&](Handle<Endpoint> who) {
    Endpoint* receiver = directory_.find(who);
    if (!receiver) return true;
    release(who, *receiver, rewrite, now);
    fill_probe(who, *receiver, rewrite, now);
    receiver->in_pace = !receiver->held.empty() || receiver->pacer.probe().has_value();
    if (receiver->in_pace) next_ = std::min(next_, std::max(receiver->pacer.next_send(now), now + ShortestSleep));
    return !receiver->in_pace;
  });
}

void Pace::release(Handle<Endpoint> who, Endpoint& receiver, Rewrite& rewrite, Timestamp now) {
  while (!receiver.held.empty()) {
    const HeldPacket& packet = receiver.held.front();
    const conference::Source* source = directory_.find(packet.source);
    const conference::StoredPacket* stored =
        source ? source->encodings[packet.encoding].resend.find(packet.sequence) : nullptr;
    const Duration waited = now - packet.since;
    const bool is_gone = !may_leave(source) || (!stored && waited > LongestSealing);
    if (is_gone || waited > congestion::Pacer::LongestQueue) {
      counters_.drop(Drop::PacedTooLong);
    } else if (!stored || receiver.pacer.next_send(now) > now) {
      return;
    } else if (const Drop why = rewrite.write_held(who, receiver, packet, *stored, now); why != Drop::None) {
      counters_.drop(why);
    }
    receiver.held.pop();
  }
}

// By packets that were sent before, which may be of use; where there are none, by padding alone. What waits fills it up
// by itself.
void Pace::fill_probe(Handle<Endpoint> who, Endpoint& receiver, Rewrite& rewrite, Timestamp now) {
  for (size_t sent = 0; sent < PaddingAtOnce && receiver.held.empty() && receiver.pacer.padding_due(now) > 0; ++sent) {
    if (rewrite.write_padding(who, receiver, sent, now) != Drop::None) return;
  }
}

}  // namespace viaduct::path
