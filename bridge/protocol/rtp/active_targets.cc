#include "protocol/rtp/active_targets.h"

#include <algorithm>

#include "protocol/rtp/bit_reader.h"

namespace viaduct::rtp {
namespace {

// Most significant bit first, into bytes that are all 0.
class BitCopy {
 public:
  BitCopy(BitReader& from, MutableBytes to) : from_(from), to_(to) {}

  void write(uint32_t value, size_t count) {
    for (size_t i = count; i-- > 0; ++at_) {
      if (at_ / 8 == to_.size()) ok_ = false;
      if (!ok_) return;
      to_[at_ / 8] |= static_cast<uint8_t>((value >> i & 1) << (7 - at_ % 8));
    }
  }
  void copy_until(size_t position) {
    while (ok_ && from_.ok() && from_.position() < position) write(from_.bits(1), 1);
  }
  // In bytes; 0 when something was cut short.
  size_t size() const { return ok_ && from_.ok() ? (at_ + 7) / 8 : 0; }

 private:
  BitReader& from_;
  MutableBytes to_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace

std::optional<TargetMask> ActiveTargets::next(Bytes descriptor, const FrameInfo& frame, LayerId given) {
  const auto front = parse_dependency_descriptor(descriptor);
  if (!front) return std::nullopt;
  const bool is_late = is_late_frame(newest_number_, front->frame_number);
  if (!is_late) newest_number_ = front->frame_number;
  if (front->structure_present) {
    if (is_late) return std::nullopt;
    targets_ = DependencyReader::targets_of(descriptor).value_or(DecodeTargets());
    narrowed_ = false;
  }
  uint32_t sent = 0;
  for (size_t i = 0; i < targets_.count; ++i) {
    if (targets_.layers[i] && frame.has(*targets_.layers[i])) sent |= uint32_t{1} << i;
  }
  const uint32_t received = sent & targets_.within[given.index()];
  narrowed_ = narrowed_ || received != sent;
  if (!narrowed_ || received == 0) return std::nullopt;
  return TargetMask{received, targets_.count};
}

size_t write_active_targets(MutableBytes space, Bytes descriptor, const TargetMask& mask) {
  constexpr size_t FlagsEnd = MandatoryDescriptorBytes * 8 + 5;
  constexpr uint32_t Structure = 0x10, Active = 0x08;
  std::ranges::fill(space, uint8_t{0});
  BitReader from(descriptor);
  BitCopy out(from, space);
  out.copy_until(MandatoryDescriptorBytes * 8);
  const uint32_t flags = descriptor.size() > MandatoryDescriptorBytes ? from.bits(5) : 0;
  out.write(flags | Active, 5);
  if ((flags & Structure) != 0) {
    const auto targets = DependencyReader::targets_of(descriptor);
    if (!targets || targets->count != mask.targets) return 0;
    out.copy_until(FlagsEnd + targets->structure_bits);
  }
  if ((flags & Active) != 0) from.bits(mask.targets);
  out.write(mask.bits, mask.targets);
  out.copy_until(descriptor.size() * 8);
  return out.size();
}

}  // namespace viaduct::rtp
