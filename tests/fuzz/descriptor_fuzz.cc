// Hostile header extensions that say which layers there are: rows of dependency descriptors, each as long as its first
// byte says, and the video layers allocation.

#include <algorithm>

#include "base/check.h"
#include "protocol/rtp/dependency_descriptor.h"
#include "protocol/rtp/video_layers_allocation.h"

using namespace viaduct;

namespace {

void read_descriptor(rtp::DependencyReader& reader, Bytes element) {
  const auto frame = reader.read(element);
  CHECK(reader.sizes().size() <= rtp::SpatialLayers);
  if (!frame) return;
  CHECK(frame->layer.spatial < rtp::SpatialLayers && frame->layer.temporal < rtp::TemporalLayers);
  CHECK(frame->number && !frame->unmarked);
  CHECK(!frame->key_frame || (frame->starts_frame && frame->prediction == rtp::Prediction::Nothing));
  CHECK((frame->needs != 0) || frame->prediction != rtp::Prediction::NumberedFrames);
  // Read again, it says the same of the frame.
  const auto again = reader.read(element);
  CHECK(again && again->indications == frame->indications && again->layer == frame->layer);
}

void read_allocation(Bytes element) {
  const auto allocation = rtp::parse_video_layers_allocation(element);
  if (!allocation) return;
  for (const auto& layer : allocation->all()) {
    CHECK(layer.encoding < allocation->encodings && layer.spatial < rtp::SpatialLayers);
    CHECK(layer.temporal_layers >= 1 && layer.temporal_layers <= rtp::TemporalLayers);
    for (const DataRate rate : layer.rates) CHECK(rate.bits_per_second >= 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input{data, size};
  read_allocation(input);
  rtp::DependencyReader reader;
  for (ByteReader elements(input); elements.remaining() > 0;) {
    const size_t length = elements.u8();
    read_descriptor(reader, elements.bytes(std::min(length, elements.remaining())));
  }
  return 0;
}
