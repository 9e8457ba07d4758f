// What the control thread counts, and the names under which /metrics shows it.
#pragma once

#include <array>
#include <string_view>

#include "base/counters.h"
#include "conference/messages.h"

namespace viaduct::control {

enum class Listener : uint8_t { Page, Admin };
constexpr const char* to_string(Listener l) { return l == Listener::Page ? "page" : "admin"; }

// One counter for each value of a label, from a list fixed at compile time. Anything else counts as
// "other".
template <size_t N>
class CounterTable {
 public:
  explicit constexpr CounterTable(const std::array<std::string_view, N>& values)
      : values_(values) {}
  Counter& operator[](std::string_view value) {
    size_t i = 0;
    while (i < N && values_[i] != value) ++i;
    return counters_[i];
  }
  void visit(MetricVisitor& visitor, std::string_view name, std::string_view help,
             std::string_view label) const {
    for (size_t i = 0; i <= N; ++i) {
      visitor.counter(name, help, {{label, i < N ? values_[i] : "other"}},
                      static_cast<double>(counters_[i].value()));
    }
  }

 private:
  std::array<std::string_view, N> values_;
  std::array<Counter, N + 1> counters_;
};

class ControlMetrics final : public MetricSource {
 public:
  void visit(MetricVisitor& visitor) const override;

  void count_response(Listener listener, unsigned status) {
    const size_t of_hundreds = status / 100;
    responses_[static_cast<size_t>(listener)]
              [of_hundreds >= 1 && of_hundreds <= 5 ? of_hundreds - 1 : 4]
                  .add();
  }

  // "joined", or the code of the final error.
  CounterTable<9> joins{{"joined", "bad-field", "token-required", "token-invalid",
                         "conference-full", "bridge-full", "busy", "mix-unavailable",
                         "mix-needs-plaintext"}};
  // The code of the error, or what the socket was closed for.
  CounterTable<12> refused_messages{{"bad-message", "unknown-type", "bad-field", "not-joined",
                                     "already-joined", "already-offered", "offer-refused", "busy",
                                     "e2ee-required", "restart-refused", "binary", "rate"}};
  CounterTable<2> resumes{{"resumed", "resume-failed"}};
  // Why a participant's media ended without its asking for it.
  CounterTable<8> lost_participants{{"connection-lost", "connection-failed", "connection-closed",
                                     "bridge-full", "join-timeout", "slow-reader",
                                     "mix-needs-plaintext", "not-resumed"}};
  CounterTable<3> refused_connections{{"total", "address", "rate"}};

  static constexpr std::array<double, 11> PhaseBounds = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                         1,    2.5,   5,    10,  30};
  Histogram<11> signalling_seconds{PhaseBounds};
  Histogram<11> ice_seconds{PhaseBounds};
  Histogram<11> dtls_seconds{PhaseBounds};
  Histogram<11> total_seconds{PhaseBounds};

  // Connections that count towards the limits of a listener.
  Gauge& connections(Listener listener) { return connections_[static_cast<size_t>(listener)]; }
  Gauge sockets, conferences, participants, participants_away, direct_conferences;
  Gauge& conferences_with(const conference::E2eePolicy& policy) {
    return conferences_by_policy_[policy.required ? 2 : policy.wanted ? 1 : 0];
  }
  Gauge& participants_declaring(bool e2ee) { return participants_by_declared_[e2ee ? 1 : 0]; }

  // What participants say to each other: messages that came, and bytes that went out for them.
  struct Relayed {
    Counter messages, bytes;
  };
  Relayed relayed_to_all, relayed_to_some;

 private:
  std::array<Gauge, 3> conferences_by_policy_;  // off, wanted, required
  std::array<Gauge, 2> participants_by_declared_;
  std::array<Gauge, 2> connections_;                 // [listener]
  std::array<std::array<Counter, 5>, 2> responses_;  // [listener][1xx to 5xx]
};

}  // namespace viaduct::control
