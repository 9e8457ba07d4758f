#include "conference/speech_activity.h"

#include <algorithm>
#include <cmath>

namespace viaduct::conference {
namespace {

constexpr uint8_t LoudnessMost = 127;
constexpr int SubBands = 13;
constexpr uint8_t SubBandWidth = 10;
constexpr size_t ImmediatesPerMedium = 5;
constexpr size_t Mediums = 10;
static_assert(Mediums * ImmediatesPerMedium == SpeechImmediates);
constexpr uint8_t ActiveAbove = 7;      // of immediates
constexpr uint8_t MediumActiveAbove = 4;

// ln of: ln C(n, v) + v ln 0.5 + (n - v) ln 0.5 - ln L + L v, where that is more than nothing.
double log_score(int v, int n, double lambda) {
  constexpr double Least = 1e-10;
  const double ways = std::lgamma(n + 1) - std::lgamma(v + 1) - std::lgamma(n - v + 1);
  return std::log(std::max(ways + n * std::log(0.5) - std::log(lambda) + lambda * v, Least));
}

template <int N>
std::array<double, N + 1> log_scores(double lambda) {
  std::array<double, N + 1> scores{};
  for (int v = 0; v <= N; ++v) scores[static_cast<size_t>(v)] = log_score(v, N, lambda);
  return scores;
}

uint8_t sub_band(uint8_t loudness, uint8_t quietest) {
  return loudness < quietest + SubBandWidth ? uint8_t{0} : static_cast<uint8_t>(loudness / SubBandWidth);
}

}  // namespace

SpeechScores scores_of(const SpeechCounts& counts) {
  static const auto Immediate = log_scores<SubBands>(0.78);
  static const auto Medium = log_scores<static_cast<int>(ImmediatesPerMedium)>(24);
  static const auto Long = log_scores<static_cast<int>(Mediums)>(47);
  return {Immediate[counts.immediate], Medium[counts.medium], Long[counts.long_term]};
}

SpeechCounts count_speech(const LoudnessHistory& loudness, uint8_t quietest) {
  SpeechCounts counts{.immediate = sub_band(loudness[0], quietest)};
  for (size_t medium = 0; medium < Mediums; ++medium) {
    uint8_t active = 0;
    for (size_t i = 0; i < ImmediatesPerMedium; ++i)
      if (sub_band(loudness[medium * ImmediatesPerMedium + i], quietest) > ActiveAbove) ++active;
    if (medium == 0) counts.medium = active;
    if (active > MediumActiveAbove) ++counts.long_term;
  }
  return counts;
}

void SpeechActivity::on_level(uint8_t level, Timestamp now) {
  if (is_held_ || now - last_level_ > Forgotten) *this = {};
  const auto loudness = static_cast<uint8_t>(LoudnessMost - (level & LoudnessMost));
  history_ = shifted(history_, silent_intervals(now) + 1);
  history_[0] = loudness;
  last_level_ = std::max(last_level_, now);
  learn_quietest(loudness, now);
}

void SpeechActivity::hold(const SpeechCounts& counts, Timestamp now) {
  held_ = {std::min<uint8_t>(counts.immediate, SubBands - 1),
           std::min<uint8_t>(counts.medium, ImmediatesPerMedium),
           std::min<uint8_t>(counts.long_term, Mediums)};
  is_held_ = true;
  last_level_ = now;
}

SpeechCounts SpeechActivity::counts(Timestamp now) const {
  if (is_held_) return held_;
  const size_t silent = silent_intervals(now);
  return silent == 0 ? count_speech(history_, quietest_)
                     : count_speech(shifted(history_, silent), quietest_);
}

// A level that is late by no more than SilentAfter leaves no gap.
size_t SpeechActivity::silent_intervals(Timestamp now) const {
  const Duration gap = now - last_level_;
  if (gap <= SilentAfter) return 0;
  return static_cast<size_t>(std::min<int64_t>((gap - Duration(1)) / SilentAfter, SpeechImmediates));
}

LoudnessHistory SpeechActivity::shifted(const LoudnessHistory& history, size_t by) {
  LoudnessHistory out{};
  if (by < history.size()) std::copy(history.begin(), history.end() - static_cast<ptrdiff_t>(by), out.data() + by);
  return out;
}

// It falls at once, and rises halfway, by the geometric mean, to what a whole window had at least. Digital silence
// says nothing of a room.
void SpeechActivity::learn_quietest(uint8_t loudness, Timestamp now) {
  if (loudness == 0) return;
  if (quietest_ == 0 || loudness < quietest_) {
    quietest_ = loudness;
    quietest_since_ = 0;
  } else if (quietest_since_ == 0) {
    quietest_since_ = loudness;
    window_start_ = now;
  } else {
    quietest_since_ = std::min(quietest_since_, loudness);
    if (now - window_start_ < QuietestWindow) return;
    quietest_ = static_cast<uint8_t>(std::sqrt(static_cast<double>(quietest_) * quietest_since_));
    quietest_since_ = 0;
  }
}

}  // namespace viaduct::conference
