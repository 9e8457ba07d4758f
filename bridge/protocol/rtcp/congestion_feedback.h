// Congestion control feedback of RFC 8888 section 3.1: which packets of each stream arrived, and when to 1/1024 s.
//
//    |V=2|P| FMT=11  |    PT=205     |            length             |
//    |                 SSRC of RTCP packet sender                    |
//    |                   SSRC of 1st RTP stream                      |
//    |          begin_seq            |          num_reports          |
//    |R|ECN|  Arrival time offset    | ...                           |
//    |                 Report Timestamp (32 bits)                    |
//
// A report whose blocks do not fill it exactly is refused whole, so the view never reads beyond what was checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/time.h"
#include "protocol/rtcp/parse.h"

namespace viaduct::rtcp {

struct PacketReport {
  uint32_t ssrc = 0;
  uint16_t sequence = 0;            // RTP
  bool received = false;
  std::optional<Duration> arrival;  // before the report was written; nothing when that is not said
  uint8_t ecn = 0;
};

// A checked report. All blocks can be read.
struct CongestionFeedback {
  uint32_t sender = 0;
  uint32_t timestamp = 0;  // when it was written, in 1/65536 s
  Bytes blocks;

  // Calls f(const PacketReport&) for each packet, stream by stream in the order of sequence numbers.
  template <typename F>
  void for_each(F&& f) const;
};

// Nothing when the packet is of another kind, or when its blocks end beside the report timestamp.
std::optional<CongestionFeedback> parse_congestion_feedback(const Packet& packet);

// What the 16 bits of one packet say.
PacketReport read_packet_report(uint32_t ssrc, uint16_t sequence, uint16_t bits);

inline constexpr size_t StreamBlockHeaderBytes = 8;

// The size of a stream's block with that many packets: an odd last one is followed by padding.
constexpr size_t stream_block_bytes(uint16_t packets) {
  return StreamBlockHeaderBytes + 2 * (size_t{packets} + packets % 2);
}

template <typename F>
void CongestionFeedback::for_each(F&& f) const {
  for (size_t at = 0; at + StreamBlockHeaderBytes <= blocks.size();) {
    const uint32_t ssrc = load_be32(&blocks[at]);
    const uint16_t first = load_be16(&blocks[at + 4]);
    const uint16_t packets = load_be16(&blocks[at + 6]);
    if (stream_block_bytes(packets) > blocks.size() - at) return;
    for (size_t i = 0; i < packets; ++i) {
      const uint16_t bits = load_be16(&blocks[at + StreamBlockHeaderBytes + 2 * i]);
      f(read_packet_report(ssrc, static_cast<uint16_t>(first + i), bits));
    }
    at += stream_block_bytes(packets);
  }
}

}  // namespace viaduct::rtcp
