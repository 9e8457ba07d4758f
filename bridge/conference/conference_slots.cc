// Who is heard by whom and seen by whom, and in which slot.
#include <algorithm>
#include <utility>

#include "conference/allocator.h"
#include "conference/conference.h"
#include "conference/directory.h"
#include "conference/endpoint.h"
#include "limits.h"

namespace viaduct::conference {
namespace {

using codec::MediaKind;

constexpr Duration RankingInterval =
    40ms;  // two packets: whoever begins to speak loses no more than that

// Loudness in coarse steps, and a quiet room as silence, so that noise does not move people in and
// out of slots.
int loudness_rank(const Source& source, Timestamp now) {
  constexpr float Step = 10;
  const float mean = source.loudness.mean(now);
  return mean < Loudness::Audible ? 0 : static_cast<int>(mean / Step);
}

// A source that this receiver gets nothing of because it cannot decode it.
bool undecodable(const Source& source, const Endpoint& receiver) {
  return source.codec && !receiver.payloads.decodes(*source.codec);
}

bool forwardable(const Source& source) {
  return source.sending && !source.muted && source.held_back == HeldBack::No;
}

}  // namespace

void Conference::rank_audio(Timestamp now) {
  next_ranking_ = now + RankingInterval;
  ranks_.clear();
  for (const SourceRef& ref : audio_order_)
    ranks_.emplace_back(loudness_rank(*directory_.find(ref), now), ref);
  // Nearly in order already, and nothing here may allocate: each goes up past those less loud.
  for (size_t i = 1; i < ranks_.size(); ++i) {
    const auto louder = std::ranges::find_if(
        ranks_.begin(), ranks_.begin() + static_cast<std::ptrdiff_t>(i),
        [rank = ranks_[i].first](const auto& other) { return other.first < rank; });
    const auto here = ranks_.begin() + static_cast<std::ptrdiff_t>(i);
    std::rotate(louder, here, here + 1);
    sound_due_ = sound_due_ || louder != here;
  }
  for (size_t i = 0; i < ranks_.size(); ++i) audio_order_[i] = ranks_[i].second;
}

void Conference::note_speaker_in_video_order() {
  if (!speaker_.current()) return;
  const Handle<Endpoint> speaking = directory_.with_id(*speaker_.current());
  std::stable_partition(video_order_.begin(), video_order_.end(),
                        [&](const SourceRef& ref) { return ref.endpoint == speaking; });
  reallocation_due_ = true;
}

// The loudest, as far as people may be heard by the bridge: all others cost no decoding.
void Conference::choose_mixed() {
  size_t room = mixes() ? limits::MixCandidates : 0;
  for (const SourceRef& ref : audio_order_) {
    bool& mixed = directory_.find(ref)->mixed;
    mixed = room > 0 && may_be_mixed(ref);
    room -= mixed;
  }
}

// What is declared encrypted, or looks it, is nobody's to decode.
bool Conference::may_be_mixed(const SourceRef& ref) const {
  const Source& source = *directory_.find(ref);
  return forwardable(source) && source.codec == codec::CodecType::Opus &&
         !directory_.find(ref.endpoint)->declares_e2ee &&
         source.observed() != ObservedBodies::Ciphertext;
}

void Conference::allocate_slots() {
  reallocation_due_ = sound_due_ = false;
  judge_sources();
  choose_mixed();
  for (const Handle<Endpoint> m : members_) {
    Endpoint& receiver = *directory_.find(m);
    if (!receiver.is_relayed()) allocate_slots_of(m, receiver);
  }
}

// The loudest have changed, and nothing else: this is as often as people begin to speak.
void Conference::allocate_sound() {
  sound_due_ = false;
  choose_mixed();
  for (const Handle<Endpoint> m : members_) {
    Endpoint& receiver = *directory_.find(m);
    if (!receiver.is_relayed() && place(m, MediaKind::Audio, sound_wanted_by(receiver, m))) report_slots(receiver);
  }
}

void Conference::allocate_slots_of(Handle<Endpoint> receiver, Endpoint& endpoint) {
  endpoint.slots_due = false;
  bool changed = place(receiver, MediaKind::Audio, sound_wanted_by(endpoint, receiver));
  const std::vector<SourceRef> pictures = pictures_wanted_by(endpoint, receiver);
  const bool others_seen = place(receiver, MediaKind::Video, pictures);
  if (order_pictures(endpoint, pictures) || others_seen) endpoint.pictures_changed = true;
  changed = changed || others_seen;
  std::vector<UndecodableSource> missed;
  for (const auto* order : {&audio_order_, &video_order_}) {
    for (const SourceRef& ref : *order) {
      const Source& source = *directory_.find(ref);
      if (ref.endpoint == receiver || !forwardable(source) || !undecodable(source, endpoint))
        continue;
      if (endpoint.mixed && source.kind == codec::MediaKind::Audio) continue;
      missed.push_back({directory_.find(ref.endpoint)->id, *source.codec});
    }
  }
  changed = changed || missed != endpoint.undecodable;
  endpoint.undecodable = std::move(missed);
  if (changed) report_slots(endpoint);
}

// True when a slot of the kind carries something else from now on.
bool Conference::place(Handle<Endpoint> receiver, MediaKind kind, std::span<const SourceRef> wanted) {
  const std::vector<SlotChange> changes = allocate(directory_.find(receiver)->slots, kind, wanted);
  for (const SlotChange& change : changes) carry({receiver, change.slot}, change.carries);
  return !changes.empty();
}

std::vector<SourceRef> Conference::sound_wanted_by(const Endpoint& receiver,
                                                   Handle<Endpoint> self) const {
  std::vector<SourceRef> wanted;
  if (receiver.mixed) return wanted;
  for (const SourceRef& ref : audio_order_) {
    if (may_carry(ref, receiver, self)) wanted.push_back(ref);
  }
  return wanted;
}

// On-stage pictures, selected ones, then those of recent speakers, as far as the receiver wants so many.
std::vector<SourceRef> Conference::pictures_wanted_by(const Endpoint& receiver,
                                                      Handle<Endpoint> self) const {
  const auto slots = std::ranges::count(receiver.slots, MediaKind::Video, &Subscription::kind);
  const size_t most = std::min<size_t>(static_cast<size_t>(slots),
                                       receiver.wishes.last_n.value_or(limits::VideoSlotsPerEndpoint));
  std::vector<SourceRef> wanted;
  const auto add = [&](const SourceRef& ref) {
    if (wanted.size() < most && may_carry(ref, receiver, self) &&
        receiver.wishes.max_height_of(name_of(ref)) != 0 && std::ranges::find(wanted, ref) == wanted.end())
      wanted.push_back(ref);
  };
  for (const auto* pictures : {&receiver.wishes.on_stage, &receiver.wishes.selected}) {
    for (const PictureName& picture : *pictures) {
      if (const auto ref = find(picture)) add(*ref);
    }
  }
  for (const SourceRef& ref : video_order_) add(ref);
  return wanted;
}

bool Conference::may_carry(const SourceRef& ref, const Endpoint& receiver, Handle<Endpoint> self) const {
  const Source& source = *directory_.find(ref);
  return ref.endpoint != self && forwardable(source) && !undecodable(source, receiver);
}

PictureName Conference::name_of(const SourceRef& ref) const {
  return {directory_.find(ref.endpoint)->id, directory_.find(ref)->content};
}

// Nothing for somebody who is in no conference, or in another one.
std::optional<SourceRef> Conference::find(const PictureName& picture) const {
  const Handle<Endpoint> whose = directory_.with_id(picture.endpoint);
  const Endpoint* sender = directory_.find(whose);
  if (!sender || &directory_.conference_of(*sender) != this) return std::nullopt;
  for (uint16_t i = 0; i < sender->sources.size(); ++i) {
    const Source& source = sender->sources[i];
    if (source.kind == MediaKind::Video && source.content == picture.content) return SourceRef{whose, i};
  }
  return std::nullopt;
}

// True when they are in another order than before.
bool Conference::order_pictures(Endpoint& receiver, std::span<const SourceRef> wanted) {
  std::vector<uint16_t> order;
  for (const SourceRef& ref : wanted) {
    const auto slot = std::ranges::find(receiver.slots, std::optional(ref), &Subscription::carries);
    if (slot != receiver.slots.end())
      order.push_back(static_cast<uint16_t>(slot - receiver.slots.begin()));
  }
  const bool changed = order != receiver.picture_order;
  receiver.picture_order = std::move(order);
  return changed;
}

void Conference::carry(SlotRef ref, std::optional<SourceRef> next) {
  Subscription& slot = *directory_.find(ref);
  if (slot.carries) {
    if (Source* before = directory_.find(*slot.carries)) std::erase(before->receivers, ref);
  }
  slot.carry(next);
  slot.share = {};
  slot.selector.aim(std::nullopt);  // until its receiver's pictures are shared out anew
  if (next) directory_.find(*next)->receivers.push_back(ref);
}

void Conference::report_slots(const Endpoint& receiver) const {
  SlotsChanged report{receiver.id, {}, receiver.undecodable};
  for (const Subscription& slot : receiver.slots) {
    SlotAssignment a{.mid = slot.mid, .kind = slot.kind};
    if (slot.carries) {
      const Source& source = *directory_.find(*slot.carries);
      a.carries = directory_.find(slot.carries->endpoint)->id;
      a.source_mid = source.mid;
      a.content = source.content;
      a.paused = slot.share.paused;
    }
    report.slots.push_back(std::move(a));
  }
  directory_.reports.push_back(std::move(report));
}

}  // namespace viaduct::conference
