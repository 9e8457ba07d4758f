#include "path/relay.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace viaduct::path {
namespace {

constexpr uint64_t bit(size_t worker) { return uint64_t{1} << worker; }

// Calls f(worker) for each worker of the mask.
template <typename F>
void for_each(uint64_t workers, F&& f) {
  for (; workers != 0; workers &= workers - 1) f(static_cast<size_t>(std::countr_zero(workers)));
}

// Loudness in steps that say who is louder, but do not change with every packet.
int coarse(float mean) {
  constexpr int Step = 4;
  return static_cast<int>(mean) / Step * Step;
}

conference::RelayedState state_of(const Endpoint& endpoint, const conference::Source& source,
                                  Timestamp now) {
  conference::RelayedState state{.sending = source.sending,
                                 .codec = source.codec,
                                 .observed = source.observed(),
                                 .loudness = coarse(source.loudness.mean(now)),
                                 .speech = source.loudness.speech().counts(now),
                                 .clock_ahead = endpoint.clock_ahead};
  for (size_t i = 0; i < source.encodings.size(); ++i)
    state.sender_clocks[i] = source.encodings[i].sender_clock;
  return state;
}

// Of encodings: bit i is Source::encodings[i].
constexpr bool is_set(uint8_t mask, size_t i) { return (mask >> i & 1) != 0; }

void want_key_frames(conference::Source& source, uint8_t encodings) {
  for (size_t i = 0; i < source.encodings.size(); ++i) {
    if (is_set(encodings, i)) source.encodings[i].key_frame.want();
  }
}

// The encodings among `wanted` whose key frame should be asked for now.
uint8_t take_key_frames(conference::Source& source, uint8_t wanted, Timestamp now) {
  uint8_t due = 0;
  if (source.kind != codec::MediaKind::Video) return due;
  for (size_t i = 0; i < source.encodings.size(); ++i) {
    if (is_set(wanted, i) && source.encodings[i].key_frame.take(now))
      due = static_cast<uint8_t>(due | 1u << i);
  }
  return due;
}

}  // namespace

// Out.

void Relay::run(const RxBatch& rx) {
  if (links_.empty()) return;
  for (size_t i = 0; i < rx.size; ++i) {
    const RxPacket& p = rx.packets[i];
    if (p.drop != Drop::None || p.kind != PacketKind::Rtp || p.in_silence) continue;
    const Endpoint* sender = directory_.find(p.from);
    if (sender && sender->sources[p.source].encodings[p.encoding].relayed_to != 0)
      hand_over(p, *sender);
  }
}

void Relay::hand_over(const RxPacket& p, const Endpoint& sender) {
  const conference::Encoding& stream = sender.sources[p.source].encodings[p.encoding];
  for_each(stream.relayed_to, [&](size_t worker) {
    RelayMessage* m = blank(worker, RelayKind::Packet, sender, p.source);
    if (!m) return counters_.drop(Drop::RelayFull);
    m->learned = {.arrival = p.io.arrival,
                  .header = p.header,
                  .sequence = p.sequence,
                  .withheld = stream.withheld,
                  .encoding = p.encoding,
                  .bytes = static_cast<uint16_t>(p.header.header_bytes + p.payload_bytes),
                  .payload_bytes = p.payload_bytes,
                  .codec = p.codec,
                  .frame = p.frame,
                  .front = p.front,
                  .red_block_type = p.red_block_type,
                  .red_front = p.red_front};
    std::memcpy(m->packet.data(), p.head().data(), p.header.header_bytes);
    p.body().copy_to(m->packet.data() + p.header.header_bytes);
    push(worker);
    counters_.relayed_out.add(m->learned.bytes);
  });
}

void Relay::tell_of(Endpoint& endpoint, Timestamp now) {
  const uint64_t others = directory_.conference_of(endpoint).other_workers();
  for (size_t i = 0; i < endpoint.sources.size(); ++i) {
    conference::Source& source = endpoint.sources[i];
    conference::Relaying& relaying = source.relaying;
    for (conference::Encoding& stream : source.encodings) stream.relayed_to &= others;
    relaying.told &= others;
    if (others == 0) continue;
    const conference::RelayedState state = state_of(endpoint, source, now);
    if (state != relaying.state || source.ladder_version != relaying.ladder_version) relaying.told = 0;
    relaying.state = state;
    relaying.ladder_version = source.ladder_version;
    for_each(others & ~relaying.told, [&](size_t worker) {
      RelayMessage* m = blank(worker, RelayKind::State, endpoint, i);
      if (!m) return;  // at the next tick, then
      m->state = state;
      const std::span<const conference::LayerInfo> rungs = std::as_const(source.ladder).rungs();
      m->rungs = static_cast<uint16_t>(rungs.size());
      if (!rungs.empty()) std::memcpy(m->packet.data(), rungs.data(), rungs.size_bytes());
      push(worker);
      relaying.told |= bit(worker);
    });
  }
}

void Relay::ask_of(Endpoint& endpoint, Timestamp now) {
  const size_t worker = *endpoint.relayed_from;
  for (size_t i = 0; i < endpoint.sources.size(); ++i) {
    conference::Source& source = endpoint.sources[i];
    conference::Relaying& relaying = source.relaying;
    const uint8_t wanted = directory_.wanted_here(source);
    const uint8_t key_frames = take_key_frames(source, wanted, now);
    const bool is_new = wanted != relaying.wanted || source.needs.here != relaying.need || key_frames != 0;
    if (!is_new && now < relaying.next_demand) continue;
    RelayMessage* m = blank(worker, RelayKind::Demand, endpoint, i);
    if (!m) {
      want_key_frames(source, key_frames);
      continue;  // at the next tick, then
    }
    m->demand = {wanted, key_frames, source.needs.here};
    push(worker);
    relaying.wanted = wanted;
    relaying.need = source.needs.here;
    relaying.next_demand = now + DemandInterval;
  }
}

RelayMessage* Relay::blank(size_t worker, RelayKind kind, const Endpoint& endpoint,
                           size_t source) {
  if (worker >= links_.size() || !links_[worker].out) return nullptr;
  RelayMessage* m = links_[worker].out->blank();
  if (!m) return nullptr;
  m->kind = kind;
  m->endpoint = endpoint.id;
  m->source = static_cast<uint16_t>(source);
  return m;
}

void Relay::push(size_t worker) {
  links_[worker].out->push();
  touched_ |= bit(worker);
}

void Relay::wake_others() {
  for_each(touched_, [&](size_t worker) { links_[worker].io->wake(); });
  touched_ = 0;
}

// In.

bool Relay::has_waiting() const {
  for (const RelayLink& link : links_) {
    if (link.in && link.in->front()) return true;
  }
  return false;
}

void Relay::take(RxBatch& rx, Timestamp now) {
  for (size_t i = 0; i < links_.size(); ++i) {
    const size_t from = (next_ + i) % links_.size();
    RelayRing* const ring = links_[from].in;
    if (!ring) continue;
    for (const RelayMessage* m = nullptr;
         rx.size < rx.packets.size() && (m = ring->front()) != nullptr; ring->pop())
      receive(*m, from, rx, now);
  }
  if (!links_.empty()) next_ = (next_ + 1) % links_.size();
}

// Whom the message is about may have left meanwhile, or not have come here yet.
void Relay::receive(const RelayMessage& m, size_t from, RxBatch& rx, Timestamp now) {
  const Handle<Endpoint> who = directory_.with_id(m.endpoint);
  Endpoint* endpoint = directory_.find(who);
  const bool is_known = endpoint && m.source < endpoint->sources.size();
  if (m.kind == RelayKind::Packet) {
    const bool is_theirs = is_known && endpoint->relayed_from == from;
    const Drop why = is_theirs ? admit(m, who, rx, now) : Drop::RelayUnknown;
    if (why != Drop::None) counters_.drop(why);
  } else if (is_known && m.kind == RelayKind::State && endpoint->relayed_from == from) {
    learn(m, *endpoint, now);
  } else if (is_known && m.kind == RelayKind::Demand && !endpoint->is_relayed()) {
    conference::Source& source = endpoint->sources[m.source];
    for (size_t i = 0; i < source.encodings.size(); ++i) {
      uint64_t& receivers = source.encodings[i].relayed_to;
      receivers = is_set(m.demand.encodings, i) ? receivers | bit(from) : receivers & ~bit(from);
    }
    source.needs.set_elsewhere(static_cast<uint32_t>(from), m.demand.need);
    source.relaying.told &= ~bit(from);
    want_key_frames(source, m.demand.key_frames);
  }
}

// What observe does for packets of this worker's own clients.
Drop Relay::admit(const RelayMessage& m, Handle<Endpoint> from, RxBatch& rx, Timestamp now) {
  Endpoint& sender = *directory_.find(from);
  conference::Source& source = sender.sources[m.source];
  const RelayMessage::Learned& learned = m.learned;
  if (learned.encoding >= source.encodings.size()) return Drop::RelayUnknown;
  conference::Encoding& stream = source.encodings[learned.encoding];
  RxPacket& p = rx.packets[rx.size];
  p = {};
  if (io_.allocate({&p.io, 1}) == 0) return Drop::NoPacket;
  std::memcpy(p.io.buffer + p.io.offset, m.packet.data(), learned.bytes);
  p.io.length = learned.bytes;
  p.io.arrival = learned.arrival;
  p.kind = PacketKind::Rtp;
  p.from = from;
  p.header = learned.header;
  p.source = m.source;
  p.encoding = learned.encoding;
  p.sequence = learned.sequence;
  p.payload_bytes = learned.payload_bytes;
  p.codec = learned.codec;
  p.frame = learned.frame;
  p.front = learned.front;
  p.red_block_type = learned.red_block_type;
  p.red_front = learned.red_front;
  ++rx.size;
  counters_.relayed_in.add(learned.bytes);

  if (stream.ssrc != p.header.ssrc) directory_.begin_stream(source, p.encoding, p.header.ssrc);
  stream.highest = std::max(stream.highest, p.sequence);
  stream.withheld = std::max(stream.withheld, learned.withheld);
  stream.meter.add(learned.bytes, now);
  stream.key_frame.set_answers_visible(!p.frame.unmarked);
  if (p.frame.key_frame) stream.key_frame.on_key_frame();
  return Drop::None;
}

void Relay::learn(const RelayMessage& m, Endpoint& sender, Timestamp now) {
  conference::Source& source = sender.sources[m.source];
  const conference::RelayedState& state = m.state;
  const bool changed = source.sending != state.sending || source.codec != state.codec;
  source.sending = state.sending;
  source.codec = state.codec;
  source.loudness.hold(static_cast<float>(state.loudness), state.speech, now);
  for (size_t i = 0; i < source.encodings.size(); ++i)
    source.encodings[i].sender_clock = state.sender_clocks[i];
  sender.clock_ahead = state.clock_ahead;
  source.ladder.clear();
  for (size_t i = 0; i < std::min<size_t>(m.rungs, conference::LayerLadder::MaxRungs); ++i) {
    conference::LayerInfo rung;
    std::memcpy(&rung, m.packet.data() + i * sizeof rung, sizeof rung);
    if (rung.layer.encoding < source.encodings.size()) source.ladder.add(rung);
  }
  if (source.encodings.front().bodies.adopt(state.observed) || changed)
    directory_.conference_of(sender).on_source_changed();
}

// The rings.

Result<RelayMesh> RelayMesh::open(size_t workers) {
  RelayMesh mesh;
  mesh.workers_ = workers;
  mesh.rings_.resize(workers * workers);
  for (size_t from = 0; from < workers; ++from) {
    for (size_t to = 0; to < workers; ++to) {
      if (from == to) continue;
      auto ring = RelayRing::open(limits::RelayRingEntries);
      if (!ring) return Error{ring.error().code, ring.error().text + "; configure fewer workers"};
      mesh.rings_[from * workers + to] = std::move(*ring);
    }
  }
  return mesh;
}

std::vector<RelayLink> RelayMesh::links_of(uint32_t worker,
                                           const std::vector<edge::PacketIo*>& ios) const {
  std::vector<RelayLink> links(workers_ > 1 ? workers_ : 0);
  for (size_t other = 0; other < links.size(); ++other) {
    if (other != worker) links[other] = {ring(worker, other), ring(other, worker), ios[other]};
  }
  return links;
}

bool RelayMesh::is_locked() const {
  for (const auto& ring : rings_) {
    if (ring && !ring->is_locked()) return false;
  }
  return true;
}

}  // namespace viaduct::path
