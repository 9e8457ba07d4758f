#include "conference/conference.h"

#include <algorithm>
#include <utility>

#include "conference/allocator.h"
#include "conference/codec_policy.h"
#include "conference/directory.h"
#include "conference/endpoint.h"
#include "limits.h"

namespace viaduct::conference {
namespace {

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

void Conference::add(Handle<Endpoint> member) {
  members_.push_back(member);
  const Endpoint& e = *directory_.find(member);
  mixed_listeners_ += e.mixed;
  for (uint16_t i = 0; i < e.sources.size(); ++i) {
    (e.sources[i].kind == codec::MediaKind::Audio ? audio_order_ : video_order_)
        .push_back({member, i});
  }
  note_workers();
  settle_codecs();
  if (!e.is_relayed()) report_slots(e);
  reallocation_due_ = true;
}

void Conference::remove(Handle<Endpoint> member) {
  const auto is_members = [&](const SourceRef& s) { return s.endpoint == member; };
  std::erase(members_, member);
  std::erase_if(audio_order_, is_members);
  std::erase_if(video_order_, is_members);

  Endpoint& leaving = *directory_.find(member);
  mixed_listeners_ -= leaving.mixed;
  for (uint16_t i = 0; i < leaving.slots.size(); ++i) carry({member, i}, std::nullopt);
  if (speaker_.forget(leaving.id).speaker && leads())
    directory_.reports.push_back(SpeakerChanged{id, std::nullopt});
  note_workers();
  settle_codecs();
  allocate_slots();
}

bool Conference::leads() const {
  const uint64_t before_this = (uint64_t{1} << directory_.this_worker) - 1;
  return (other_workers_ & before_this) == 0;
}

// Who begins to lead may have seen things that the worker before it has not told.
void Conference::note_workers() {
  const bool led = leads();
  other_workers_ = 0;
  for (const Handle<Endpoint> m : members_) {
    const Endpoint& e = *directory_.find(m);
    if (e.is_relayed()) other_workers_ |= uint64_t{1} << *e.relayed_from;
  }
  if (!led && leads()) directory_.reports.push_back(SpeakerChanged{id, speaker_.current()});
}

void Conference::set_e2ee_policy(const E2eePolicy& policy) {
  if (e2ee_policy_ == policy) return;
  const bool was_sealed = std::exchange(e2ee_policy_, policy).sealed();
  if (policy.sealed() != was_sealed) restart_video();
  allocate_slots();
}

void Conference::declare_e2ee(Endpoint& member, bool declared) {
  if (member.declares_e2ee == declared) return;
  member.declares_e2ee = declared;
  for (Source& source : member.sources) {
    if (!source.forget_bodies() || member.is_relayed()) continue;
    directory_.reports.push_back(
        BodiesObserved{member.id, source.mid, source.kind, source.observed()});
  }
  allocate_slots();
}

// Whether codec data is read changes what a slot's numbers follow from, and frames may be encrypted
// or not from now on: each picture stream begins anew, with a key frame where it can be told. Sound
// goes on as it is: nothing of it hangs on codec data.
void Conference::restart_video() {
  for (const Handle<Endpoint> m : members_) {
    for (Subscription& slot : directory_.find(m)->slots) {
      if (slot.kind != codec::MediaKind::Video || !slot.carries) continue;
      slot.carry(slot.carries);
      directory_.find(*slot.carries)->want_key_frames();
    }
  }
}

void Conference::run_timers(Timestamp now) {
  if (now >= next_ranking_) rank_audio(now);
  if (speaker_.due(now)) {
    voices_.clear();
    for (const SourceRef& ref : audio_order_) {
      const Source& s = *directory_.find(ref);
      const SpeechActivity& speech = s.loudness.speech();
      if (!s.muted && s.held_back == HeldBack::No && speech.last_level() != Timestamp())
        voices_.push_back({directory_.find(ref.endpoint)->id, speech.counts(now), speech.last_level()});
    }
    if (speaker_.decide(voices_, now).speaker) {
      if (leads()) directory_.reports.push_back(SpeakerChanged{id, speaker_.current()});
      note_speaker_in_video_order();
    }
  }
  if (reallocation_due_) allocate_slots();
  if (!codecs_told_) tell_codecs();
}

// Of a conference on several workers members come here by the dozen, which is told once.
void Conference::settle_codecs() {
  std::vector<const PayloadMap*> maps;
  for (const Handle<Endpoint> m : members_) maps.push_back(&directory_.find(m)->payloads);
  video_codecs_ = settle_video_codecs(video_preference_, maps);
  codecs_told_ = false;
  if (other_workers_ == 0) tell_codecs();
}

void Conference::tell_codecs() {
  codecs_told_ = true;
  if (leads()) directory_.reports.push_back(CodecsChanged{id, video_codecs_});
}

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
    reallocation_due_ = reallocation_due_ || louder != here;
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

void Conference::judge_sources() {
  for (const Handle<Endpoint> m : members_) {
    Endpoint& sender = *directory_.find(m);
    for (Source& source : sender.sources) {
      if (!source.sending) continue;
      const HeldBack reason = judge(sender, source);
      if (reason == std::exchange(source.held_back, reason) || sender.is_relayed()) continue;
      directory_.reports.push_back(SourceHeldBack{sender.id, source.mid, source.kind, reason});
    }
  }
}

// The one decision that hangs on what bodies look like, and only where encryption is required.
HeldBack Conference::judge(const Endpoint& sender, const Source& source) const {
  if (!e2ee_policy_.required) return HeldBack::No;
  if (!sender.declares_e2ee) return HeldBack::Undeclared;
  return source.observed() == ObservedBodies::Plain ? HeldBack::Contradicted : HeldBack::No;
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
  reallocation_due_ = false;
  judge_sources();
  choose_mixed();
  for (const Handle<Endpoint> m : members_) {
    Endpoint& receiver = *directory_.find(m);
    if (!receiver.is_relayed()) allocate_slots_of(m, receiver);
  }
}

void Conference::allocate_slots_of(Handle<Endpoint> receiver, Endpoint& endpoint) {
  bool changed = false;
  for (const auto kind : {codec::MediaKind::Audio, codec::MediaKind::Video}) {
    for (const SlotChange& change :
         allocate(endpoint.slots, kind, wanted_by(endpoint, receiver, kind))) {
      carry({receiver, change.slot}, change.carries);
      changed = true;
    }
  }
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

std::vector<SourceRef> Conference::wanted_by(const Endpoint& receiver, Handle<Endpoint> self,
                                             codec::MediaKind kind) const {
  std::vector<SourceRef> wanted;
  if (receiver.mixed && kind == codec::MediaKind::Audio) return wanted;
  for (const SourceRef& ref : kind == codec::MediaKind::Audio ? audio_order_ : video_order_) {
    const Source& source = *directory_.find(ref);
    if (ref.endpoint != self && forwardable(source) && !undecodable(source, receiver))
      wanted.push_back(ref);
  }
  return wanted;
}

void Conference::carry(SlotRef ref, std::optional<SourceRef> next) {
  Subscription& slot = *directory_.find(ref);
  if (slot.carries) {
    if (Source* before = directory_.find(*slot.carries)) std::erase(before->receivers, ref);
  }
  slot.carry(next);
  if (!next) return;
  Source& source = *directory_.find(*next);
  source.receivers.push_back(ref);
  if (source.kind == codec::MediaKind::Video) source.want_key_frames();
}

void Conference::report_slots(const Endpoint& receiver) const {
  SlotsChanged report{receiver.id, {}, receiver.undecodable};
  for (const Subscription& slot : receiver.slots) {
    SlotAssignment a{slot.mid, slot.kind, std::nullopt, {}};
    if (slot.carries) {
      a.carries = directory_.find(slot.carries->endpoint)->id;
      a.source_mid = directory_.find(*slot.carries)->mid;
    }
    report.slots.push_back(std::move(a));
  }
  directory_.reports.push_back(std::move(report));
}

}  // namespace viaduct::conference
