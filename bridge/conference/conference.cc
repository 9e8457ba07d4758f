#include "conference/conference.h"

#include <algorithm>
#include <utility>

#include "conference/codec_policy.h"
#include "conference/directory.h"
#include "conference/endpoint.h"
#include "limits.h"

namespace viaduct::conference {

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
  for (Source& source : leaving.sources) source.sending = false;  // whoever wishes to see it
  tell(speaker_.forget(leaving.id));
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
  if (!led && leads()) tell({.speaker = true, .order = true});
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
      want_awaited(slot, *directory_.find(*slot.carries));
    }
    directory_.find(m)->pictures_changed = true;
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
    const DominantSpeaker::Changes changes = speaker_.decide(voices_, now);
    tell(changes);
    if (changes.speaker) note_speaker_in_video_order();
  }
  if (reallocation_due_) allocate_slots();
  if (sound_due_) allocate_sound();
  for (const Handle<Endpoint> m : members_) {
    Endpoint& member = *directory_.find(m);
    if (member.slots_due) allocate_slots_of(m, member);
  }
  run_layers(now);
  if (!codecs_told_) tell_codecs();
}

void Conference::tell(const DominantSpeaker::Changes& changes) {
  if (!leads()) return;
  if (changes.speaker) directory_.reports.push_back(SpeakerChanged{id, speaker_.current()});
  if (!changes.order) return;
  RecentSpeakersChanged report{id, {}};
  for (const DominantSpeaker::Recent& r : speaker_.recent()) {
    if (report.speakers.size() < limits::RecentSpeakersTold) report.speakers.push_back(r.endpoint);
  }
  directory_.reports.push_back(std::move(report));
}

// At the next timer, and no matter how often a client says something new before.
void Conference::set_wishes(Endpoint& receiver, ReceiverWishes wishes) {
  receiver.wishes = std::move(wishes);
  receiver.wishes.sort();
  receiver.slots_due = receiver.pictures_changed = true;
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

}  // namespace viaduct::conference
