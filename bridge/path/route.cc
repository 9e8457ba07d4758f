#include "path/route.h"

#include <algorithm>
#include <tuple>

namespace viaduct::path {

std::span<const Forward> Route::run(RxBatch& rx, Timestamp now) {
  forwards_.clear();
  const std::span<const Chosen> chosen = choose(rx, now);
  for (auto from = chosen.begin(); from != chosen.end();) {
    const auto same_source = [&](const Chosen& c) { return c.source == from->source; };
    const auto end = std::find_if_not(from, chosen.end(), same_source);
    for (const conference::SlotRef& slot : from->source->receivers) {
      for (auto c = from; c != end; ++c) {
        RxPacket& packet = rx.packets[c->packet];
        if (c->one_of_many && !may_want(slot, packet)) continue;
        packet.routed = true;
        forwards_.push_back({c->packet, c->video, slot});
      }
    }
    from = end;
  }
  // With one source, or few who have nobody in common, they stand in order already.
  const auto order = [](const Forward& a, const Forward& b) { return a.rank() < b.rank(); };
  if (!std::ranges::is_sorted(forwards_, order)) std::ranges::sort(forwards_, order);
  return forwards_;
}

bool Route::may_want(const conference::SlotRef& slot, const RxPacket& packet) const {
  const conference::Subscription* const subscription = directory_.find(slot);
  return subscription && subscription->selector.may_want(packet.encoding);
}

std::span<const Forward> take_portion(std::span<const Forward>& rest) {
  const auto one_receiver = [&](size_t i) {
    return rest[i - 1].video == rest[i].video && rest[i - 1].to.endpoint == rest[i].to.endpoint;
  };
  const size_t most = std::min(rest.size(), limits::TxBatchPackets);
  size_t count = most;
  while (count > 0 && count < rest.size() && one_receiver(count)) --count;
  if (count == 0) count = most;
  const auto portion = rest.first(count);
  rest = rest.subspan(count);
  return portion;
}

// The packets of the batch that somebody gets, those of each source together.
std::span<const Route::Chosen> Route::choose(RxBatch& rx, Timestamp now) {
  size_t count = 0;
  for (size_t i = 0; i < rx.size; ++i) {
    RxPacket& p = rx.packets[i];
    if (p.drop != Drop::None || p.kind != PacketKind::Rtp || p.in_silence) continue;
    Endpoint* sender = directory_.find(p.from);
    if (!sender) continue;
    conference::Source& source = sender->sources[p.source];
    const bool video = source.kind == codec::MediaKind::Video;
    if (video && !sender->is_relayed())
      source.encodings[p.encoding].layers.add(p.frame, p.payload_bytes, now);
    if (source.held_back != conference::HeldBack::No) {
      p.drop = Drop::HeldBack;
      continue;
    }
    if (source.receivers.empty()) continue;
    chosen_[count++] = {&source, static_cast<uint8_t>(i), video, source.encodings.size() > 1};
  }
  const auto chosen = std::span(chosen_).first(count);
  std::ranges::sort(chosen, {}, [](const Chosen& c) { return std::tuple(c.source, c.packet); });
  return chosen;
}

}  // namespace viaduct::path
