#include "conference/body_evidence.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace viaduct::conference {
namespace {

class Evidence : public ::testing::Test {
 protected:
  ProbeBytes noise() {
    ProbeBytes bytes;
    random.fill(bytes);
    return bytes;
  }
  // Whether the verdict changed.
  bool add(BodySample sample) { return evidence.add(sample, now += 66ms); }
  // `count` samples, each made anew; stops when the verdict changes. How many were added.
  template <typename Make>
  uint32_t add(uint32_t count, Make&& make) {
    for (uint32_t i = 0; i < count; ++i) {
      if (add(make(i))) return i + 1;
    }
    return count;
  }
  BodySample plain() { return {.fits = true, .probe = {0, 0xe3, noise()[0], noise()[1]}}; }
  BodySample front_in_clear() { return {.fits = true, .probe = noise()}; }
  BodySample sealed(uint64_t counter) {
    return {.probe = {1, 2, 3, 4}, .sframe = BodySample::Sframe{77, counter, 2, noise()}};
  }

  SeededRandom random{5};
  Timestamp now{10s};
  BodyEvidence evidence;
};

TEST_F(Evidence, CallsAStreamPlainAfterTwentyFourFramesOfIt) {
  EXPECT_EQ(add(100, [&](uint32_t) { return plain(); }), BodyEvidence::MinSamples);
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Plain);
}

TEST_F(Evidence, ForgivesPlainDataAFrameInEightThatDoesNotParse) {
  add(100, [&](uint32_t i) {
    BodySample sample = plain();
    sample.fits = i % 8 != 3;
    return sample;
  });
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Plain);
}

TEST_F(Evidence, DoesNotCallAStreamPlainWhoseShapeChangesAllTheTime) {
  add(248, [&](uint32_t i) {
    BodySample sample = plain();
    sample.shape = static_cast<uint8_t>(i % 3);
    return sample;
  });
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Undecided);
}

TEST_F(Evidence, LeavesAStreamUndecidedWhoseFrontAloneIsInClear) {
  for (int look = 0; look < 400; ++look) {
    add(248, [&](uint32_t) { return front_in_clear(); });
    ASSERT_EQ(evidence.verdict(), ObservedBodies::Undecided);
  }
}

TEST_F(Evidence, CallsARowOfSframeHeadersCiphertextWhateverTheyLookLikeToTheCodec) {
  for (const bool fits : {false, true}) {
    evidence.forget();
    EXPECT_LE(add(100,
                  [&](uint32_t i) {
                    BodySample sample = sealed(1000 + 4 * i);
                    sample.fits = fits;
                    return sample;
                  }),
              48u);
    EXPECT_EQ(evidence.verdict(), ObservedBodies::Ciphertext);
  }
}

TEST_F(Evidence, FollowsACounterThatManyStreamsShareAtOneFrameASecond) {
  now += 1s;
  for (uint32_t i = 0; i < 48; ++i) {
    evidence.add(sealed(70'000 + 400 * i), now += 1s);
  }
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Ciphertext);
}

TEST_F(Evidence, TakesNoRowForOneThatStandsStillRunsBackLeapsOrChangesKeys) {
  const auto expect_nothing = [&](auto&& make) {
    evidence.forget();
    add(96, make);
    EXPECT_EQ(evidence.verdict(), ObservedBodies::Undecided);
  };
  expect_nothing([&](uint32_t) { return sealed(5); });
  expect_nothing([&](uint32_t i) { return sealed(100'000 - i); });
  expect_nothing([&](uint32_t i) { return sealed(100'000 * i); });
  expect_nothing([&](uint32_t i) {
    BodySample sample = sealed(i);
    sample.sframe->key_id = i / 2;
    return sample;
  });
}

// Codec headers may hold a frame counter where SFrame has one: what follows tells them apart.
TEST_F(Evidence, TakesNoRowForSframeThatHeadersFollow) {
  add(248, [&](uint32_t i) {
    BodySample sample = sealed(i);
    sample.sframe->probe = {0xfd, 0xf8, noise()[0], 0};
    return sample;
  });
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Undecided);
}

TEST_F(Evidence, CallsNoiseThatDoesNotParseCiphertext) {
  EXPECT_GE(add(248, [&](uint32_t i) { return BodySample{.fits = i % 6 == 0, .probe = noise()}; }),
            96u);
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Ciphertext);
}

TEST_F(Evidence, LeavesWhatNeitherParsesNorIsNoiseUndecided) {
  add(248, [&](uint32_t) { return BodySample{.probe = {7, noise()[0], 7, 7}}; });
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Undecided);
}

TEST_F(Evidence, LooksAgainTenSecondsAfterAVerdict) {
  EXPECT_TRUE(evidence.looking(now));
  add(24, [&](uint32_t) { return plain(); });
  EXPECT_FALSE(evidence.looking(now + 9999ms));
  EXPECT_TRUE(evidence.looking(now + 10s));
  now += 10s;
  add(248, [&](uint32_t i) { return sealed(i); });
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Ciphertext);
}

TEST_F(Evidence, DoesNotForgetWhatWasPlainByALookThatFindsNothing) {
  add(24, [&](uint32_t) { return plain(); });
  add(248, [&](uint32_t) { return front_in_clear(); });
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Plain);
}

TEST_F(Evidence, DoesNotStandByCiphertextThatALaterLookCannotConfirm) {
  add(248, [&](uint32_t i) { return sealed(i); });
  ASSERT_EQ(evidence.verdict(), ObservedBodies::Ciphertext);
  EXPECT_EQ(add(300, [&](uint32_t) { return front_in_clear(); }), BodyEvidence::MaxSamples);
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Undecided);
}

TEST_F(Evidence, BeginsAtOnceWhenTheSenderDeclaresAnew) {
  add(24, [&](uint32_t) { return plain(); });
  EXPECT_TRUE(evidence.forget());
  EXPECT_FALSE(evidence.forget()) << "there was nothing left to forget";
  EXPECT_EQ(evidence.verdict(), ObservedBodies::Undecided);
  EXPECT_TRUE(evidence.looking(now));
}

}  // namespace
}  // namespace viaduct::conference
