// What each receiver gets of the pictures in its slots, what senders are told to send, and what clients are told of
// their networks.
#include <array>
#include <cstdlib>

#include "conference/conference.h"
#include "conference/directory.h"
#include "conference/endpoint.h"

namespace viaduct::conference {
namespace {

using codec::MediaKind;

constexpr Duration RoomInterval = 50ms;      // between looks at what there is room for
constexpr Duration SourcesInterval = 200ms;  // between looks at what there is to be had
constexpr Duration NetworkInterval = 1s;     // between reports to one client
// That a receiver's network must have left before sound is sent to it twice: what a full network loses would be more.
constexpr DataRate RoomToRepeat = DataRate::kbps(100);
constexpr Duration ScreenEndsAfter = 3s;     // without a packet: one that is still is sent about once a second

// What of a ladder matters to who looks at it again: its layers, without small changes of their rates.
uint64_t shape_of(const LayerLadder& ladder) {
  uint64_t shape = 14695981039346656037u;  // FNV-1a
  for (const LayerInfo& r : ladder.rungs()) {
    for (const uint64_t part : {uint64_t{r.layer.encoding}, uint64_t{r.layer.id.index()}, uint64_t{r.height},
                                uint64_t{r.rate > DataRate{}}})
      shape = (shape ^ part) * 1099511628211u;
  }
  return shape;
}

bool differs_by_15_percent(DataRate from, DataRate to) {
  return std::abs(to.bits_per_second - from.bits_per_second) * 100 >= from.bits_per_second * 15 && from != to;
}

// What the sound takes of what can be sent.
DataRate sound_of(Endpoint& receiver, Timestamp now) {
  DataRate sound;
  for (Subscription& slot : receiver.slots) {
    if (slot.kind == MediaKind::Audio) sound.bits_per_second += slot.meter.rate(now).bits_per_second;
  }
  return sound;
}

}  // namespace

void Conference::run_layers(Timestamp now) {
  const bool looks_at_sources = now >= next_look_at_sources_;
  const bool looks_at_rooms = now >= next_look_at_rooms_;
  if (looks_at_sources) {
    next_look_at_sources_ = now + SourcesInterval;
    for (const Handle<Endpoint> m : members_) look_at_sources(*directory_.find(m), now);
  }
  if (looks_at_rooms) next_look_at_rooms_ = now + RoomInterval;
  for (const Handle<Endpoint> m : members_) {
    Endpoint& receiver = *directory_.find(m);
    if (!receiver.is_relayed() && (looks_at_rooms || receiver.pictures_changed))
      look_at_room(receiver, now);
  }
  if (!looks_at_sources) return;
  for (const Handle<Endpoint> m : members_) {
    Endpoint& member = *directory_.find(m);
    settle_needs(member, now);
    if (!member.is_relayed()) tell_network(member, now);
  }
}

// Where layers have come or gone, those who receive the source may get something else.
void Conference::look_at_sources(Endpoint& sender, Timestamp now) {
  for (Source& source : sender.sources) {
    if (source.kind != MediaKind::Video) continue;
    if (!sender.is_relayed()) look_for_screen(sender, source, now);
    const uint64_t shape = shape_of(source.ladder);
    if (shape == std::exchange(source.ladder_shape, shape)) continue;
    source.needs.note_heights(source.ladder);
    for (const SlotRef& ref : source.receivers) directory_.find(ref.endpoint)->pictures_changed = true;
  }
}

// Nobody says that a screen has ended: its packets stop. They do so, too, when the sender has been told that nobody
// needs them.
void Conference::look_for_screen(const Endpoint& sender, Source& source, Timestamp now) {
  if (source.content != Content::Screen) return;
  uint64_t packets = 0;
  for (const Encoding& e : source.encodings) packets += e.meter.packets();
  if (packets != std::exchange(source.screen.packets, packets) || source.needs.told() == LayerNeed())
    source.screen.alive = now;
  if (source.sending && now - source.screen.alive >= ScreenEndsAfter) {
    source.sending = false;
    on_source_changed();
  }
  const bool shown = source.sending && !source.muted;
  if (shown != std::exchange(source.screen.shown, shown)) directory_.reports.push_back(ScreenShown{sender.id, shown});
}

void Conference::look_at_room(Endpoint& receiver, Timestamp now) {
  const DataRate sound = sound_of(receiver, now);
  std::optional<DataRate> room = receiver.available;
  if (room) room->bits_per_second = std::max<int64_t>(room->bits_per_second - sound.bits_per_second, 0);
  const DataRate spare = receiver.has_room_to_repeat ? DataRate{} : RoomToRepeat;
  receiver.has_room_to_repeat = !room || *room > receiver.pictures_rate + spare;
  if (!receiver.layers.observe(room, now) && !receiver.pictures_changed) return;
  receiver.pictures_changed = false;

  std::array<Picture, BitrateAllocator::MaxPictures> pictures;
  std::array<bool, BitrateAllocator::MaxPictures> was_paused{};
  const size_t count = std::min(receiver.picture_order.size(), pictures.size());
  for (size_t i = 0; i < count; ++i) {
    Subscription& slot = receiver.slots[receiver.picture_order[i]];
    const Source& source = *directory_.find(*slot.carries);
    pictures[i] = {&source.ladder, source.content, wish_of(receiver, *slot.carries), &slot.share};
    was_paused[i] = slot.share.paused;
  }
  const Allocated allocated = receiver.layers.allocate(std::span(pictures).first(count), now);
  receiver.pictures_rate = allocated.used;
  receiver.demand = allocated.ideal + sound;
  bool paused_changed = false;
  for (size_t i = 0; i < count; ++i) {
    aim(receiver.slots[receiver.picture_order[i]], now);
    paused_changed = paused_changed || was_paused[i] != pictures[i].share->paused;
  }
  if (paused_changed) report_slots(receiver);
}

PictureWish Conference::wish_of(const Endpoint& receiver, const SourceRef& ref) const {
  const PictureName picture = name_of(ref);
  return {receiver.wishes.is_on_stage(picture), receiver.wishes.max_height_of(picture)};
}

// Of a source whose layers are not known, whatever there is is worth having. Where layers are taken away because they
// were lost, what is left of them is better begun anew (LayerSelector::remedy_of).
void Conference::aim(Subscription& slot, Timestamp now) {
  constexpr Duration Lately = 500ms;
  constexpr Layer Anything{0, {rtp::SpatialLayers - 1, rtp::TemporalLayers - 1}};
  Source& source = *directory_.find(*slot.carries);
  const bool is_unknown = source.ladder.empty() && slot.share.wish.max_height != 0;
  const std::optional<Layer> target = is_unknown ? std::optional(Anything) : slot.share.layer;
  if (target == slot.selector.target()) return;
  slot.selector.aim(target);
  want_awaited(slot, source);
  if (slot.selector.shrinks() && now - slot.asked_again < Lately) source.encodings[target->encoding].key_frame.want();
}

void Conference::want_awaited(const Subscription& slot, Source& source) {
  const auto awaited = slot.selector.awaited();
  if (awaited && *awaited < source.encodings.size()) source.encodings[*awaited].key_frame.want();
}

void Conference::settle_needs(Endpoint& sender, Timestamp now) {
  for (Source& source : sender.sources) {
    if (source.kind != MediaKind::Video) continue;
    source.needs.here = {};
    for (const SlotRef& ref : source.receivers) {
      const Subscription& slot = *directory_.find(ref);
      source.needs.here.add(source.needs.need_of(slot.share.wish.max_height));
    }
    if (sender.is_relayed() || !source.needs.settle(other_workers_, source.sending, now)) continue;
    LayersWanted report{sender.id, source.mid, {}, source.needs.told().max_height};
    for (size_t i = 0; i < source.encodings.size(); ++i)
      report.encodings.push_back({source.encodings[i].rid, (source.needs.told().encodings >> i & 1) != 0});
    directory_.reports.push_back(std::move(report));
  }
}

void Conference::tell_network(Endpoint& receiver, Timestamp now) {
  Endpoint::NetworkTold& told = receiver.network_told;
  const bool changed = told.available.has_value() != receiver.available.has_value() ||
                       differs_by_15_percent(told.wanted, receiver.demand) ||
                       (told.available && differs_by_15_percent(*told.available, *receiver.available));
  if (!changed || now < told.at + NetworkInterval) return;
  told = {receiver.available, receiver.demand, now};
  directory_.reports.push_back(NetworkMeasured{receiver.id, receiver.available, receiver.demand});
}

}  // namespace viaduct::conference
