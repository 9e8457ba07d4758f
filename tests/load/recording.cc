#include "tests/load/recording.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "protocol/rtcp/parse.h"
#include "protocol/rtp/packet.h"

namespace viaduct::load {

Result<Recording> Recording::parse(Bytes file) {
  Result<std::vector<RecordedPacket>> packets =
      is_rtpdump(file) ? parse_rtpdump(file)
      : is_pcap(file)  ? parse_pcap(file)
                       : Error{ErrorCode::InvalidArgument,
                              "It is neither an rtpdump file (#!rtpplay1.0) nor a classic pcap "
                               "file; convert pcapng by "
                               "'tshark -F pcap'."};
  if (!packets) return packets.error();
  if (packets->empty()) return Error{ErrorCode::InvalidArgument, "It holds no RTP packets."};
  std::ranges::stable_sort(*packets, {}, &RecordedPacket::at);
  const Duration first = packets->front().at;
  for (RecordedPacket& packet : *packets) packet.at -= first;
  return Recording(std::move(*packets));
}

Result<Recording> Recording::read(const std::string& path) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  std::ifstream file(path, std::ios::binary);
  if (failed || !file)
    return Error{ErrorCode::NotFound, "The recording " + path + " cannot be read."};
  if (size > MaxRecordingBytes)
    return Error{ErrorCode::InvalidArgument, "The recording " + path + " is longer than 1 GiB."};
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  auto recording = parse(as_bytes({text.data(), text.size()}));
  if (!recording)
    return Error{recording.error().code,
                 "The recording " + path + " cannot be replayed. " + recording.error().text};
  return recording;
}

Recording Recording::stream(uint32_t ssrc) const {
  if (ssrc == 0) {
    std::map<uint32_t, size_t> counts;
    for (const RecordedPacket& packet : packets_) ++counts[packet.ssrc];
    const auto most = std::ranges::max_element(counts, {}, [](const auto& c) { return c.second; });
    if (most != counts.end()) ssrc = most->first;
  }
  std::vector<RecordedPacket> mine;
  std::ranges::copy_if(packets_, std::back_inserter(mine),
                       [&](const RecordedPacket& packet) { return packet.ssrc == ssrc; });
  if (!mine.empty()) {
    const Duration first = mine.front().at;
    for (RecordedPacket& packet : mine) packet.at -= first;
  }
  return Recording(std::move(mine));
}

bool Recording::has_bodies() const {
  return std::ranges::any_of(packets_, [](const RecordedPacket& p) { return !p.payload.empty(); });
}

bool add_recorded(Bytes captured, size_t wire_bytes, Duration at,
                  std::vector<RecordedPacket>& out) {
  if (rtcp::is_rtcp(captured)) return false;
  const auto header = rtp::parse_header(captured);
  if (!header || wire_bytes < header->header_bytes || wire_bytes > 0xffff) return false;
  RecordedPacket packet{.at = at,
                        .ssrc = header->ssrc,
                        .timestamp = header->timestamp,
                        .sequence = header->sequence,
                        .payload_type = header->payload_type,
                        .marker = header->marker,
                        .packet_bytes = static_cast<uint32_t>(wire_bytes),
                        .payload = {}};
  if (captured.size() >= wire_bytes) {
    const Bytes whole = captured.first(wire_bytes);
    const auto bytes = rtp::payload_bytes_without_padding(whole, *header);
    if (!bytes) return false;
    const Bytes payload = whole.subspan(header->header_bytes, *bytes);
    packet.payload.assign(payload.begin(), payload.end());
  }
  out.push_back(std::move(packet));
  return true;
}

}  // namespace viaduct::load
