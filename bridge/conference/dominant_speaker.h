// Who speaks, decided every 300 ms by how strongly everybody does on three time scales (conference/speech_activity.h).
//
// A challenger takes over when it speaks more strongly on all three: now, over a tenth of a second and over a second. A
// cough does not, nor somebody who talks at the same time; in silence the speaker stays who it is. Decisions fall on
// whole multiples of the interval, so that workers that share a conference decide at the same moments.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "conference/snapshot.h"
#include "conference/speech_activity.h"

namespace viaduct::conference {

class DominantSpeaker {
 public:
  static constexpr Duration DecisionInterval = 300ms;

  // One source of sound; an endpoint may have several.
  struct Voice {
    EndpointId endpoint{};
    SpeechCounts counts;
    Timestamp last_level;
  };
  struct Changes {
    bool speaker = false;
    bool order = false;  // of recent speakers
  };
  // Who has spoken, and when last anything was heard of it.
  struct Recent {
    EndpointId endpoint{};
    Timestamp last_level;
  };

  // Decides among all voices that may speak. Call when due().
  Changes decide(std::span<const Voice> voices, Timestamp now);
  bool due(Timestamp now) const { return now >= next_; }
  std::optional<EndpointId> current() const { return current_; }
  // Everybody who has been the speaker, the most recent first.
  const std::vector<Recent>& recent() const { return recent_; }
  // The endpoint has left.
  Changes forget(EndpointId endpoint);

 private:
  std::optional<EndpointId> pick(std::span<const Voice> voices) const;
  bool forget_idle(std::span<const Voice> voices, Timestamp now);
  void move_to_front(EndpointId endpoint, Timestamp now);

  std::optional<EndpointId> current_;
  std::vector<Recent> recent_;
  Timestamp next_{};
};

}  // namespace viaduct::conference
