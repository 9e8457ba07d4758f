#include "protocol/congestion/loss_model.h"

#include <algorithm>
#include <cmath>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {
namespace {

double probability(const LossCandidate& candidate, DataRate sending) {
  constexpr double Least = 1e-6;
  const double beyond = sending > candidate.bandwidth ? 1 - candidate.bandwidth / sending : 0;
  return std::clamp(candidate.inherent_loss + (1 - candidate.inherent_loss) * beyond, Least, 1 - Least);
}

double most_inherent_loss(DataRate bandwidth) {
  const double balance = LossModel::MostInherentLossBalance / std::max(bandwidth, DataRate{1});
  return std::min(1.0, LossModel::MostInherentLossOffset + balance);
}

// A preference fades out where the loss nears the threshold, and turns round beyond it.
double faded(double bias, double loss) {
  const double left = LossModel::HighRateBiasEnds - loss;
  return bias * left / (LossModel::HighRateBiasSmoothing + std::abs(left));
}

}  // namespace

bool LossModel::add(const PacketResult& packet) {
  if (!began_) began_ = last_sent_ = packet.sent;
  last_sent_ = std::max(last_sent_, packet.sent);
  (packet.received ? partial_.received : partial_.lost) += packet.bytes / 1000.0;
  ++partial_.packets;
  if (last_sent_ - *began_ < ObservationTime) return false;
  complete();
  return true;
}

void LossModel::complete() {
  const double sent = partial_.received + partial_.lost;
  partial_.sending = from_kbps(sent * 8 / to_seconds(last_sent_ - *began_));
  observations_[count_++ % Window] = partial_;
  partial_ = {};
  began_ = last_sent_;
  average();
}

template <typename F>
void LossModel::for_each(F&& f) const {
  double weight = 1;
  for (size_t back = 1; back <= std::min(count_, Window); ++back, weight *= WeightOfOlder) {
    f(observations_[(count_ - back) % Window], weight);
  }
}

void LossModel::average() {
  double lost = 0;
  double sent = 0;
  double packets = 0;
  for_each([&](const Observation& o, double weight) {
    lost += weight * o.lost;
    sent += weight * (o.lost + o.received);
    packets += weight * o.packets;
  });
  average_loss_ = sent > 0 ? lost / sent : 0;
  deviation_ = std::sqrt(average_loss_ * (1 - average_loss_) / std::max(packets, 1.0));
}

// One damped step of Newton's method, which is enough as there is one with each report.
void LossModel::fit(LossCandidate& candidate) const {
  constexpr double StepSize = 0.75;
  double first = 0;
  double second = 0;
  for_each([&](const Observation& o, double weight) {
    const double p = probability(candidate, o.sending);
    first += weight * (o.lost / p - o.received / (1 - p));
    second -= weight * (o.lost / (p * p) + o.received / ((1 - p) * (1 - p)));
  });
  if (second < 0) candidate.inherent_loss -= StepSize * first / second;
  candidate.inherent_loss =
      std::clamp(candidate.inherent_loss, LeastInherentLoss, most_inherent_loss(candidate.bandwidth));
}

double LossModel::likelihood(const LossCandidate& candidate) const {
  const double kbps = to_kbps(candidate.bandwidth);
  const double bias =
      faded(HighRateBias, average_loss_) * kbps + faded(HighRateLogBias, average_loss_) * std::log1p(kbps);
  double sum = 0;
  for_each([&](const Observation& o, double weight) {
    const double p = probability(candidate, o.sending);
    sum += weight * (o.lost * std::log(p) + o.received * std::log(1 - p) + bias * (o.lost + o.received));
  });
  return sum;
}

}  // namespace viaduct::congestion
