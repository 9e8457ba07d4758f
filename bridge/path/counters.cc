#include "path/counters.h"

namespace viaduct::path {
namespace {

void visit_flow(MetricVisitor& v, const Flow& f, std::string_view worker,
                std::string_view direction, std::string_view kind) {
  const MetricLabels labels = {{"worker", worker}, {"direction", direction}, {"kind", kind}};
  v.counter("viaduct_packets_total", "Packets by kind and direction", labels,
            static_cast<double>(f.packets.value()));
  v.counter("viaduct_bytes_total", "UDP payload bytes by kind and direction", labels,
            static_cast<double>(f.bytes.value()));
}

void visit_streams(MetricVisitor& v, const PathCounters& c) {
  for (size_t d = 0; d < c.streams.size(); ++d) {
    for (size_t o = 0; o < c.streams[d].size(); ++o) {
      v.gauge("viaduct_streams",
              "Streams that arrive: declared encrypted end to end or not, and what their bodies "
              "look like",
              {{"worker", c.worker},
               {"declared", d == 0 ? "no" : "yes"},
               {"observed", conference::to_string(static_cast<conference::ObservedBodies>(o))}},
              static_cast<double>(c.streams[d][o].value()));
    }
  }
  for (const auto reason : {conference::HeldBack::Undeclared, conference::HeldBack::Contradicted}) {
    v.gauge("viaduct_held_back_streams",
            "Streams not forwarded because their conference requires end-to-end encryption",
            {{"worker", c.worker}, {"reason", conference::to_string(reason)}},
            static_cast<double>(c.held_back[static_cast<size_t>(reason)].value()));
  }
}

}  // namespace

void PathCounters::set(const StreamCounts& counts) {
  for (size_t d = 0; d < streams.size(); ++d) {
    for (size_t o = 0; o < streams[d].size(); ++o) streams[d][o].set(counts.streams[d][o]);
  }
  for (size_t h = 0; h < held_back.size(); ++h) held_back[h].set(counts.held_back[h]);
}

void PathCounters::visit(MetricVisitor& v) const {
  const auto count = [&](const char* name, const char* help, const Counter& c) {
    v.counter(name, help, {{"worker", worker}}, static_cast<double>(c.value()));
  };
  const auto gauge = [&](const char* name, const char* help, const Gauge& g) {
    v.gauge(name, help, {{"worker", worker}}, static_cast<double>(g.value()));
  };
  const auto outcome = [&](const char* name, const char* help, const char* label,
                           const Counter& c) {
    v.counter(name, help, {{"worker", worker}, {"outcome", label}}, static_cast<double>(c.value()));
  };

  for (size_t k = 0; k < PacketKinds; ++k) {
    visit_flow(v, received[k], worker, "in", to_string(static_cast<PacketKind>(k)));
  }
  constexpr const char* SentKinds[] = {"rtp", "rtp_resent", "rtcp", "rtp_mixed", "rtp_probe"};
  for (size_t k = 0; k < sent.size(); ++k) visit_flow(v, sent[k], worker, "out", SentKinds[k]);
  visit_flow(v, stun_replies, worker, "out", "stun");
  visit_flow(v, dtls_sent, worker, "out", "dtls");
  visit_flow(v, relayed_in, worker, "in", "relayed");
  visit_flow(v, relayed_out, worker, "out", "relayed");
  visit_flow(v, to_mix, worker, "out", "to_mix");

  count("viaduct_padded_packets_total", "Media packets made as long as their neighbours",
        padding.packets);
  count("viaduct_padding_bytes_total", "Bytes by which they were made longer", padding.bytes);

  count("viaduct_paced_packets_total", "Packets of pictures that waited for their receiver's network",
        paced.packets);
  count("viaduct_paced_bytes_total", "Bytes of them", paced.bytes);
  count("viaduct_probes_total", "Probes of what receivers' networks take", probes);

  for (size_t d = 1; d < Drops; ++d) {
    v.counter("viaduct_dropped_packets_total",
              "Packets that went no further, by step of the path and reason",
              {{"worker", worker}, {"stage", DropNames[d].stage}, {"reason", DropNames[d].reason}},
              static_cast<double>(drops[d].value()));
  }
  v.histogram("viaduct_forwarding_latency_seconds",
              "From a packet's arrival to the hand-over of its copies to the network",
              {{"worker", worker}}, forwarding_latency);

  outcome("viaduct_ice_events_total", "ICE: addresses validated and selected, restarts, consents lost",
          "validated", ice_validated);
  outcome("viaduct_ice_events_total", "ICE: addresses validated and selected, restarts, consents lost",
          "selected", ice_selected);
  outcome("viaduct_ice_events_total", "ICE: addresses validated and selected, restarts, consents lost",
          "restarted", ice_restarted);
  outcome("viaduct_ice_events_total", "ICE: addresses validated and selected, restarts, consents lost",
          "consent_lost", consent_lost);
  outcome("viaduct_dtls_handshakes_total", "DTLS handshakes by outcome", "connected",
          dtls_connected);
  outcome("viaduct_dtls_handshakes_total", "DTLS handshakes by outcome", "failed", dtls_failed);
  outcome("viaduct_dtls_handshakes_total", "DTLS handshakes by outcome", "timed_out",
          dtls_timed_out);

  count("viaduct_nacked_packets_received_total", "Packets that receivers asked for again",
        nacks_received);
  count("viaduct_nacked_packets_sent_total", "Packets asked of senders again", nacks_sent);
  count("viaduct_recovered_packets_total", "Packets that senders resent after a NACK",
        packets_recovered);
  count("viaduct_key_frame_requests_received_total", "PLI and FIR from receivers",
        key_frames_asked_of_us);
  count("viaduct_key_frame_requests_sent_total", "PLI and FIR to senders", key_frames_asked);
  gauge("viaduct_endpoints", "Clients on the worker", endpoints);
  gauge("viaduct_conferences", "Conferences on the worker", conferences);
  gauge("viaduct_slots", "Receive slots of all clients", slots);
  gauge("viaduct_slots_in_use", "Receive slots that carry a source", slots_in_use);
  visit_streams(v, *this);
  gauge("viaduct_free_packets", "Packet buffers left in the pool", free_packets);
}

}  // namespace viaduct::path
