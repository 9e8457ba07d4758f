// Sound: its numbers, and whether a receiver gets it as it came, without the redundancy that its sender has added (RED,
// RFC 2198), or with some that it lacks.
#include <utility>

#include "path/rewrite.h"
#include "protocol/rtp/red_writer.h"

namespace viaduct::path {
namespace {

using conference::Projection;
using conference::RedundantSound;

// With what it says again, as it leaves: what every network carries.
constexpr size_t RedPacketBytes = 1200;
constexpr size_t TagBytes = 16;

std::optional<uint8_t> red_type_of(const Endpoint& receiver, const conference::Subscription& slot,
                                   codec::CodecType codec) {
  return slot.takes_red ? receiver.payloads.red_payload_type(codec) : std::nullopt;
}

}  // namespace

// RED names its blocks' payload type in the payload, so it can only go on to those who use the same.
Drop Rewrite::number_sound(const RxPacket& p, const Original& original, conference::Encoding& stream, Copy& copy,
                           Timestamp now) {
  if (p.red_block_type) {
    const auto red = red_type_of(copy.receiver, copy.slot, p.codec);
    if (red && p.red_block_type == copy.payload_type) {
      copy.payload_type = *red;
    } else if (p.has_own_body()) {
      copy.skipped_bytes = p.red_front;
    } else {
      return Drop::RedUnreadable;
    }
  }
  Projection& projection = copy.slot.projection;
  const Projection::In in = original.numbers();
  if (!projection.started()) projection.start(in, now, codec::clock_rate_of(original.codec));
  if (in.sequence > stream.withheld) projection.close_gap(stream.withheld + 1);
  const auto numbers = projection.project(in, now);
  if (!numbers) return Drop::BeforeStream;
  copy.numbers = *numbers;
  const bool loses_much = copy.receiver.redundancy.on() || copy.slot.redundancy.on();
  if (!p.red_block_type && loses_much && copy.receiver.has_room_to_repeat) say_again(p, stream, copy, now);
  return Drop::None;
}

// The packet before it, when that is what the receiver had before, too. Never in conferences that are encrypted end to
// end: there browsers encrypt RED as a whole.
void Rewrite::say_again(const RxPacket& p, conference::Encoding& stream, Copy& copy, Timestamp now) const {
  const auto red = red_type_of(copy.receiver, copy.slot, p.codec);
  if (!red || directory_.conference_of(copy.receiver).e2ee_policy().sealed()) return;
  stream.redundant.want(now);
  const RedundantSound::Kept* kept = stream.redundant.find(p.sequence - 1);
  if (!kept) return;
  const auto former = copy.slot.projection.projected(
      {.encoding = p.encoding, .sequence = kept->sequence, .timestamp = kept->timestamp, .codec = p.codec});
  if (!former || former->index + 1 != copy.numbers.index) return;
  const uint32_t age = copy.numbers.timestamp - former->timestamp;
  if (age == 0 || age > rtp::MaxRedTimestampOffset) return;
  const size_t bytes = p.header.header_bytes + rtp::red_front_bytes(kept->size) + p.payload_bytes + TagBytes;
  if (bytes > RedPacketBytes) return;
  copy.again = SaidAgain{.bytes = kept->bytes(), .age = age, .payload_type = std::exchange(copy.payload_type, *red)};
}

// Once for all receivers, and only while there are some who get it again.
void Rewrite::keep_sound(const RxPacket& p, Endpoint& sender, Timestamp now) {
  RedundantSound& redundant = sender.sources[p.source].encodings[p.encoding].redundant;
  if (!redundant.is_wanted(now) || !p.has_own_body()) return;
  if (directory_.conference_of(sender).e2ee_policy().sealed()) return;
  const Body body = p.own_body();
  const MutableBytes room = redundant.keep(p.sequence, p.header.timestamp, body.size());
  if (!room.empty()) body.copy_to(room.data());
}

}  // namespace viaduct::path
