// Hostile header extensions that say which layers there are: rows of dependency descriptors, each as long as its first
// byte says, and the video layers allocation.

#include <algorithm>
#include <array>

#include "base/check.h"
#include "protocol/rtp/active_targets.h"
#include "protocol/rtp/dependency_descriptor.h"
#include "protocol/rtp/video_layers_allocation.h"

using namespace viaduct;

namespace {

// Another mask changes nothing else that a descriptor says.
void narrow(rtp::DependencyReader reader, rtp::ActiveTargets& targets, Bytes element, const rtp::FrameInfo& frame) {
  const auto mask = targets.next(element, frame, frame.layer);
  if (!mask) return;
  std::array<uint8_t, rtp::MaxDescriptorBytes> space;
  const size_t size = rtp::write_active_targets(space, element, *mask);
  if (size == 0) return;
  CHECK(size <= element.size() + 6);
  const auto narrowed = reader.read(Bytes(space).first(size));
  CHECK(narrowed && (narrowed->layers & ~frame.layers) == 0);
  rtp::FrameInfo same = *narrowed;
  same.layers = frame.layers;
  CHECK(same == frame);
}

void read_descriptor(rtp::DependencyReader& reader, rtp::ActiveTargets& targets, Bytes element) {
  const rtp::DependencyReader before = reader;
  const auto frame = reader.read(element);
  CHECK(reader.sizes().size() <= rtp::SpatialLayers);
  if (!frame) return;
  CHECK(frame->layer.spatial < rtp::SpatialLayers && frame->layer.temporal < rtp::TemporalLayers);
  CHECK(frame->number && !frame->unmarked);
  CHECK(!frame->key_frame || (frame->starts_frame && frame->prediction == rtp::Prediction::Nothing));
  CHECK((frame->needs != 0) || frame->prediction != rtp::Prediction::NumberedFrames);
  narrow(before, targets, element, *frame);
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
  rtp::ActiveTargets targets;
  for (ByteReader elements(input); elements.remaining() > 0;) {
    const size_t length = elements.u8();
    read_descriptor(reader, targets, elements.bytes(std::min(length, elements.remaining())));
  }
  return 0;
}
