// The scores that the conference decides the speaker by, held to those that the kernels compute.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "conference/speech_activity.h"
#include "kernels/speaker_scores.h"

namespace viaduct {
namespace {

TEST(SpeakerDifferential, ConferenceAndKernelsScoreEveryHistoryAlike) {
  std::mt19937 random(11);
  const auto below = [&random](unsigned bound) { return static_cast<uint8_t>(random() % bound); };
  for (int i = 0; i < 20'000; ++i) {
    kernels::SpeakerHistory history{};
    history.quietest = below(80);
    const unsigned spell = 1 + below(20);
    for (unsigned k = 0; k < kernels::Immediates; ++k)
      history.loudness[k] = k / spell % 2 == 0 ? static_cast<uint8_t>(70 + below(58)) : below(128);

    conference::LoudnessHistory loudness{};
    std::ranges::copy(history.loudness, loudness.begin());
    const auto ours = conference::scores_of(conference::count_speech(loudness, history.quietest));
    const auto theirs = kernels::speaker_scores(history);
    constexpr double Unit = 65536, Rounding = 0.51 / Unit;
    ASSERT_NEAR(ours.immediate, theirs.immediate / Unit, Rounding);
    ASSERT_NEAR(ours.medium, theirs.medium / Unit, Rounding);
    ASSERT_NEAR(ours.long_term, theirs.long_term / Unit, Rounding);
  }
}

}  // namespace
}  // namespace viaduct
