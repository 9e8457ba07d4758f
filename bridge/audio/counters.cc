#include "audio/counters.h"

namespace viaduct::audio {

void MixCounters::visit(MetricVisitor& v) const {
  const auto count = [&](const char* name, const char* help, const Counter& c) {
    v.counter(name, help, {}, static_cast<double>(c.value()));
  };
  const auto packets = [&](const char* outcome, const Counter& c) {
    v.counter("viaduct_mix_sound_packets_total",
              "Sound packets of sources that are mixed: decoded, recovered from the next packet, "
              "concealed, late or malformed",
              {{"outcome", outcome}}, static_cast<double>(c.value()));
  };
  const auto seconds = [&](const char* part, const Counter& ns) {
    v.counter("viaduct_mix_cpu_seconds_total", "CPU time of the mixing thread, by what it did",
              {{"part", part}}, static_cast<double>(ns.value()) * 1e-9);
  };
  v.gauge("viaduct_mix_conferences", "Conferences that are mixed, on each worker by itself", {},
          static_cast<double>(conferences.value()));
  v.gauge("viaduct_mix_listeners", "Participants that hear a mix", {},
          static_cast<double>(listeners.value()));
  v.gauge("viaduct_mix_engine", "1 for the engine that measures and sums sound",
          {{"engine", engine}}, 1);
  packets("decoded", decoded);
  packets("recovered", recovered);
  packets("concealed", concealed);
  packets("late", late);
  packets("malformed", malformed);
  count("viaduct_mix_shortened_frames_total", "Frames left out because sources ran ahead of us",
        shortened);
  count("viaduct_mix_lengthened_frames_total", "Frames put in because sources fell behind us",
        lengthened);
  count("viaduct_mix_encoded_frames_total", "Mixes of 20 ms encoded, each once for all who hear it",
        encoded);
  count("viaduct_mix_skipped_ticks_total", "Times of 20 ms that the mixing thread was too late for",
        ticks_skipped);
  count("viaduct_mix_lost_frames_total", "Encoded mixes that a worker was too slow to take",
        frames_lost);
  seconds("decode", decode_ns);
  seconds("mix", mix_ns);
  seconds("encode", encode_ns);
}

}  // namespace viaduct::audio
