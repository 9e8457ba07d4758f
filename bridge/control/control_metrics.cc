#include "control/control_metrics.h"

namespace viaduct::control {

void ControlMetrics::visit(MetricVisitor& v) const {
  joins.visit(v, "viaduct_joins_total",
              "Join messages by outcome: joined, or the code of the error.", "outcome");
  constexpr std::string_view PhaseHelp =
      "Time to join by phase: signalling (join to the worker's command), ice, dtls, and total "
      "(join to media keys).";
  v.histogram("viaduct_join_seconds", PhaseHelp, {{"phase", "signalling"}}, signalling_seconds);
  v.histogram("viaduct_join_seconds", PhaseHelp, {{"phase", "ice"}}, ice_seconds);
  v.histogram("viaduct_join_seconds", PhaseHelp, {{"phase", "dtls"}}, dtls_seconds);
  v.histogram("viaduct_join_seconds", PhaseHelp, {{"phase", "total"}}, total_seconds);
  lost_participants.visit(v, "viaduct_lost_participants_total",
                          "Participants who left without asking for it, by reason.", "reason");
  resumes.visit(v, "viaduct_resumes_total",
                "Further sockets of participants whose socket was cut, by outcome: resumed, or the "
                "code of the error.",
                "outcome");
  refused_messages.visit(v, "viaduct_refused_messages_total",
                         "Signalling messages refused, by reason.", "reason");
  refused_connections.visit(
      v, "viaduct_refused_connections_total",
      "Connections to the page refused: too many in total, from one address, or too fast.",
      "reason");
  v.gauge("viaduct_signalling_sockets", "WebSockets open now.", {},
          static_cast<double>(sockets.value()));
  v.gauge("viaduct_conferences", "Conferences with at least one participant.", {},
          static_cast<double>(conferences.value()));
  v.gauge("viaduct_participants", "Participants in all conferences.", {},
          static_cast<double>(participants.value()));
  v.gauge("viaduct_participants_away",
          "Participants whose socket was cut and who may still come back on another one.", {},
          static_cast<double>(participants_away.value()));
  static constexpr const char* Policies[] = {"off", "wanted", "required"};
  for (size_t i = 0; i < conferences_by_policy_.size(); ++i) {
    v.gauge("viaduct_conferences_by_e2ee",
            "Conferences by what they have decided about end-to-end encryption.",
            {{"policy", Policies[i]}}, static_cast<double>(conferences_by_policy_[i].value()));
  }
  for (const bool declared : {false, true}) {
    v.gauge("viaduct_participants_by_e2ee",
            "Participants by whether they declare their streams encrypted end to end.",
            {{"declared", declared ? "yes" : "no"}},
            static_cast<double>(participants_by_declared_[declared ? 1 : 0].value()));
  }
  v.gauge("viaduct_direct_conferences",
          "Conferences in which two participants say that media flows directly between them.", {},
          static_cast<double>(direct_conferences.value()));
  for (const auto& [to, relayed] :
       {std::pair{"all", &relayed_to_all}, std::pair{"some", &relayed_to_some}}) {
    v.counter("viaduct_relayed_messages_total",
              "Messages of participants for all others, or for some.", {{"to", to}},
              static_cast<double>(relayed->messages.value()));
    v.counter("viaduct_relayed_bytes_total",
              "What was sent on for these messages, once for each receiver.", {{"to", to}},
              static_cast<double>(relayed->bytes.value()));
  }

  static constexpr const char* Classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  for (const Listener listener : {Listener::Page, Listener::Admin}) {
    v.gauge("viaduct_http_connections", "Connections open now, WebSockets among them.",
            {{"listener", to_string(listener)}},
            static_cast<double>(connections_[static_cast<size_t>(listener)].value()));
    for (size_t i = 0; i < 5; ++i) {
      v.counter("viaduct_http_responses_total", "HTTP responses by listener and class of status.",
                {{"listener", to_string(listener)}, {"status", Classes[i]}},
                static_cast<double>(responses_[static_cast<size_t>(listener)][i].value()));
    }
  }
}

}  // namespace viaduct::control
