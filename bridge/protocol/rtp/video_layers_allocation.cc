#include "protocol/rtp/video_layers_allocation.h"

#include <algorithm>

#include "protocol/rtp/bit_reader.h"

namespace viaduct::rtp {
namespace {

constexpr size_t LongestRateBytes = 5;
constexpr int64_t HighestRate = 1'000'000'000;  // kbit/s
constexpr size_t ShapeBytes = 5;

void add_layers(VideoLayersAllocation& allocation, uint8_t encoding, uint32_t mask) {
  for (uint8_t spatial = 0; spatial < SpatialLayers; ++spatial) {
    if ((mask >> spatial & 1) == 0) continue;
    allocation.layers[allocation.count++] = {.encoding = encoding, .spatial = spatial};
  }
}

// Seven bits a byte, least significant first. Less than 0 when it does not end in time.
int64_t read_leb128(ByteReader& reader) {
  int64_t value = 0;
  for (unsigned i = 0; i < LongestRateBytes; ++i) {
    const uint8_t byte = reader.u8();
    value |= static_cast<int64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) return value;
  }
  return -1;
}

bool read_rates(ByteReader& reader, VideoLayersAllocation::SpatialLayer& layer) {
  for (DataRate& rate : std::span(layer.rates).first(layer.temporal_layers)) {
    const int64_t kbps = read_leb128(reader);
    if (kbps < 0 || kbps > HighestRate) return false;
    rate = DataRate::kbps(kbps);
  }
  return true;
}

uint16_t one_more(uint16_t value) { return static_cast<uint16_t>(std::min(value + 1, 0xffff)); }

}  // namespace

std::optional<VideoLayersAllocation> parse_video_layers_allocation(Bytes element) {
  VideoLayersAllocation allocation;
  if (element.size() == 1 && element[0] == 0) return allocation;
  BitReader bits(element);
  allocation.encoding = static_cast<uint8_t>(bits.bits(2));
  allocation.encodings = static_cast<uint8_t>(bits.bits(2) + 1);
  const uint32_t shared = bits.bits(4);
  for (uint8_t i = 0; i < allocation.encodings; ++i) add_layers(allocation, i, shared != 0 ? shared : bits.bits(4));
  const auto layers = std::span(allocation.layers).first(allocation.count);

  ByteReader reader(element);
  reader.skip((bits.position() + 7) / 8);
  const Bytes counts = reader.bytes((layers.size() + 3) / 4);
  if (!bits.ok() || !reader.ok()) return std::nullopt;
  BitReader temporal(counts);
  for (auto& layer : layers) layer.temporal_layers = static_cast<uint8_t>(temporal.bits(2) + 1);

  for (auto& layer : layers) {
    if (!read_rates(reader, layer)) return std::nullopt;
  }
  if (!reader.ok()) return std::nullopt;
  if (reader.remaining() == 0) return allocation;
  if (reader.remaining() != layers.size() * ShapeBytes) return std::nullopt;
  for (auto& layer : layers) {
    layer.size = {one_more(reader.be16()), one_more(reader.be16())};
    layer.frame_rate = reader.u8();
  }
  return allocation;
}

}  // namespace viaduct::rtp
