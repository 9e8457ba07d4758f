// Who speaks: the loudest source that stays loud, decided every 300 ms.
#pragma once

#include <optional>
#include <span>

#include "base/time.h"
#include "conference/snapshot.h"

namespace viaduct::conference {

class Speaker {
 public:
  static constexpr Duration DecisionInterval = 300ms;
  // 127 - level (RFC 6464): speech into a microphone lies at 70 to 110, a quiet room under 50.
  static constexpr float Audible = 60;
  // A challenger must be this much louder than who speaks already, so that two who talk at once do
  // not alternate.
  static constexpr float Margin = 10;
  // A speaker pauses between words; nobody else being loud, it stays the speaker this long.
  static constexpr Duration Pause = 1500ms;

  struct Voice {
    EndpointId endpoint{};
    float mean = 0;  // Loudness::mean
  };

  // True when the speaker has changed. Call as often as one likes; it decides once per interval.
  bool decide(std::span<const Voice> voices, Timestamp now);
  bool due(Timestamp now) const { return now >= next_; }
  std::optional<EndpointId> current() const { return current_; }
  // The endpoint has left.
  bool forget(EndpointId endpoint);

 private:
  std::optional<EndpointId> current_;
  Timestamp last_heard_{};
  Timestamp next_{};
};

}  // namespace viaduct::conference
