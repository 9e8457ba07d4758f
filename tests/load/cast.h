// The participants of a scenario, one by one, and everything that happens to each of them, in order
// of time. Pure: the same scenario gives the same cast.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/load/scenario.h"

namespace viaduct::load {

struct ParticipantPlan {
  std::string conference;
  std::string name;
  BodyShape bodies{};
  bool present = true;  // joins at the start
  bool sends_audio = false;
  bool sends_video = false;
  const Group* group = nullptr;  // of the scenario, which outlives the plan
  uint64_t seed = 0;
};

struct Cue {
  Duration at{};
  uint32_t participant = 0;
  Action::Kind kind{};
  const Action* action = nullptr;  // null for the comings and goings of a churning group
};

struct Cast {
  std::vector<ParticipantPlan> participants;
  std::vector<Cue> cues;  // by time
  std::vector<std::string>
      not_exercised;  // one sentence for each part of the scenario that is left out
};

// `scenario` outlives the cast. One action on nobody is no error: it is told in not_exercised.
Cast make_cast(const Scenario& scenario);

}  // namespace viaduct::load
