// Hostile RTP: the header and its extensions, padding, RTX, and the bookkeeping of arrivals.
//
// The input is read twice: as one packet, and as a row of arrivals of four bytes: a step in time, a sequence number,
// what else.

#include <algorithm>
#include <array>

#include "base/check.h"
#include "limits.h"
#include "protocol/rtp/header_writer.h"
#include "protocol/rtp/missing_packets.h"
#include "protocol/rtp/packet.h"
#include "protocol/rtp/reception_stats.h"
#include "protocol/rtp/red.h"
#include "protocol/rtp/rtx.h"

using namespace viaduct;

namespace {

bool lies_within(Bytes part, Bytes whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// What was read can be written again, and reads the same.
void rewrite(Bytes packet, const rtp::HeaderView& header) {
  std::array<rtp::ExtensionElement, 16> elements;
  size_t count = 0;
  rtp::for_each_extension(packet, header, [&](uint8_t id, Bytes data) {
    CHECK(id != 0 && lies_within(data, packet));
    if (count < elements.size()) elements[count++] = {id, data};
  });
  const auto kept = std::span(elements).first(count);
  std::array<uint8_t, 8192> out;
  const size_t size = rtp::write_header(out, {.sequence = header.sequence, .ssrc = header.ssrc}, kept);
  CHECK(size == rtp::header_bytes(kept) && size > 0);
  const auto again = rtp::parse_header(Bytes(out).first(size));
  CHECK(again && again->header_bytes == size && again->sequence == header.sequence && again->ssrc == header.ssrc);
  size_t i = 0;
  rtp::for_each_extension(out, *again, [&](uint8_t id, Bytes data) {
    CHECK(i < count && id == elements[i].id && std::ranges::equal(data, elements[i].data));
    ++i;
  });
  CHECK(i == count);
}

void read_packet(Bytes packet) {
  const auto header = rtp::parse_header(packet);
  if (!header) return;
  CHECK(header->header_bytes <= packet.size());
  for (const uint8_t id : std::to_array<uint8_t>({1, 5, 15, 255})) {
    const Bytes element = rtp::find_extension(packet, *header, id);
    CHECK(lies_within(element, packet));
    if (const auto level = rtp::read_audio_level(element)) CHECK(level->level <= 127);
    rtp::read_transport_sequence(element);
    CHECK(rtp::read_mid(element).size() == element.size());
  }
  rewrite(packet, *header);
  const auto payload_bytes = rtp::payload_bytes_without_padding(packet, *header);
  if (!payload_bytes) return;
  CHECK(header->header_bytes + *payload_bytes <= packet.size());
  const auto restored = rtp::restore(*header, packet.subspan(header->header_bytes, *payload_bytes), 96, 1);
  CHECK(!restored || lies_within(restored->payload, packet));
  const Bytes payload = packet.subspan(header->header_bytes, *payload_bytes);
  const auto red = payload.empty() ? std::nullopt : rtp::parse_red(payload, payload.front() & 0x7f);
  if (!red) return;
  CHECK(!red->primary.empty() && lies_within(red->primary, payload));
  for (const rtp::RedBlock& block : red->redundant()) CHECK(lies_within(block.bytes, payload));
}

void follow_arrivals(Bytes input) {
  rtp::ReceptionStats stats;
  rtp::MissingPackets missing;
  std::array<uint16_t, 64> asked;
  Timestamp now{};
  for (ByteReader reader(input); reader.remaining() >= 4;) {
    now += 1ms * reader.u8();
    const uint16_t sequence = reader.be16();
    const uint8_t choice = reader.u8();
    stats.on_packet(sequence, choice * 1000u, now, choice & 1 ? 90'000 : 48'000);
    missing.on_packet(sequence, now);
    CHECK(stats.cumulative_lost() >= 0);
    CHECK(missing.outstanding() <= limits::MissingPacketsPerSource);
    if (choice & 2) stats.take_fraction_lost();
    if ((choice & 4) == 0) continue;
    const Timestamp deadline = missing.next_deadline();
    const size_t count = missing.due(now, 1ms * choice, asked);
    CHECK(count == 0 || deadline <= now);
    CHECK(missing.next_deadline() >= now);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  read_packet({data, size});
  follow_arrivals({data, size});
  return 0;
}
