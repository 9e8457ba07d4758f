// Who can read what in a conference: what its people declare and claim, held together with what
// its worker sees. Pure.
//
// It must never make a conference look more private than is known: a stream counts as readable by
// the bridge unless its sender declares it encrypted end to end and its bodies do not contradict
// that, or it does not come by the bridge at all.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/room_view.h"

namespace viaduct::control {

enum class MediaPath : uint8_t { None, Bridge, Direct };
constexpr const char* to_string(MediaPath p) {
  constexpr const char* Names[] = {"none", "bridge", "direct"};
  return Names[static_cast<size_t>(p)];
}

// Refers to the view and the snapshots that it was made from.
struct PrivacyReport {
  // What somebody sends.
  struct Stream {
    const conference::SourceSnapshot* source = nullptr;
    E2eeVerdict verdict{};
    bool active = false;     // packets of it have arrived here in the last second
    bool forwarded = false;  // and the bridge passes them on
    bool bridge_reads = true;
  };
  // What somebody receives of somebody else.
  struct Reception {
    codec::MediaKind kind{};
    std::optional<std::string> mid;  // of the receive slot; empty on a direct connection
    std::string from;
    MediaPath path{};
    bool bridge_reads = true;
    bool mixed = false;  // the bridge decodes it and mixes it with others
  };
  // What somebody claims of the connection to the only other participant.
  struct DirectClaim {
    const DirectProtection* protection = nullptr;
    bool by_both = false;
    std::optional<bool> fingerprints_agree;  // empty while not both tell theirs
    bool media_at_bridge = false;            // and yet media of it arrives here
  };
  struct Participant {
    const RoomView::Person* person = nullptr;
    const conference::EndpointSnapshot* endpoint = nullptr;  // null before the worker knows it
    MediaPath path = MediaPath::None;                        // of what it sends
    std::optional<DirectClaim> direct;
    std::vector<Stream> sends;
    std::vector<Reception> receives;
  };

  const RoomView* room = nullptr;
  std::vector<Participant> participants;
  bool bridge_can_decrypt = false;
  std::string summary;  // one sentence, or two
};

// `room` and `snapshots` outlive the report.
PrivacyReport examine_privacy(const RoomView& room,
                              const std::vector<conference::WorkerSnapshot>& snapshots);

// The body of GET /v1/conferences/{id}/privacy.
std::string write_privacy(const PrivacyReport& report);

// The signalling message `privacy`. Where it would be longer than limits::PrivacyReportBytes it
// leaves out what each participant receives.
std::string write_privacy_message(const PrivacyReport& report);

}  // namespace viaduct::control
