// Hostile bytes for what looks at encrypted streams: dependency descriptors, SFrame headers, the check for plain codec
// data, and the evidence that follows from them. The first byte chooses the codec.

#include <algorithm>
#include <array>

#include "base/check.h"
#include "conference/body_evidence.h"
#include "protocol/codec/plain_check.h"
#include "protocol/rtp/dependency_descriptor.h"
#include "protocol/sframe/header.h"

using namespace viaduct;

namespace {

// Another frame number changes nothing else.
void read_descriptor(Bytes element) {
  const auto descriptor = rtp::parse_dependency_descriptor(element);
  CHECK(descriptor.has_value() == (element.size() >= rtp::MandatoryDescriptorBytes));
  if (!descriptor || element.size() > rtp::MaxDescriptorBytes) return;
  std::array<uint8_t, rtp::MaxDescriptorBytes> copy{};
  std::ranges::copy(element, copy.begin());
  rtp::write_frame_number(copy, 0x1234);
  auto expected = *descriptor;
  expected.frame_number = 0x1234;
  CHECK(rtp::parse_dependency_descriptor(Bytes(copy).first(element.size())) == expected);
}

void read_sframe(Bytes frame) {
  const auto header = sframe::parse_header(frame);
  CHECK(!header || (header->header_bytes >= 1 && header->header_bytes <= 17 && header->header_bytes <= frame.size()));
}

// The input again and again, cut ever shorter, as frames of one stream.
void gather_evidence(codec::CodecType codec, Bytes payload) {
  conference::BodyEvidence evidence;
  Timestamp now{};
  for (size_t cut = 0; cut < payload.size() && cut < 300; ++cut) {
    const auto check = codec::check_plain(codec, payload.subspan(cut));
    if (!check) continue;
    CHECK(check->opaque.size() <= payload.size() - cut);
    conference::BodySample sample{.fits = check->fits, .shape = check->shape, .probe = check->probe};
    if (const auto header = sframe::parse_header(check->opaque))
      sample.sframe = {.key_id = header->key_id, .counter = header->counter, .counter_bytes = header->counter_bytes};
    evidence.add(sample, now += 20ms);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes payload{data + 1, size - 1};
  read_descriptor(payload);
  read_sframe(payload);
  gather_evidence(static_cast<codec::CodecType>(data[0] % codec::CodecTypes), payload);
  return 0;
}
