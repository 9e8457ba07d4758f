// What the stage has counted: begun anew, kept of those who leave, and handed over.
#include <algorithm>
#include <numeric>

#include "tests/load/stage.h"

namespace viaduct::load {
namespace {

PerParticipant summary_of(const Participant& p) {
  PerParticipant out{p.plan->conference, p.plan->name, p.sent_packets, {}, {}};
  for (const ReceiveStream& stream : p.receives) {
    out.received.add(stream.counts());
    out.jitter = std::max(out.jitter, stream.jitter());
  }
  return out;
}

// What a participant's own socket dropped was missed, and not by the bridge.
void blame_own_drops(uint64_t drops, std::span<ReceiveCounts*> streams) {
  for (ReceiveCounts* counts : streams) {
    const uint64_t ours = std::min(drops, counts->lost_elsewhere);
    counts->lost_elsewhere -= ours;
    counts->lost_generator += ours;
    drops -= ours;
  }
}

Duration mean_of(const std::vector<Duration>& values) {
  if (values.empty()) return {};
  return std::accumulate(values.begin(), values.end(), Duration{}) /
         static_cast<int64_t>(values.size());
}

}  // namespace

void Stage::begin_measuring() {
  for (Participant& p : people_) {
    for (ReceiveStream& stream : p.receives) stream.begin_measuring();
    p.kernel_drops_before = p.kernel_drops;
    p.sent_packets = 0;
  }
  left_ = {};
  for (auto& jitters : left_jitter_) jitters.clear();
  left_people_.clear();
  left_drops_ = 0;
  sender_->counts() = {};
  sender_->lateness() = {};
  receiver_->begin_measuring();
  latency_ = {};
}

void Stage::fold(Participant& p) {
  const uint64_t drops = p.kernel_drops - p.kernel_drops_before;
  left_drops_ += drops;
  std::array<ReceiveCounts, 2> mine;
  for (ReceiveStream& stream : p.receives) {
    stream.finish();
    if (stream.counts().packets == 0) continue;
    mine[index_of(stream.kind())].add(stream.counts());
    left_jitter_[index_of(stream.kind())].push_back(stream.jitter());
  }
  std::array<ReceiveCounts*, 2> both = {&mine[1], &mine[0]};
  blame_own_drops(drops, both);
  if (p.sent_packets > 0 || mine[0].packets + mine[1].packets > 0) {
    left_people_.push_back(summary_of(p));
    left_people_.back().received = mine[0];
    left_people_.back().received.add(mine[1]);
  }
  for (size_t kind = 0; kind < 2; ++kind) left_[kind].add(mine[kind]);
  p.sent_packets = 0;
}

std::array<ReceiveCounts, 2> Stage::received() const {
  std::array<ReceiveCounts, 2> all = left_;
  for (const Participant& p : people_)
    for (const ReceiveStream& stream : p.receives)
      all[index_of(stream.kind())].add(stream.counts());
  return all;
}

void Stage::end_streams() {
  sender_->flush(monotonic_now());
  for (Participant& p : people_) {
    fold(p);
    p.receives.clear();
    p.kernel_drops_before = p.kernel_drops;
  }
}

void Stage::collect(Measurements& out) {
  out.joins = joins_;
  out.sent = sender_->counts();
  out.sent[index_of(codec::MediaKind::Video)].key_frames_asked_for =
      receiver_->key_frames_asked_for();
  out.received = left_;
  for (size_t kind = 0; kind < 2; ++kind) {
    out.jitter_mean[kind] = mean_of(left_jitter_[kind]);
    for (const Duration jitter : left_jitter_[kind])
      out.jitter_max[kind] = std::max(out.jitter_max[kind], jitter);
  }
  out.resent_received = receiver_->resent();
  out.own_drops = left_drops_;
  out.send_lateness = sender_->lateness();
  out.srtp_profile = profile_;
  out.participants = left_people_;
  out.receiving_participants = static_cast<size_t>(std::ranges::count_if(
      left_people_, [](const PerParticipant& p) { return p.received.packets > 0; }));
}

size_t Stage::count(Participant::State state) const {
  return static_cast<size_t>(std::ranges::count(people_, state, &Participant::state));
}

}  // namespace viaduct::load
