// A receiver that reports arrivals as RFC 8888 has it. The bridge itself only reads such reports.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "base/bytes.h"
#include "base/time.h"

namespace viaduct::testing {

class CongestionFeedbackWriter {
 public:
  void on_packet(uint32_t ssrc, uint16_t sequence, Timestamp arrival) {
    Stream& stream = streams_[ssrc];
    if (!stream.next) stream.next = sequence;
    stream.arrivals[sequence] = arrival;
    stream.pending = true;
  }

  bool has_pending() const {
    for (const auto& [ssrc, stream] : streams_) {
      if (stream.pending) return true;
    }
    return false;
  }

  // One report of all that has arrived since the last one, and of what has not. Returns its size.
  size_t write(MutableBytes out, uint32_t sender, Timestamp now) {
    ByteWriter writer(out);
    writer.be16(0x8bcd);
    writer.be16(0);
    writer.be32(sender);
    for (auto& [ssrc, stream] : streams_) {
      if (stream.pending) write_stream(writer, ssrc, stream, now);
    }
    writer.be32(static_cast<uint32_t>(now.time_since_epoch() * 65536 / Duration(1s)));
    store_be16(&out[2], static_cast<uint16_t>(writer.size() / 4 - 1));
    return writer.ok() ? writer.size() : 0;
  }

 private:
  struct Stream {
    std::optional<uint16_t> next;  // the first that no report has spoken of
    std::map<uint16_t, Timestamp> arrivals;
    bool pending = false;
  };

  static void write_stream(ByteWriter& writer, uint32_t ssrc, Stream& stream, Timestamp now) {
    const uint16_t first = *stream.next;
    uint16_t count = 0;
    for (const auto& [sequence, at] : stream.arrivals) {
      const auto ahead = static_cast<uint16_t>(sequence - first);
      if (ahead < 0x8000) count = std::max<uint16_t>(count, static_cast<uint16_t>(ahead + 1));
    }
    writer.be32(ssrc);
    writer.be16(first);
    writer.be16(count);
    for (uint16_t i = 0; i < count; ++i) {
      const auto found = stream.arrivals.find(static_cast<uint16_t>(first + i));
      writer.be16(found == stream.arrivals.end() ? 0 : bits_of(now - found->second));
    }
    if (count % 2 == 1) writer.be16(0);
    stream.next = static_cast<uint16_t>(first + count);
    stream.arrivals.clear();
    stream.pending = false;
  }

  static uint16_t bits_of(Duration ago) {
    constexpr int64_t TooOld = 0x1ffe;
    const int64_t units = ago * 1024 / Duration(1s);
    return static_cast<uint16_t>(0x8000 | std::min(units, TooOld));
  }

  std::map<uint32_t, Stream> streams_;
};

}  // namespace viaduct::testing
