// Hostile RTCP: every packet of a compound one, every field of every kind; and arrivals that the feedback builder must
// write up.

#include <array>

#include "base/check.h"
#include "limits.h"
#include "protocol/rtcp/congestion_feedback.h"
#include "protocol/rtcp/parse.h"
#include "protocol/rtcp/transport_feedback.h"
#include "protocol/rtcp/write.h"

using namespace viaduct;

namespace {

void read_blocks(const rtcp::ReportBlocks& blocks) {
  std::array<rtcp::ReportBlock, rtcp::MaxReportBlocks> copy;
  CHECK(blocks.size() <= copy.size());
  for (size_t i = 0; i < blocks.size(); ++i) copy[i] = blocks[i];
  std::array<uint8_t, limits::MaxPacketBytes> out;
  rtcp::CompoundWriter writer(out);
  CHECK(writer.receiver_report(1, std::span(copy).first(blocks.size())));
  rtcp::for_each_packet(writer.written(), [&](const rtcp::Packet& packet) {
    const auto again = rtcp::parse_receiver_report(packet);
    CHECK(again && again->blocks.size() == blocks.size());
    for (size_t i = 0; i < blocks.size(); ++i) CHECK(again->blocks[i] == copy[i]);
  });
}

uint64_t sum_of(const rtcp::SsrcList& ssrcs) {
  uint64_t sum = 0;
  for (size_t i = 0; i < ssrcs.size(); ++i) sum += ssrcs[i];
  return sum;
}

void read_packet(const rtcp::Packet& packet) {
  uint64_t sum = rtcp::is_valid_sdes(packet);
  if (const auto p = rtcp::parse_sender_report(packet)) read_blocks(p->blocks);
  if (const auto p = rtcp::parse_receiver_report(packet)) read_blocks(p->blocks);
  if (const auto p = rtcp::parse_bye(packet)) sum += sum_of(p->ssrcs);
  if (const auto p = rtcp::parse_nack(packet)) p->for_each_lost([&](uint16_t s) { sum += s; });
  if (const auto p = rtcp::parse_pli(packet)) sum += p->media;
  if (const auto p = rtcp::parse_fir(packet)) p->for_each([&](uint32_t ssrc, uint8_t n) { sum += ssrc + n; });
  if (const auto p = rtcp::parse_remb(packet)) {
    CHECK(p->bitrate.bits_per_second >= 0);
    sum += sum_of(p->ssrcs);
  }
  if (const auto p = rtcp::parse_transport_feedback(packet)) {
    size_t statuses = 0;
    p->for_each([&](const rtcp::PacketStatus&) { ++statuses; });
    CHECK(statuses == p->status_count);
  }
  if (const auto p = rtcp::parse_congestion_feedback(packet)) {
    size_t reports = 0;
    p->for_each([&](const rtcp::PacketReport& report) {
      CHECK(report.received || !report.arrival);
      CHECK(!report.arrival || (*report.arrival >= 0s && *report.arrival < 8s));
      ++reports;
    });
    CHECK(2 * reports <= p->blocks.size());
  }
  volatile uint64_t used = sum;
  static_cast<void>(used);
}

// Writes all that is pending, and reads each message back.
void write_feedback(rtcp::TransportFeedbackBuilder& builder, size_t room, Timestamp now) {
  std::array<uint8_t, 320> out;
  const auto buffer = std::span(out).first(rtcp::TransportFeedbackBuilder::MinMessageBytes + room);
  while (builder.has_pending()) {
    const size_t size = builder.write(buffer, 1, 2, now);
    CHECK(size > 0 && size <= buffer.size());
    size_t arrivals = 0;
    CHECK(rtcp::for_each_packet(buffer.first(size), [&](const rtcp::Packet& packet) {
      const auto feedback = rtcp::parse_transport_feedback(packet);
      CHECK(feedback);
      CHECK(feedback->status_count <= rtcp::TransportFeedbackBuilder::WindowPackets);
      feedback->for_each([&](const rtcp::PacketStatus& status) { arrivals += status.arrival.has_value(); });
    }));
    CHECK(arrivals > 0);
  }
}

void follow_arrivals(Bytes input) {
  rtcp::TransportFeedbackBuilder builder;
  Timestamp now{};
  for (ByteReader reader(input); reader.remaining() >= 4;) {
    const uint8_t step = reader.u8();
    const uint16_t sequence = reader.be16();
    const uint8_t choice = reader.u8();
    now += (choice & 1 ? 100ms : 100us) * step;
    builder.on_packet(sequence, now);
    if (choice & 2) write_feedback(builder, choice, now);
  }
  write_feedback(builder, 0, now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rtcp::for_each_packet({data, size}, read_packet);
  follow_arrivals({data, size});
  return 0;
}
