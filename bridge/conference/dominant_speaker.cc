#include "conference/dominant_speaker.h"

#include <algorithm>

namespace viaduct::conference {
namespace {

// What the logarithm of a challenger's score over the speaker's must exceed.
constexpr double ImmediateLead = 3, MediumLead = 2, LongLead = 0;

}  // namespace

DominantSpeaker::Changes DominantSpeaker::decide(std::span<const Voice> voices, Timestamp now) {
  const Duration since_start = now.time_since_epoch();
  next_ = Timestamp(since_start - since_start % DecisionInterval + DecisionInterval);
  const bool forgotten = forget_idle(voices, now);
  const std::optional<EndpointId> next = pick(voices);
  if (!next || next == current_) return {.order = forgotten};
  current_ = next;
  move_to_front(*next, now);
  return {.speaker = true, .order = true};
}

// Where nobody is the speaker yet, or the speaker says nothing any more, challengers are compared with silence. A voice
// alone has nobody to be compared with: that it is active is enough.
std::optional<EndpointId> DominantSpeaker::pick(std::span<const Voice> voices) const {
  SpeechScores mine = scores_of({});
  bool alone = !voices.empty();
  for (const Voice& v : voices) {
    alone = alone && v.endpoint == voices.front().endpoint;
    if (v.endpoint != current_) continue;
    const SpeechScores scores = scores_of(v.counts);
    mine = {std::max(mine.immediate, scores.immediate), std::max(mine.medium, scores.medium),
            std::max(mine.long_term, scores.long_term)};
  }
  std::optional<EndpointId> best;
  double best_lead = MediumLead;
  for (const Voice& v : voices) {
    if (v.endpoint == current_) continue;
    if (alone && v.counts.medium > 0) return v.endpoint;
    const SpeechScores scores = scores_of(v.counts);
    const double lead = scores.medium - mine.medium;
    if (scores.immediate - mine.immediate <= ImmediateLead || lead <= MediumLead ||
        scores.long_term - mine.long_term <= LongLead)
      continue;
    if (lead < best_lead || (best && lead == best_lead && *best < v.endpoint)) continue;
    best = v.endpoint;
    best_lead = lead;
  }
  return best;
}

// Who is the speaker stays so until somebody else speaks.
bool DominantSpeaker::forget_idle(std::span<const Voice> voices, Timestamp now) {
  for (Recent& r : recent_) {
    for (const Voice& v : voices) {
      if (v.endpoint == r.endpoint) r.last_level = std::max(r.last_level, v.last_level);
    }
  }
  return std::erase_if(recent_, [&](const Recent& r) {
           return r.endpoint != current_ && now - r.last_level > SpeechActivity::Forgotten;
         }) > 0;
}

void DominantSpeaker::move_to_front(EndpointId endpoint, Timestamp now) {
  std::erase_if(recent_, [&](const Recent& r) { return r.endpoint == endpoint; });
  recent_.insert(recent_.begin(), {endpoint, now});
}

DominantSpeaker::Changes DominantSpeaker::forget(EndpointId endpoint) {
  const bool spoke = std::erase_if(recent_, [&](const Recent& r) { return r.endpoint == endpoint; }) > 0;
  const bool speaks = current_ == endpoint;
  if (speaks) current_.reset();
  return {.speaker = speaks, .order = spoke};
}

}  // namespace viaduct::conference
