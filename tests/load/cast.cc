#include "tests/load/cast.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/random.h"

namespace viaduct::load {
namespace {

uint64_t seed_of(uint64_t run, uint64_t participant) {
  return SeededRandom(run * 0x9e3779b97f4a7c15 + participant).next();
}

struct Member {
  uint32_t participant = 0;
  std::string conference;  // as the scenario names it
  const Group* group = nullptr;
};

class Casting {
 public:
  explicit Casting(const Scenario& scenario) : scenario_(scenario) {}

  Cast make() {
    for (const ConferencePlan& conference : scenario_.conferences)
      for (size_t i = 1; i <= conference.count; ++i) add_conference(conference, i);
    for (const Action& action : scenario_.timeline) add_action(action);
    for (const Member& member : members_)
      if (member.group->churn) add_churn(member);
    std::ranges::stable_sort(cast_.cues, {}, &Cue::at);
    say_what_is_left_out();
    return std::move(cast_);
  }

 private:
  void add_conference(const ConferencePlan& conference, size_t number) {
    const std::string name =
        conference.count == 1 ? conference.name : conference.name + "-" + std::to_string(number);
    for (const Group& group : conference.groups) {
      for (size_t i = 0; i < group.participants; ++i) {
        const auto who = static_cast<uint32_t>(cast_.participants.size());
        cast_.participants.push_back({.conference = name,
                                      .name = group.name + " " + std::to_string(i + 1),
                                      .bodies = conference.bodies,
                                      .present = group.present,
                                      .sends_audio = i < group.audio_senders,
                                      .sends_video = i < group.video_senders,
                                      .group = &group,
                                      .seed = seed_of(scenario_.seed, who)});
        members_.push_back({who, conference.name, &group});
      }
    }
  }

  // The first `count` of each group of each conference that it names.
  void add_action(const Action& action) {
    const Group* group = nullptr;
    std::string conference;
    size_t taken = 0, found = 0;
    for (const Member& member : members_) {
      const ParticipantPlan& plan = cast_.participants[member.participant];
      if (!action.conference.empty() && action.conference != member.conference) continue;
      if (!action.group.empty() && action.group != member.group->name) continue;
      if (member.group != group || plan.conference != conference) taken = 0;
      group = member.group;
      conference = plan.conference;
      if (action.count > 0 && taken == action.count) continue;
      Duration at = action.at;
      if (action.kind == Action::Kind::Drain || action.kind == Action::Kind::Join)
        at += Duration(static_cast<int64_t>(1e9 * static_cast<double>(found) /
                                            scenario_.joins_per_second));  // one after another
      ++taken;
      ++found;
      cast_.cues.push_back({at, member.participant, action.kind, &action});
    }
    if (found == 0)
      cast_.not_exercised.push_back("An action of line " + std::to_string(action.line) +
                                    " names nobody.");
  }

  void add_churn(const Member& member) {
    SeededRandom random(cast_.participants[member.participant].seed ^ 0xc0ffee);
    Duration at{};
    for (bool present = member.group->present; at < scenario_.duration; present = !present) {
      const Duration mean = present ? member.group->churn->stay : member.group->churn->away;
      const double draw = static_cast<double>(random.next() >> 11) * 0x1.0p-53;
      // Between half the mean and thrice: people neither come for no time nor stay for ever.
      const double factor = std::clamp(-std::log1p(-draw), 0.5, 3.0);
      at += Duration(static_cast<int64_t>(factor * static_cast<double>(mean.count())));
      if (at < scenario_.duration)
        cast_.cues.push_back(
            {at, member.participant, present ? Action::Kind::Leave : Action::Kind::Join, nullptr});
    }
  }

  void say_what_is_left_out() {
    std::set<std::string> said;
    const auto say = [&](const std::string& sentence) {
      if (said.insert(sentence).second) cast_.not_exercised.push_back(sentence);
    };
    for (const Member& member : members_) {
      if (member.group->video_senders > 0 && member.group->video.layers.size() > 1)
        say("Simulcast: the bridge takes one layer of a camera, so only the largest is sent.");
    }
    for (const Action& action : scenario_.timeline) {
      if (action.kind == Action::Kind::Layout)
        say("Layout switches: the bridge's signalling has no message for them.");
    }
  }

  const Scenario& scenario_;
  Cast cast_;
  std::vector<Member> members_;
};

}  // namespace

Cast make_cast(const Scenario& scenario) { return Casting(scenario).make(); }

}  // namespace viaduct::load
