#include "tests/sim/congestion/scenarios.h"

#include <algorithm>

#include "base/check.h"

namespace viaduct::testing {
namespace {

using congestion::Reporting;

constexpr Timestamp at(Duration since_start) { return Timestamp(since_start); }
constexpr DataRate kbps(int64_t v) { return DataRate::kbps(v); }

std::string in_words(DataRate rate) {
  const int64_t k = rate.bits_per_second / 1000;
  if (k < 1000) return std::to_string(k) + " kbit/s";
  return std::to_string(k / 1000) + (k % 1000 ? "." + std::to_string(k % 1000 / 100) : "") + " Mbit/s";
}

// A link that changes its rate every 20 s; each of them is a phase.
Scenario steps(const std::string& name, const std::vector<int64_t>& rates, const FlowSettings& flow) {
  constexpr Duration Each = 20s;
  Scenario s{.name = name, .flows = {flow}};
  for (size_t i = 0; i < rates.size(); ++i) {
    const Timestamp begins = at(Each * static_cast<int>(i));
    s.link.rates.push_back({begins, kbps(rates[i])});
    const char* direction = i == 0 ? "start at " : rates[i] > rates[i - 1] ? "up to " : "down to ";
    s.phases.push_back({.name = direction + in_words(kbps(rates[i])),
                        .begins = begins,
                        .ends = begins + Each,
                        .available = kbps(rates[i])});
  }
  return s;
}

// A link of one rate for a minute.
Scenario steady(const std::string& name, DataRate rate) {
  return {.name = name,
          .link = {.rates = {{Timestamp{}, rate}}},
          .phases = {{.name = "after 5 s", .begins = at(0s), .ends = at(60s), .available = rate}}};
}

const std::vector<int64_t> UpAndDown = {1000, 200, 500, 1000, 2500, 5000, 2500, 1000, 200, 5000, 200};

std::vector<Scenario> step_scenarios() {
  return {steps("steps, transport-wide every 100 ms", UpAndDown, {}),
          steps("steps, transport-wide every 50 ms", UpAndDown, {.feedback_interval = 50ms}),
          steps("steps, RFC 8888 every 100 ms", UpAndDown, {.reporting = Reporting::PerStream})};
}

Scenario ramp() {
  Scenario s = steady("ramp", kbps(500));
  s.link.rates.clear();
  for (int i = 0; i < 40; ++i) s.link.rates.push_back({at(i * 500ms), kbps(500 + i * 50)});
  for (int i = 0; i < 40; ++i) s.link.rates.push_back({at(30s + i * 500ms), kbps(2500 - i * 50)});
  // Available on average, after settling.
  s.phases = {{.name = "up to 2.5 Mbit/s in 20 s", .begins = at(0s), .ends = at(20s), .available = kbps(1725)},
              {.name = "at 2.5 Mbit/s", .begins = at(20s), .ends = at(30s), .available = kbps(2450)},
              {.name = "down to 500 kbit/s in 20 s", .begins = at(30s), .ends = at(50s), .available = kbps(1275)}};
  return s;
}

Scenario with_cross(const std::string& name, const CrossTraffic& cross, DataRate left) {
  Scenario s = steady(name, kbps(3000));
  s.cross = cross;
  s.phases = {{.name = "alone", .begins = at(0s), .ends = at(20s), .available = kbps(3000)},
              {.name = "with it", .begins = at(20s), .ends = at(50s), .available = left},
              {.name = "alone again", .begins = at(50s), .ends = at(70s), .available = kbps(3000)}};
  return s;
}

Scenario with_loss(const std::string& name, double loss) {
  Scenario s = steady(name, kbps(1500));
  s.link.loss = loss;
  return s;
}

// A bridge that can only send in layers, of which the largest does not need the whole link.
Scenario loss_that_ends() {
  Scenario s = steady("10 % of loss for 20 s, sent in layers", kbps(3000));
  s.link.loss = 0.1;
  s.link.loss_ends = at(20s);
  s.flows = {{.demand = {{at(0s), kbps(1700)}}, .layers = {kbps(150), kbps(500), kbps(1700)}}};
  s.phases = {{.name = "with loss", .begins = at(0s), .ends = at(20s), .available = kbps(1700)},
              {.name = "without", .begins = at(20s), .ends = at(60s), .available = kbps(1700), .settling = 10s}};
  return s;
}

// Sound of 48 kbit/s, and a picture in layers of which not even the second fits. All layers are with the sound.
Scenario narrow() {
  Scenario s = steady("100 kbit/s, sent in layers", kbps(100));
  s.flows = {{.demand = {{at(0s), kbps(1700)}}, .layers = {kbps(50), kbps(90), kbps(130), kbps(500), kbps(1700)}}};
  return s;
}

Scenario bufferbloat() {
  Scenario s = steps("bufferbloat, queue of 1 s", {2500, 800, 2500}, {});
  s.link.queue = 1s;
  return s;
}

Scenario two_flows(const std::string& name, Duration second_begins, Duration second_delay) {
  Scenario s = steady(name, kbps(4000));
  s.flows = {{}, {.feedback_delay = second_delay, .begins = at(second_begins)}};
  s.phases = {{.name = "both", .begins = at(second_begins), .ends = at(90s), .available = kbps(4000), .settling = 15s}};
  return s;
}

Scenario application_limited() {
  Scenario s = steady("little to send, then much", kbps(3000));
  s.flows = {{.demand = {{at(0s), kbps(300)}, {at(30s), kbps(2500)}}}};
  s.phases = {{.name = "300 kbit/s wanted", .begins = at(0s), .ends = at(30s), .available = kbps(300)},
              {.name = "2.5 Mbit/s wanted", .begins = at(30s), .ends = at(60s), .available = kbps(2500)}};
  return s;
}

Scenario named(Scenario s, const std::string& name) {
  s.name = name;
  return s;
}

}  // namespace

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all = step_scenarios();
  all.push_back(ramp());
  CrossTraffic cross{.rate = kbps(1500), .begins = at(20s), .ends = at(50s)};
  all.push_back(with_cross("constant cross traffic of 1.5 Mbit/s", cross, kbps(1500)));
  cross.on = 5s;
  cross.period = 10s;
  all.push_back(with_cross("cross traffic of 1.5 Mbit/s, 5 s on and 5 s off", cross, kbps(2250)));
  for (const auto& [name, jitter] : {std::pair("jitter of 20 ms", 20ms), std::pair("jitter of 50 ms", 50ms)}) {
    all.push_back(steady(name, kbps(2000)));
    all.back().link.jitter = jitter;
  }
  all.push_back(with_loss("random loss of 2 %", 0.02));
  all.push_back(with_loss("random loss of 5 %", 0.05));
  all.push_back(with_loss("random loss of 10 %", 0.10));
  all.push_back(loss_that_ends());
  all.push_back(steady("loss in bursts, 3 % in all", kbps(1500)));
  all.back().link.bursts = {.begins = 0.005, .ends = 0.1, .loss = 0.6};
  all.push_back(bufferbloat());
  all.push_back(two_flows("two flows", 10s, 25ms));
  all.push_back(two_flows("two flows of different round-trip times", 10s, 125ms));
  all.push_back(named(steady("", kbps(300)), "start at 300 kbit/s"));
  all.push_back(named(steady("", kbps(100)), "start at 100 kbit/s"));
  all.push_back(narrow());
  all.push_back(application_limited());
  all.push_back(steady("10 % of reports lost", kbps(2000)));
  all.back().flows[0].feedback_loss = 0.1;
  all.push_back(steady("30 % of reports lost", kbps(2000)));
  all.back().flows[0].feedback_loss = 0.3;
  return all;
}

Scenario scenario(const std::string& name) {
  const std::vector<Scenario> all = all_scenarios();
  const auto found = std::ranges::find(all, name, &Scenario::name);
  CHECK(found != all.end());
  return *found;
}

}  // namespace viaduct::testing
