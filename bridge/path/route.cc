#include "path/route.h"

#include <algorithm>
#include <tuple>

namespace viaduct::path {

std::span<const Forward> Route::run(RxBatch& rx) {
  forwards_.clear();
  for (size_t i = 0; i < rx.size; ++i) {
    RxPacket& p = rx.packets[i];
    if (p.drop != Drop::None || p.kind != PacketKind::Rtp || p.in_silence) continue;
    const Endpoint* sender = directory_.find(p.from);
    if (!sender) continue;
    const conference::Source& source = sender->sources[p.source];
    if (source.held_back != conference::HeldBack::No) {
      p.drop = Drop::HeldBack;
      continue;
    }
    for (const conference::SlotRef& slot : source.receivers) {
      forwards_.push_back({static_cast<uint8_t>(i), slot});
    }
  }
  // The edge sends what stands together for one receiver as one segmented datagram, if it can.
  std::ranges::sort(forwards_, {}, [](const Forward& f) {
    return std::tuple(f.to.endpoint.index, f.to.slot, f.packet);
  });
  return forwards_;
}

}  // namespace viaduct::path
