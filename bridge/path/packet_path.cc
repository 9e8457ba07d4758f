#include "path/packet_path.h"

#include <algorithm>

#include "conference/ladder.h"

namespace viaduct::path {
namespace {

constexpr Duration Tick = 10ms;       // NACKs, reports, speakers
constexpr Duration SlowTick = 500ms;  // what is kept too long, gauges

// So many that an idle buffer's turn comes within limits::WipeWithin, however large the pool.
size_t wiped_per_tick(size_t pool_packets) {
  return std::max(limits::WipedPacketsPerTick,
                  pool_packets / static_cast<size_t>(limits::WipeWithin / Tick) + 1);
}

}  // namespace

// One turn of the worker. A packet's whole life reads from the top to the bottom of this function.
// clang-format off
void PacketPath::turn(Timestamp now) {
  take_handshakes(now);                       //   keys that are ready, DTLS that must go out
  if (RxBatch* rx = receive(now)) {           // 1 take what has arrived
    demux_.run(*rx, now);                     // 2 STUN is answered, DTLS handed over; media goes on
    opened_.run(*rx);                         // 3 unprotect: submit to the cipher
  }
  while (RxBatch* rx = take_relayed(now)) {
    opened_.pass(*rx);                        //   of other workers: open, and observed there
  }
  while (RxBatch* rx = poll_opened()) {       //   finished batches, oldest first
    observe_.run(*rx, now);                   // 4 learn from arrivals, by their headers
    read_payload_.run(rx->in_clear);          // 5 and by codec data, but for sealed conferences
    witness_.run(*rx, now);                   // 6 evidence of what bodies look like, for people
    feedback_.run(*rx, now);                  // 7 act on RTCP
    auto forwards = route_.run(*rx, now);     // 8 pick receivers
    relay_.run(*rx);                          // 9 hand on what people of other workers receive
    mix_.run(*rx);                            //   and, for those who hear a mix, sound to be mixed
    do {                                      //   a portion at a time, so that it stays in the cache
      rewrite_.run(*rx, take_portion(forwards), now);  // 10 pick layers, write each receiver's header
      sealed_.run(pad_.run(queue_.take()));   // 12 pad to one size, 13 protect: submit the fan-out
      transmit_sealed(now);                   // 14 send, and keep what may be asked for again
    } while (!forwards.empty());
    rewrite_.forget(*rx);
    end_reading(rx);
  }
  mix_.send(now);                             //   mixes that are ready
  pace_.run(rewrite_, now);                   // 11 pictures that had to wait, and probes
  sealed_.run(queue_.take());
  run_timers(now);                            //   RTCP of our own: reports, requests, consent
  transmit_sealed(now);
  relay_.wake_others();
}
// clang-format on

PacketPath::PacketPath(Edges edges, NtpClock ntp, std::vector<codec::CodecType> video_preference,
                       PathCounters& counters)
    : io_(edges.io),
      counters_(counters),
      ntp_(ntp),
      directory_(edges.random, std::move(video_preference)),
      queue_(edges.io),
      demux_(edges.io, directory_, addresses_, edges.handshakes, counters),
      opened_(directory_, edges.opener),
      observe_(directory_, counters),
      read_payload_(directory_),
      witness_(directory_),
      pace_(directory_, counters),
      rewrite_(directory_, queue_, pace_, counters),
      feedback_(directory_, rewrite_, ntp_, counters),
      route_(directory_),
      pad_(counters),
      relay_(edges.io, directory_, counters),
      mix_(directory_, queue_, counters),
      sealed_(edges.sealer),
      transmit_(edges.io, directory_, edges.time, counters),
      reports_(directory_, queue_, ntp_, counters),
      handshakes_(edges.io, directory_, edges.handshakes, edges.opener, edges.sealer, counters),
      arrivals_(limits::RxBatchPackets),
      wiped_per_tick_(wiped_per_tick(edges.io.free_packets())) {}

// Null when nothing has arrived, or when so many batches are with the cipher that the network must
// wait.
RxBatch* PacketPath::receive(Timestamp now) {
  RxBatch* rx = rx_batches_.take();
  if (!rx) return nullptr;
  rx->size = io_.receive(arrivals_, now);
  if (rx->size == 0) {
    rx_batches_.give_back(rx);
    return nullptr;
  }
  for (size_t i = 0; i < rx->size; ++i) {
    rx->packets[i] = {};
    rx->packets[i].io = arrivals_[i];
  }
  return rx;
}

// Null when there is nothing, or when the network has to wait, too.
RxBatch* PacketPath::take_relayed(Timestamp now) {
  if (!relay_.has_waiting()) return nullptr;
  RxBatch* rx = rx_batches_.take();
  if (!rx) return nullptr;
  relay_.take(*rx, now);
  if (rx->size > 0) return rx;
  rx_batches_.give_back(rx);
  return nullptr;
}

// The path itself reads a batch while it goes through the steps, whoever else is done with it.
RxBatch* PacketPath::poll_opened() {
  RxBatch* rx = opened_.poll();
  if (rx) ++rx->readers;
  return rx;
}

void PacketPath::transmit_sealed(Timestamp now) {
  while (TxBatch* tx = sealed_.poll()) transmit(*tx, now);
}

void PacketPath::transmit(TxBatch& tx, Timestamp now) {
  transmit_.run(tx, now);
  RxBatch* const rx = tx.reads;
  queue_.give_back(&tx);
  if (rx) end_reading(rx);
}

// Payloads stay where they are as long as a cipher reads them for some receiver.
void PacketPath::end_reading(RxBatch* rx) {
  if (--rx->readers > 0) return;
  transmit_.retire(*rx);
  rx_batches_.give_back(rx);
}

void PacketPath::take_handshakes(Timestamp now) {
  for (const Handshakes::Ended& ended : handshakes_.run(now)) end(ended.endpoint, ended.reason);
}

void PacketPath::run_timers(Timestamp now) {
  if (now < next_tick_) return;
  next_tick_ = now + Tick;
  directory_.for_each_endpoint(
      [&](Handle<Endpoint> who, Endpoint& e) { run_endpoint_timers(who, e, now); });
  directory_.for_each_conference(
      [&](Handle<conference::Conference>, conference::Conference& c) { c.run_timers(now); });
  sealed_.run(queue_.take());
  wipe_released();
  pass_on_path_mtus();
  if (now >= next_slow_tick_) {
    next_slow_tick_ = now + SlowTick;
    run_slow_timers(now);
  }
}

// Handshakes alone send datagrams that can be too long for a network.
void PacketPath::pass_on_path_mtus() {
  while (const auto path = io_.next_path_mtu()) {
    const Handle<Endpoint> who = addresses_.at(path->peer);
    if (directory_.find(who)) handshakes_.narrow_path(who, path->bytes);
  }
}

void PacketPath::run_endpoint_timers(Handle<Endpoint> who, Endpoint& e, Timestamp now) {
  if (e.is_relayed()) return relay_.ask_of(e, now);
  if (now >= e.next_ladders) measure_ladders(e, now);
  if (now >= e.transport.ice.next_deadline()) {  // the first check never came, or consent ran out
    counters_.consent_lost.add();
    end(who, conference::GoneReason::ConsentLost);
    return;
  }
  relay_.tell_of(e, now);
  mix_.ask_for(e, now);
  if (!e.connected() || !e.transport.may_send(now)) return;
  pace_.steer(who, e, now);
  reports_.run(who, e, now);
}

void PacketPath::measure_ladders(Endpoint& e, Timestamp now) {
  constexpr Duration Interval = 200ms;
  e.next_ladders = now + Interval;
  for (conference::Source& s : e.sources) {
    if (s.kind == codec::MediaKind::Video) conference::measure_ladder(s, now);
  }
}

void PacketPath::run_slow_timers(Timestamp now) {
  freed_.clear();
  int64_t endpoints = 0;
  int64_t slots = 0;
  int64_t in_use = 0;
  directory_.for_each_endpoint([&](Handle<Endpoint>, Endpoint& e) {
    for (conference::Source& s : e.sources) {
      for (conference::Encoding& encoding : s.encodings) {
        encoding.resend.expire(now - limits::ResendMaxAge, freed_);
        encoding.redundant.expire(now);
      }
    }
    endpoints += !e.is_relayed();
    slots += static_cast<int64_t>(e.slots.size());
    for (const conference::Subscription& s : e.slots) in_use += s.carries.has_value();
  });
  io_.release(freed_);
  int64_t conferences = 0;  // one on several workers counts on the first
  directory_.for_each_conference(
      [&](auto, const conference::Conference& c) { conferences += c.leads(); });
  count_streams();
  counters_.endpoints.set(endpoints);
  counters_.conferences.set(conferences);
  counters_.slots.set(slots);
  counters_.slots_in_use.set(in_use);
  counters_.free_packets.set(static_cast<int64_t>(io_.free_packets()));
}

// Streams that arrive, by what their senders declare and what their bodies look like.
void PacketPath::count_streams() {
  StreamCounts counts;
  directory_.for_each_endpoint([&](Handle<Endpoint>, const Endpoint& e) {
    for (const conference::Source& s : e.sources) {
      if (!s.sending || e.is_relayed()) continue;
      ++counts.streams[e.declares_e2ee][static_cast<size_t>(s.observed())];
      ++counts.held_back[static_cast<size_t>(s.held_back)];
    }
  });
  counters_.set(counts);
}

// Media that nobody needs any more does not stay in memory. A bounded number at a time, so that no
// packet waits for it.
void PacketPath::wipe_released() { must_wipe_more_ = io_.wipe_released(wiped_per_tick_) == wiped_per_tick_; }

void PacketPath::add(const conference::AddEndpoint& command, Timestamp now) {
  const Handle<Endpoint> who = directory_.add(command, now);
  if (command.endpoint->relayed_from) return;  // control leaves room for those of other workers
  if (!who) {
    directory_.reports.push_back(
        conference::EndpointGone{command.endpoint->id, conference::GoneReason::Refused});
    return;
  }
  addresses_.add_ufrag(command.endpoint->local_ufrag, who);
}

void PacketPath::remove(conference::EndpointId id) {
  const Handle<Endpoint> who = directory_.with_id(id);
  if (Endpoint* e = directory_.find(who)) remove(who, *e);
}

void PacketPath::restart_ice(const conference::RestartIce& command, Timestamp now) {
  const Handle<Endpoint> who = directory_.with_id(command.endpoint);
  Endpoint* e = directory_.find(who);
  if (!e || e->is_relayed()) return;
  ice::IceLite& ice = e->transport.ice;
  if (const std::string* unused = ice.next_local_ufrag()) addresses_.remove_ufrag(*unused);
  ice.restart({command.local_ufrag, command.local_pwd}, {command.remote_ufrag, command.remote_pwd}, now);
  addresses_.add_ufrag(command.local_ufrag, who);
}

void PacketPath::remove(Handle<Endpoint> who, Endpoint& e) {
  if (!e.is_relayed()) {
    for (const SocketAddress& address : e.transport.ice.validated())
      addresses_.remove_address(address, who);
    addresses_.remove_ufrag(e.transport.ice.local_ufrag());
    if (const std::string* unused = e.transport.ice.next_local_ufrag()) addresses_.remove_ufrag(*unused);
    handshakes_.close(who, e);
  }
  freed_.clear();
  directory_.remove(who, freed_);
  io_.release(freed_);
}

void PacketPath::end(Handle<Endpoint> who, conference::GoneReason reason) {
  Endpoint* e = directory_.find(who);
  if (!e) return;
  directory_.reports.push_back(conference::EndpointGone{e->id, reason});
  remove(who, *e);
}

void PacketPath::set_muted(const conference::SetMuted& command) {
  Endpoint* e = directory_.find(directory_.with_id(command.endpoint));
  if (!e) return;
  for (conference::Source& s : e->sources) {
    if (s.kind == command.kind && s.content == command.content) s.muted = command.muted;
  }
  directory_.conference_of(*e).on_source_changed();
}

void PacketPath::set_wishes(conference::SetReceiverWishes& command) {
  Endpoint* e = directory_.find(directory_.with_id(command.endpoint));
  if (e) directory_.conference_of(*e).set_wishes(*e, std::move(command.wishes));
}

void PacketPath::set_e2ee_policy(const conference::SetE2eePolicy& command) {
  if (conference::Conference* c = directory_.find(directory_.with_id(command.conference)))
    c->set_e2ee_policy(command.policy);
  if (command.policy.sealed()) mix_.forget(command.conference);
}

void PacketPath::declare_e2ee(const conference::DeclareE2ee& command) {
  Endpoint* e = directory_.find(directory_.with_id(command.endpoint));
  if (!e) return;
  directory_.conference_of(*e).declare_e2ee(*e, command.declared);
}

void PacketPath::close(Timestamp now) {
  directory_.for_each_endpoint([&](Handle<Endpoint> who, Endpoint& e) {
    if (e.connected() && e.transport.may_send(now)) reports_.say_goodbye(who, e);
  });
  sealed_.run(queue_.take());
}

void PacketPath::release_kept() {
  freed_.clear();
  directory_.for_each_endpoint([&](Handle<Endpoint>, Endpoint& e) {
    for (conference::Source& s : e.sources) {
      for (conference::Encoding& encoding : s.encodings) encoding.resend.expire(Never, freed_);
    }
  });
  io_.release(freed_);
}

}  // namespace viaduct::path
