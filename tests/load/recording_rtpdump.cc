// rtpdump files, as rtptools write and rtpplay reads them:
//
//   #!rtpplay1.0 address/port\n
//   | start: seconds, microseconds: 4 each | source: 4 | port: 2 | padding: 2 |
//   and for each packet  | length of all: 2 | length of RTP, 0 for RTCP: 2 | milliseconds since
//   start: 4 | packet |
// A packet may be cut short; then the second length says how long it was.
#include <algorithm>
#include <string_view>

#include "tests/load/recording.h"

namespace viaduct::load {
namespace {

constexpr std::string_view Magic = "#!rtpplay1.0 ";
constexpr size_t LongestFirstLine = 256;
constexpr size_t FileHeaderBytes = 16;
constexpr size_t PacketHeaderBytes = 8;

}  // namespace

bool is_rtpdump(Bytes file) { return as_text(file).starts_with(Magic); }

Result<std::vector<RecordedPacket>> parse_rtpdump(Bytes file) {
  const std::string_view beginning = as_text(file.first(std::min(file.size(), LongestFirstLine)));
  const size_t line_ends = beginning.find('\n');
  if (line_ends == std::string_view::npos)
    return Error{ErrorCode::InvalidArgument, "Its first line does not end."};
  ByteReader in(file.subspan(line_ends + 1));
  in.skip(FileHeaderBytes);
  if (!in.ok()) return Error{ErrorCode::InvalidArgument, "It ends within its header."};

  std::vector<RecordedPacket> packets;
  while (in.remaining() >= PacketHeaderBytes) {
    const size_t length = in.be16();
    const size_t rtp_bytes = in.be16();
    const uint32_t milliseconds = in.be32();
    if (length < PacketHeaderBytes || length - PacketHeaderBytes > in.remaining()) break;
    const Bytes captured = in.bytes(length - PacketHeaderBytes);
    if (rtp_bytes == 0) continue;  // RTCP
    add_recorded(captured, rtp_bytes, std::chrono::milliseconds(milliseconds), packets);
  }
  return packets;
}

}  // namespace viaduct::load
