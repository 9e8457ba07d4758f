// RTP packets of a recording, to be replayed: rtpdump files (rtpplay1.0) and classic pcap files of
// plain RTP.
//
// A file is hostile until it has been read: every length is checked against what is there, and what
// is no RTP packet in it is skipped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace viaduct::load {

struct RecordedPacket {
  Duration at{};  // after the first packet of the file
  uint32_t ssrc = 0;
  uint32_t timestamp = 0;
  uint16_t sequence = 0;
  uint8_t payload_type = 0;
  bool marker = false;
  uint32_t packet_bytes = 0;     // of the RTP packet on the wire
  std::vector<uint8_t> payload;  // without padding; empty when the file holds headers only
};

class Recording {
 public:
  explicit Recording(std::vector<RecordedPacket> packets) : packets_(std::move(packets)) {}

  // By what the file begins with. InvalidArgument, with a sentence without the file's name, when it
  // is neither kind or holds no RTP.
  static Result<Recording> parse(Bytes file);
  static Result<Recording> read(const std::string& path);

  const std::vector<RecordedPacket>& packets() const { return packets_; }
  // The packets of one SSRC; of the one that has most when `ssrc` is 0.
  Recording stream(uint32_t ssrc) const;
  bool has_bodies() const;

 private:
  std::vector<RecordedPacket> packets_;
};

// Reads one captured RTP packet, of which `captured` may be only the beginning, into the list.
// False when it is none.
bool add_recorded(Bytes captured, size_t wire_bytes, Duration at, std::vector<RecordedPacket>& out);

bool is_rtpdump(Bytes file);
bool is_pcap(Bytes file);
Result<std::vector<RecordedPacket>> parse_rtpdump(Bytes file);
Result<std::vector<RecordedPacket>> parse_pcap(Bytes file);

inline constexpr size_t MaxRecordingBytes = size_t{1} << 30;

}  // namespace viaduct::load
