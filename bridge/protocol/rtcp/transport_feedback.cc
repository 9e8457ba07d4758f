#include "protocol/rtcp/transport_feedback.h"

#include <algorithm>
#include <array>
#include <utility>

namespace viaduct::rtcp {
namespace {

constexpr size_t FixedBytes = 20;  // everything in front of the chunks
constexpr size_t MaxMessageBytes = 0x10000;  // far beyond a datagram, and in reach of the length field
constexpr int64_t TicksPerReference = FeedbackReferenceTick / FeedbackTick;

// A status symbol is also the size of the receive delta that goes with it.
constexpr uint8_t NotReceived = 0;
constexpr uint8_t SmallDelta = 1;  // 0 to 255 ticks
constexpr uint8_t LargeDelta = 2;  // -32768 to 32767 ticks

// Packet status chunks (section 3.1.3 and 3.1.4):
//    |0| symbol (2) | run length (13) |    |1|0| 14 symbols of one bit |    |1|1| 7 symbols of two bits |
constexpr size_t MaxRun = 0x1fff;
constexpr uint16_t symbols_in(uint16_t chunk) {
  if ((chunk & 0x8000) == 0) return chunk & 0x1fff;
  return (chunk & 0x4000) == 0 ? 14 : 7;
}
constexpr uint8_t symbol_at(uint16_t chunk, int index) {
  if ((chunk & 0x8000) == 0) return static_cast<uint8_t>((chunk >> 13) & 3);
  if ((chunk & 0x4000) == 0) return static_cast<uint8_t>((chunk >> (13 - index)) & 1);
  return static_cast<uint8_t>((chunk >> (12 - 2 * index)) & 3);
}

int64_t to_ticks(Timestamp t) {
  using Ticks = std::chrono::duration<int64_t, std::ratio<1, 4000>>;
  static_assert(Ticks(1) == FeedbackTick);
  return std::chrono::floor<Ticks>(t.time_since_epoch()).count();
}

constexpr int64_t floor_to_reference(int64_t ticks) { return ticks >> 8; }
static_assert(TicksPerReference == 1 << 8);

constexpr uint8_t symbol_of(int64_t delta) { return delta >= 0 && delta <= 0xff ? SmallDelta : LargeDelta; }

// The start of a list of symbols as one chunk.
struct Chunk {
  uint16_t value = 0;
  size_t count = 0;        // symbols it stands for
  size_t delta_bytes = 0;  // of these symbols
  bool last = false;       // a vector with room left, so nothing may follow
};

// How many of the first `at_most` symbols have receive deltas that fit `room` together.
size_t fitting(std::span<const uint8_t> symbols, size_t at_most, size_t room, size_t* delta_bytes) {
  size_t count = 0;
  for (*delta_bytes = 0; count < std::min(at_most, symbols.size()); ++count) {
    if (*delta_bytes + symbols[count] > room) break;
    *delta_bytes += symbols[count];
  }
  return count;
}

// The chunk that stands for the most symbols. `symbols` is not empty; `room` is for the deltas alone.
Chunk pick_chunk(std::span<const uint8_t> symbols, size_t room) {
  const auto run_end = std::ranges::find_if(symbols, [&](uint8_t s) { return s != symbols[0]; });
  const size_t run = std::min(MaxRun, static_cast<size_t>(run_end - symbols.begin()));
  const auto head = symbols.first(std::min<size_t>(14, symbols.size()));
  const bool one_bit = std::ranges::find(head, LargeDelta) == head.end();
  const size_t vector = std::min<size_t>(one_bit ? 14 : 7, symbols.size());

  Chunk chunk;
  if (run >= vector) {
    chunk.count = fitting(symbols, run, room, &chunk.delta_bytes);
    chunk.value = static_cast<uint16_t>(static_cast<size_t>(symbols[0]) << 13 | chunk.count);
    return chunk;
  }
  chunk.count = fitting(symbols, vector, room, &chunk.delta_bytes);
  chunk.last = chunk.count < (one_bit ? 14 : 7);
  uint16_t bits = 0;
  for (size_t i = 0; i < chunk.count; ++i) {
    bits = static_cast<uint16_t>(bits | (one_bit ? symbols[i] << (13 - i) : symbols[i] << (12 - 2 * i)));
  }
  chunk.value = static_cast<uint16_t>((one_bit ? 0x8000 : 0xc000) | bits);
  return chunk;
}

struct Chunks {
  size_t symbols = 0;  // that the chunks stand for
  size_t chunk_bytes = 0;
  size_t delta_bytes = 0;
};

// Writes chunks for as many symbols as fit `out` together with their deltas, which the caller writes behind the chunks.
Chunks write_chunks(MutableBytes out, std::span<const uint8_t> symbols) {
  Chunks done;
  for (bool last = false; !last && done.symbols < symbols.size();) {
    const size_t taken = done.chunk_bytes + done.delta_bytes;
    if (taken + 2 > out.size()) break;
    const Chunk chunk = pick_chunk(symbols.subspan(done.symbols), out.size() - taken - 2);
    if (chunk.count == 0) break;
    store_be16(&out[done.chunk_bytes], chunk.value);
    done.symbols += chunk.count;
    done.chunk_bytes += 2;
    done.delta_bytes += chunk.delta_bytes;
    last = chunk.last;
  }
  return done;
}

}  // namespace

std::optional<TransportFeedback> parse_transport_feedback(const Packet& packet) {
  if (packet.kind != Kind::TransportFeedback || packet.body.size() < FixedBytes - 4) return std::nullopt;
  ByteReader reader(packet.body);
  TransportFeedback feedback;
  feedback.sender = reader.be32();
  feedback.media = reader.be32();
  feedback.base_sequence = reader.be16();
  feedback.status_count = reader.be16();
  feedback.reference_time = static_cast<int32_t>(reader.be24() << 8) >> 8;
  feedback.feedback_count = reader.u8();
  const Bytes rest = reader.rest();
  for (size_t statuses = 0; reader.ok() && statuses < feedback.status_count;) statuses += symbols_in(reader.be16());
  feedback.chunks = rest.first(rest.size() - reader.remaining());
  feedback.deltas = reader.rest();

  StatusReader statuses(feedback);
  for (PacketStatus status; statuses.next(status);) {}
  if (!reader.ok() || !statuses.at_end()) return std::nullopt;
  return feedback;
}

StatusReader::StatusReader(const TransportFeedback& feedback)
    : chunks_(feedback.chunks),
      deltas_(feedback.deltas),
      left_(feedback.status_count),
      sequence_(feedback.base_sequence),
      arrival_(feedback.reference_time * FeedbackReferenceTick) {}

bool StatusReader::next(PacketStatus& status) {
  if (left_ == 0) return false;
  const std::optional<uint8_t> symbol = next_symbol();
  if (!symbol || *symbol > LargeDelta || deltas_.size() < *symbol) return false;
  status.sequence = sequence_++;
  status.arrival.reset();
  if (*symbol != NotReceived) {
    const int ticks = *symbol == SmallDelta ? deltas_[0] : static_cast<int16_t>(load_be16(deltas_.data()));
    arrival_ += ticks * FeedbackTick;
    status.arrival = arrival_;
  }
  deltas_ = deltas_.subspan(*symbol);
  --left_;
  return true;
}

std::optional<uint8_t> StatusReader::next_symbol() {
  while (chunk_left_ == 0) {  // a run may be empty
    if (chunks_.size() < 2) return std::nullopt;
    chunk_ = load_be16(chunks_.data());
    chunk_left_ = symbols_in(chunk_);
    chunks_ = chunks_.subspan(2);
  }
  return symbol_at(chunk_, symbols_in(chunk_) - chunk_left_--);
}

// Of one client in an Interval: no memory is asked for while it sends up to 1,280 packets a second.
constexpr size_t PendingExpected = 128;

void TransportFeedbackBuilder::on_packet(uint16_t transport_sequence, Timestamp arrival) {
  const int64_t sequence = unwrapper_.unwrap(transport_sequence);
  if (!next_base_) next_base_ = sequence;
  const int64_t ahead = sequence - *next_base_;
  if (ahead >= WindowPackets || ahead < -WindowPackets) {
    pending_.clear();
    next_base_ = sequence;
  }
  if (pending_.size() == MaxPending) return;
  if (pending_.capacity() == 0) pending_.reserve(PendingExpected);
  const auto at = std::ranges::lower_bound(pending_, sequence, {}, &Arrival::sequence);
  const bool repeated = at != pending_.end() && at->sequence == sequence;
  if (!repeated) pending_.insert(at, {sequence, to_ticks(arrival)});
}

Timestamp TransportFeedbackBuilder::next_deadline() const {
  if (pending_.empty()) return Never;
  return last_write_ ? *last_write_ + Interval : Timestamp::min();
}

size_t TransportFeedbackBuilder::write(MutableBytes out, uint32_t sender_ssrc, uint32_t media_ssrc, Timestamp now) {
  if (pending_.empty() || out.size() < MinMessageBytes) return 0;
  const Range range = pick_range();
  const int64_t reference = floor_to_reference(pending_[0].ticks);

  std::array<uint8_t, WindowPackets> symbol_buffer;
  const auto symbols = std::span(symbol_buffer).first(static_cast<size_t>(range.end - range.base));
  std::ranges::fill(symbols, NotReceived);
  int64_t previous = reference * TicksPerReference;
  for (const Arrival& arrival : std::span(pending_).first(range.arrivals)) {
    symbols[static_cast<size_t>(arrival.sequence - range.base)] = symbol_of(arrival.ticks - previous);
    previous = arrival.ticks;
  }

  const size_t room = std::min<size_t>(out.size(), MaxMessageBytes) / 4 * 4 - FixedBytes;
  const Chunks chunks = write_chunks(out.subspan(FixedBytes, room), symbols);
  const int64_t end = range.base + static_cast<int64_t>(chunks.symbols);

  ByteWriter deltas(out.subspan(FixedBytes + chunks.chunk_bytes));
  previous = reference * TicksPerReference;
  auto reported = pending_.begin();
  for (; reported != pending_.end() && reported->sequence < end; ++reported) {
    const int64_t delta = reported->ticks - previous;
    symbol_of(delta) == SmallDelta ? deltas.u8(static_cast<uint8_t>(delta)) : deltas.be16(static_cast<uint16_t>(delta));
    previous = reported->ticks;
  }
  const size_t unpadded = FixedBytes + chunks.chunk_bytes + deltas.size();
  const size_t padding = (4 - unpadded % 4) % 4;
  deltas.zeros(padding);
  if (padding > 0) out[unpadded + padding - 1] = static_cast<uint8_t>(padding);

  ByteWriter header(out);
  header.u8(padding > 0 ? 0x80 | 0x20 | 15 : 0x80 | 15);
  header.u8(205);
  header.be16(static_cast<uint16_t>((unpadded + padding) / 4 - 1));
  header.be32(sender_ssrc);
  header.be32(media_ssrc);
  header.be16(static_cast<uint16_t>(range.base));
  header.be16(static_cast<uint16_t>(chunks.symbols));
  header.be24(static_cast<uint32_t>(reference) & 0xffffff);
  header.u8(feedback_count_++);

  pending_.erase(pending_.begin(), reported);
  next_base_ = std::max(*next_base_, end);
  last_write_ = now;
  return unpadded + padding;
}

// What the next message speaks of: late arrivals that follow on one another, or else everything new. A range ends where
// a delta would not fit its two bytes, which takes a pause of eight seconds.
TransportFeedbackBuilder::Range TransportFeedbackBuilder::pick_range() const {
  const int64_t first = pending_[0].sequence;
  const bool late = first < *next_base_;
  size_t arrivals = 1;
  for (; arrivals < pending_.size(); ++arrivals) {
    const Arrival& before = pending_[arrivals - 1];
    const Arrival& arrival = pending_[arrivals];
    if (late && (arrival.sequence != before.sequence + 1 || arrival.sequence >= *next_base_)) break;
    if (!std::in_range<int16_t>(arrival.ticks - before.ticks)) break;
  }
  return {.base = late ? first : *next_base_, .end = pending_[arrivals - 1].sequence + 1, .arrivals = arrivals};
}

}  // namespace viaduct::rtcp
