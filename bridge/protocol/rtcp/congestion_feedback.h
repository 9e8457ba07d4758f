// Congestion control feedback of RFC 8888: which packets of each stream arrived, and when to 1/1024 s.
//
//    |V=2|P| FMT=11  |    PT=205     |            length             |
//    |                 SSRC of RTCP packet sender                    |
//    |                   SSRC of 1st RTP stream                      |
//    |          begin_seq            |          num_reports          |
//    |R|ECN|  Arrival time offset    | ...                           |
//    |                 Report Timestamp (32 bits)                    |
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
  std::optional<Duration> arrival;  // before the report was written; nothing when it has not arrived
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

}  // namespace viaduct::rtcp
