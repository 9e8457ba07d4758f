// Which layers a receiver gets of its pictures, as what can be sent to it changes.
#include "conference/bitrate_allocator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

namespace viaduct::conference {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Le;

constexpr Timestamp Start{60s};

LayerInfo rung(int encoding, int spatial, int temporal, int height, int kbps) {
  return {.layer = {static_cast<uint8_t>(encoding), {static_cast<uint8_t>(spatial), static_cast<uint8_t>(temporal)}},
          .width = static_cast<uint16_t>(height * 16 / 9),
          .height = static_cast<uint16_t>(height),
          .frame_rate = static_cast<uint8_t>(30 >> (2 - temporal)),
          .rate = DataRate::kbps(kbps)};
}

LayerLadder ladder_of(std::initializer_list<LayerInfo> rungs) {
  LayerLadder ladder;
  for (const LayerInfo& r : rungs) ladder.add(r);
  return ladder;
}

// Three encodings of three frame rates each: what browsers send of a camera.
LayerLadder camera() {
  return ladder_of({rung(0, 0, 0, 180, 60), rung(0, 0, 1, 180, 90), rung(0, 0, 2, 180, 150),
                    rung(1, 0, 0, 360, 200), rung(1, 0, 1, 360, 300), rung(1, 0, 2, 360, 500),
                    rung(2, 0, 0, 720, 700), rung(2, 0, 1, 720, 1100), rung(2, 0, 2, 720, 1700)});
}
LayerLadder screen() {
  return ladder_of({rung(0, 0, 0, 360, 100), rung(0, 0, 1, 360, 200), rung(0, 0, 2, 360, 350),
                    rung(1, 0, 0, 1080, 400), rung(1, 0, 1, 1080, 900), rung(1, 0, 2, 1080, 1500)});
}

// A receiver of some pictures, and what can be sent to it.
class Receiver {
 public:
  Receiver() = default;

  void add(const LayerLadder& ladder, const PictureWish& wish = {}, Content content = Content::Camera) {
    ladders_.push_back(ladder);
    shares_.emplace_back();
    pictures.push_back({&ladders_.back(), content, wish, &shares_.back()});
  }
  void allocate(std::optional<int> kbps) {
    available = kbps ? std::optional(DataRate::kbps(*kbps)) : std::nullopt;
    allocator_.observe(available, now);
    allocate();
  }
  void allocate() {
    const std::vector<int> before = heights();
    allocated = allocator_.allocate(pictures, now);
    changes += heights() != before;
  }
  // Time passes, with a look every 100 ms, and what can be sent is this, give or take some per cent.
  void run_for(Duration time, int kbps, int noise_percent = 0) {
    for (const Timestamp end = now + time; now < end; now += 100ms) {
      const int noise = std::uniform_int_distribution(-noise_percent, noise_percent)(random_);
      available = DataRate::kbps(kbps + kbps * noise / 100);
      if (allocator_.observe(available, now)) allocate();
    }
  }

  // Of each picture: the height that is seen, and 0 for none.
  std::vector<int> heights() const {
    std::vector<int> out;
    for (const Picture& p : pictures)
      out.push_back(p.share->layer && p.ladder->find(*p.share->layer) ? p.ladder->find(*p.share->layer)->height : 0);
    return out;
  }
  std::vector<int> kbps() const {
    std::vector<int> out;
    for (const Picture& p : pictures) out.push_back(static_cast<int>(p.share->rate.bits_per_second / 1000));
    return out;
  }
  LayerLadder& ladder(size_t i) { return ladders_[i]; }

  Timestamp now = Start;
  std::vector<Picture> pictures;
  std::optional<DataRate> available;
  Allocated allocated;
  int changes = 0;

 private:
  std::deque<LayerLadder> ladders_;
  std::deque<PictureShare> shares_;
  BitrateAllocator allocator_;
  std::mt19937 random_{5};
};

TEST(BitrateAllocator, GivesEverythingWhereNobodyMeasures) {
  Receiver r;
  for (int i = 0; i < 4; ++i) r.add(camera());
  r.allocate(std::nullopt);
  EXPECT_THAT(r.kbps(), Each(1700));
}

TEST(BitrateAllocator, ImprovesPicturesInOrderByOneStepEach) {
  struct Row {
    int available;
    std::vector<int> kbps;
  };
  const Row rows[] = {{50, {0, 0, 0}},       {75, {60, 0, 0}},       {140, {60, 60, 0}},     {240, {60, 60, 60}},
                      {300, {90, 90, 60}},   {520, {150, 150, 150}}, {930, {500, 150, 150}}, {1325, {500, 500, 150}},
                      {1730, {500, 500, 500}}, {3200, {1700, 500, 500}}, {5900, {1700, 1700, 1700}}};
  for (const Row& row : rows) {
    Receiver r;
    for (int i = 0; i < 3; ++i) r.add(camera());
    r.allocate(row.available);
    EXPECT_EQ(r.kbps(), row.kbps) << row.available;
  }
}

TEST(BitrateAllocator, SaysWhichPicturesHaveNoRoom) {
  Receiver r;
  for (int i = 0; i < 2; ++i) r.add(camera());
  r.add(camera(), {.max_height = 0});
  r.add(LayerLadder());
  r.allocate(80);
  EXPECT_FALSE(r.pictures[0].share->paused);
  EXPECT_TRUE(r.pictures[1].share->paused);
  EXPECT_FALSE(r.pictures[2].share->paused) << "nobody wants it";
  EXPECT_FALSE(r.pictures[3].share->paused) << "there is nothing of it yet";
}

TEST(BitrateAllocator, TakesAnOnStagePictureTo360pAtItsFullFrameRateFirst) {
  Receiver r;
  r.add(camera(), {.on_stage = true});
  for (int i = 0; i < 3; ++i) r.add(camera(), {.max_height = 180});
  r.allocate(600);
  EXPECT_THAT(r.kbps(), ElementsAre(500, 0, 0, 0));
  Receiver more;
  more.add(camera(), {.on_stage = true});
  for (int i = 0; i < 3; ++i) more.add(camera(), {.max_height = 180});
  more.allocate(1100);
  EXPECT_THAT(more.kbps(), ElementsAre(500, 150, 150, 150)) << "then everybody, and then it goes on";
  Receiver most;
  most.add(camera(), {.on_stage = true});
  for (int i = 0; i < 3; ++i) most.add(camera(), {.max_height = 180});
  most.allocate(2500);
  EXPECT_THAT(most.kbps(), ElementsAre(1700, 150, 150, 150));
}

TEST(BitrateAllocator, TakesHeightsAsSoftLimits) {
  struct Row {
    int max_height, kbps;
  };
  const Row rows[] = {{0, 0},     {-1, 1700},  {90, 150},  {180, 150},
                      {359, 150}, {360, 500},  {719, 500}, {2000, 1700}};
  for (const Row& row : rows) {
    Receiver r;
    r.add(camera(), {.max_height = row.max_height});
    r.allocate(10'000);
    EXPECT_THAT(r.kbps(), ElementsAre(row.kbps)) << row.max_height;
  }
}

TEST(BitrateAllocator, NeverGivesALargeCameraAtALowFrameRateUnlessThereIsNothingSmaller) {
  Receiver r;
  r.add(camera());
  for (int available = 0; available < 2500; available += 20) {
    Receiver fresh;
    fresh.add(camera());
    fresh.allocate(available);
    EXPECT_THAT(fresh.kbps()[0], testing::AnyOf(0, 60, 90, 150, 500, 1700)) << available;
  }
  Receiver single;
  single.add(ladder_of({rung(0, 0, 0, 720, 600), rung(0, 0, 1, 720, 900), rung(0, 0, 2, 720, 1500)}));
  single.allocate(1100);
  EXPECT_THAT(single.kbps(), ElementsAre(900));
}

TEST(BitrateAllocator, PrefersResolutionToFrameRateForScreens) {
  Receiver r;
  r.add(screen(), {}, Content::Screen);
  r.allocate(500);
  EXPECT_THAT(r.kbps(), ElementsAre(400));
  r.now += 10s;
  r.allocate(1100);
  EXPECT_THAT(r.heights(), ElementsAre(1080));

  // The full frame rate of the smaller resolution costs more than the larger one: it is passed over.
  Receiver other;
  other.add(ladder_of({rung(0, 0, 0, 360, 100), rung(1, 0, 0, 1080, 400), rung(0, 0, 2, 360, 450)}), {},
            Content::Screen);
  other.allocate(600);
  EXPECT_THAT(other.kbps(), ElementsAre(400));
}

TEST(BitrateAllocator, LetsAnOnStageScreenExceedTheRateBy500KilobitsAtMost) {
  const auto given = [](int available, bool on_stage) {
    Receiver r;
    r.add(screen(), {.on_stage = on_stage}, Content::Screen);
    r.allocate(available);
    EXPECT_LE(r.allocated.used.bits_per_second, (available + 500) * 1000);
    return r.kbps()[0];
  };
  EXPECT_EQ(given(120, true), 400) << "its full resolution, at the lowest frame rate";
  EXPECT_EQ(given(120, false), 100);
  EXPECT_EQ(given(0, true), 400);

  Receiver large;
  large.add(ladder_of({rung(0, 0, 0, 360, 100), rung(1, 0, 0, 1080, 800)}), {.on_stage = true}, Content::Screen);
  large.allocate(150);
  EXPECT_THAT(large.kbps(), ElementsAre(100)) << "that would be too much";
}

TEST(BitrateAllocator, GivesTheLeastOfWhatHasNotBeenMeasured) {
  Receiver r;
  r.add(ladder_of({rung(0, 0, 0, 180, 0), rung(1, 0, 0, 360, 0), rung(2, 0, 0, 720, 0)}));
  r.allocate(5000);
  EXPECT_THAT(r.heights(), ElementsAre(180));
  r.ladder(0) = ladder_of({rung(0, 0, 0, 180, 100), rung(1, 0, 0, 360, 400), rung(2, 0, 0, 720, 0)});
  r.allocate(5000);
  EXPECT_THAT(r.heights(), ElementsAre(360)) << "nobody sends the best now";
}

TEST(BitrateAllocator, KeepsALayerThatIsStillForAMoment) {
  Receiver r;
  r.add(camera());
  r.allocate(3000);
  ASSERT_THAT(r.heights(), ElementsAre(720));
  for (LayerInfo& l : r.ladder(0).rungs()) l.rate = {};
  r.allocate(3000);
  EXPECT_THAT(r.heights(), ElementsAre(720));
}

TEST(BitrateAllocator, KeepsAFrameRateOfWhichThereAreNoFramesForAMoment) {
  Receiver r;
  r.add(screen(), {}, Content::Screen);
  r.allocate(5000);
  ASSERT_EQ(r.pictures[0].share->layer, (Layer{1, {0, 2}}));
  r.ladder(0) = ladder_of({rung(0, 0, 0, 360, 10), rung(1, 0, 0, 1080, 20)});
  r.allocate(5000);
  EXPECT_EQ(r.pictures[0].share->layer, (Layer{1, {0, 2}}));
}

TEST(BitrateAllocator, FallsToWhatIsSentWhenAnEncodingIsNoMore) {
  Receiver r;
  r.add(camera());
  r.allocate(3000);
  ASSERT_THAT(r.heights(), ElementsAre(720));
  for (LayerInfo& l : r.ladder(0).rungs()) {
    if (l.layer.encoding == 2) l.rate = {};
  }
  r.run_for(1s, 3000);
  r.allocate();
  EXPECT_THAT(r.heights(), ElementsAre(360));
  r.ladder(0) = camera();
  r.run_for(3s, 3000);
  EXPECT_THAT(r.heights(), ElementsAre(360)) << "a sender that cannot decide makes no flutter";
  r.run_for(8s, 3000);
  EXPECT_THAT(r.heights(), ElementsAre(720));
}

TEST(BitrateAllocator, StepsDownAtOnceAndUpOnlyAfterAWhileOfRoom) {
  Receiver r;
  r.add(camera());
  r.run_for(3s, 2500);
  ASSERT_THAT(r.heights(), ElementsAre(720));
  r.run_for(100ms, 700);
  EXPECT_THAT(r.heights(), ElementsAre(360));
  r.run_for(4800ms, 2500);
  EXPECT_THAT(r.heights(), ElementsAre(360)) << "within 5 s of the step down";
  r.run_for(6s, 2500);
  EXPECT_THAT(r.heights(), ElementsAre(720));
}

TEST(BitrateAllocator, BringsAPictureBackSoonThatHasGoneDarkButNotForTheSecondTime) {
  Receiver r;
  r.add(ladder_of({rung(0, 0, 0, 720, 3000)}));
  r.run_for(200ms, 3600);
  r.run_for(200ms, 2500);
  ASSERT_TRUE(r.pictures[0].share->paused);
  r.run_for(600ms, 5000);
  EXPECT_TRUE(r.pictures[0].share->paused) << "within a second";
  r.run_for(1s, 5000);
  EXPECT_THAT(r.heights(), ElementsAre(720));
  r.run_for(3s, 5000);
  r.run_for(200ms, 2500);
  r.run_for(4700ms, 5000);
  EXPECT_TRUE(r.pictures[0].share->paused) << "within 5 s, the second time";
  r.run_for(4s, 5000);
  EXPECT_THAT(r.heights(), ElementsAre(720));
}

// As when a key frame of it has filled the network for a moment.
TEST(BitrateAllocator, KeepsTheLeastOfTheMostWantedPictureForSomeSeconds) {
  Receiver r;
  r.add(camera());
  r.add(camera());
  r.run_for(10s, 150);
  ASSERT_THAT(r.heights(), ElementsAre(180, 180));
  r.run_for(4800ms, 20);
  EXPECT_THAT(r.kbps(), ElementsAre(60, 0)) << "40 kbit/s are missing";
  r.run_for(300ms, 70);
  r.run_for(4800ms, 20);
  EXPECT_THAT(r.kbps(), ElementsAre(60, 0)) << "counted anew";
  r.run_for(2s, 20);
  EXPECT_THAT(r.kbps(), ElementsAre(0, 0)) << "it lasts";

  Receiver narrow;
  narrow.add(camera());
  narrow.run_for(5s, 100);
  ASSERT_THAT(narrow.heights(), ElementsAre(180));
  narrow.run_for(200ms, 5);
  EXPECT_THAT(narrow.heights(), ElementsAre(0)) << "too much is missing";
}

TEST(BitrateAllocator, ShowsAPictureThatNeverHadRoomAsSoonAsThereIsSome) {
  Receiver r;
  r.add(ladder_of({rung(0, 0, 0, 720, 4000)}));
  r.run_for(300ms, 2500);
  ASSERT_TRUE(r.pictures[0].share->paused);
  r.run_for(100ms, 7000);
  EXPECT_THAT(r.heights(), ElementsAre(720));
}

TEST(BitrateAllocator, DoesNotStepUpIntoRoomThatDoesNotLast) {
  Receiver r;
  r.add(camera());
  r.run_for(20s, 600);
  ASSERT_THAT(r.heights(), ElementsAre(360));
  r.changes = 0;
  for (int i = 0; i < 20; ++i) {
    r.run_for(1500ms, 2500);
    r.run_for(500ms, 600);
  }
  EXPECT_EQ(r.changes, 0);
}

// A network that bears the larger picture, and not the key frame that it begins with.
class FullOnStepsUp {
 public:
  FullOnStepsUp() { receiver_.add(camera()); }

  // How often the larger picture came within that time.
  int rises(Duration time, int kbps) {
    int count = 0;
    for (const Timestamp end = receiver_.now + time; receiver_.now < end;) {
      receiver_.run_for(100ms, kbps);
      if (!is_large()) continue;
      ++count;
      receiver_.run_for(1s, kbps * 7 / 10);
      EXPECT_FALSE(is_large());
    }
    return count;
  }
  // The same, and the key frame is no longer too much.
  Duration until_large(int kbps) {
    const Timestamp since = receiver_.now;
    while (!is_large() && receiver_.now < since + 70s) receiver_.run_for(100ms, kbps);
    return receiver_.now - since;
  }
  void fall() { receiver_.run_for(200ms, 200); }
  void pass(Duration time, int kbps) { receiver_.run_for(time, kbps); }

 private:
  bool is_large() const { return receiver_.heights() == std::vector{360}; }
  Receiver receiver_;
};

TEST(BitrateAllocator, TriesAgainLaterAndLaterWhatDoesNotStay) {
  FullOnStepsUp network;
  EXPECT_EQ(network.rises(6min, 600), 13) << "at once, after 5, 10 and 20 s, and then every 30 s";
}

TEST(BitrateAllocator, WaitsNoLongerThanUsualForABetterNetwork) {
  FullOnStepsUp network;
  ASSERT_GT(network.rises(2min, 600), 3);
  EXPECT_LE(network.until_large(800), 8s);
}

TEST(BitrateAllocator, TriesAgainSoonWhatHasStayed) {
  FullOnStepsUp network;
  ASSERT_GT(network.rises(2min, 600), 3);
  ASSERT_LE(network.until_large(600), 33s);
  network.pass(5s, 600);
  network.fall();
  EXPECT_LE(network.until_large(600), 8s);
}

TEST(BitrateAllocator, StepsUpWithinSecondsOfLastingRoom) {
  Receiver r;
  r.add(camera());
  r.run_for(20s, 600);
  const Timestamp since = r.now;
  while (r.heights() != std::vector{720} && r.now < since + 20s) r.run_for(100ms, 2500);
  EXPECT_GE(r.now - since, BitrateAllocator::SteadyFor);
  EXPECT_LE(r.now - since, 5s);
}

TEST(BitrateAllocator, LeavesAMarginAboveAStepUp) {
  Receiver r;
  r.add(camera());
  r.run_for(30s, 1900);
  EXPECT_THAT(r.kbps(), ElementsAre(500)) << "1700 fit, but not for long";
  r.run_for(30s, 2000);
  EXPECT_THAT(r.kbps(), ElementsAre(1700));
  r.run_for(30s, 1720);
  EXPECT_THAT(r.kbps(), ElementsAre(1700)) << "what fits is kept";
}

TEST(BitrateAllocator, SmallChangesOfMeasuredRatesChangeNothing) {
  Receiver r;
  for (int i = 0; i < 4; ++i) r.add(camera());
  r.run_for(10s, 2600);
  const auto before = r.heights();
  r.changes = 0;
  std::mt19937 random(9);
  for (int second = 0; second < 120; ++second) {
    for (size_t i = 0; i < 4; ++i) {
      const LayerLadder nominal = camera();
      for (size_t k = 0; k < nominal.rungs().size(); ++k)
        r.ladder(i).rungs()[k].rate.bits_per_second =
            nominal.rungs()[k].rate.bits_per_second * std::uniform_int_distribution(95, 105)(random) / 100;
    }
    r.allocate();
    r.run_for(1s, 2600, 3);
  }
  EXPECT_EQ(r.changes, 0);
  EXPECT_EQ(r.heights(), before);
}

TEST(BitrateAllocator, NeverTakesAShownPictureAwayToImproveAnother) {
  Receiver r;
  for (int i = 0; i < 3; ++i) r.add(camera());
  r.run_for(10s, 1000);
  const auto before = r.kbps();
  std::swap(r.pictures[0], r.pictures[2]);  // somebody else has spoken
  r.run_for(30s, 1000);
  EXPECT_EQ(r.kbps(), (std::vector{before[2], before[1], before[0]}));
}

TEST(BitrateAllocator, GivesANewPictureItsShareAtOnce) {
  Receiver r;
  r.add(camera());
  r.run_for(10s, 2000);
  ASSERT_THAT(r.kbps(), ElementsAre(1700));
  r.add(camera());
  r.run_for(100ms, 2000);
  r.allocate();  // its source has come
  EXPECT_THAT(r.heights(), ElementsAre(360, 360));
}

TEST(BitrateAllocator, GivesAPictureThatComesOnStageItsShareAtOnce) {
  Receiver r;
  for (int i = 0; i < 4; ++i) r.add(camera(), {.max_height = 180});
  r.run_for(10s, 800);
  ASSERT_THAT(r.kbps(), ElementsAre(150, 150, 150, 150));
  r.pictures[3].wish = {.on_stage = true};
  std::swap(r.pictures[0], r.pictures[3]);
  r.allocate();
  EXPECT_EQ(r.kbps()[0], 500);
  r.pictures[0].wish = {.max_height = 180};
  r.allocate();
  EXPECT_EQ(r.kbps()[0], 150) << "and leaves it at once";
}

TEST(BitrateAllocator, TakesNoTileThatGrowsALittleForANewOne) {
  Receiver r;
  for (int i = 0; i < 3; ++i) r.add(camera(), {.max_height = 400});
  r.run_for(10s, 1000);
  ASSERT_THAT(r.kbps(), ElementsAre(500, 150, 150));
  r.pictures[2].wish.max_height = 410;
  r.allocate();
  EXPECT_THAT(r.kbps(), ElementsAre(500, 150, 150));
  r.pictures[2].wish.max_height = 720;
  r.allocate();
  EXPECT_THAT(r.kbps(), ElementsAre(500, 150, 150)) << "there is no room for more";
}

TEST(BitrateAllocator, ShowsSmallPicturesOfAllBeforeItImprovesAny) {
  Receiver r;
  for (int i = 0; i < 4; ++i) r.add(camera());
  r.run_for(10s, 2500);
  r.run_for(10s, 130);
  EXPECT_THAT(r.kbps(), ElementsAre(60, 60, 0, 0));
  r.run_for(10s, 300);
  EXPECT_THAT(r.kbps(), ElementsAre(60, 60, 60, 60));
}

TEST(BitrateAllocator, SaysWhatItCouldUseWithAMargin) {
  Receiver r;
  r.add(camera());
  r.add(camera(), {.max_height = 180});
  r.add(camera(), {.max_height = 0});
  r.allocate(100);
  EXPECT_EQ(r.allocated.ideal.bits_per_second, (1'700'000 + 150'000) * 115 / 100);
}

TEST(BitrateAllocator, LooksAgainAfterAChangeOf15PercentAndAfter5Seconds) {
  BitrateAllocator allocator;
  EXPECT_TRUE(allocator.observe(DataRate::kbps(1000), Start));
  allocator.allocate({}, Start);
  EXPECT_FALSE(allocator.observe(DataRate::kbps(1100), Start + 1s));
  EXPECT_FALSE(allocator.observe(DataRate::kbps(900), Start + 1s));
  EXPECT_TRUE(allocator.observe(DataRate::kbps(1150), Start + 1s));
  EXPECT_TRUE(allocator.observe(DataRate::kbps(850), Start + 1s));
  BitrateAllocator other;
  other.observe(DataRate::kbps(1000), Start);
  other.allocate({}, Start);
  EXPECT_FALSE(other.observe(DataRate::kbps(1000), Start + 5s - 1ms));
  EXPECT_TRUE(other.observe(DataRate::kbps(1000), Start + 5s));
}

// Rates that step up and down, ramp and shake: no picture changes faster than every 5 s, but downwards, and but for the
// return of one that has gone dark, once in a while.
TEST(BitrateAllocator, DoesNotOscillateFasterThanEvery5SecondsOnNoisyRates) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    Receiver r;
    for (int i = 0; i < 3; ++i) r.add(camera(), {.on_stage = i == 0});
    std::vector<int> before = r.kbps();
    std::vector<Timestamp> lowered(3), returned(3);
    int kbps = 2500;
    for (int i = 0; i < 1800; ++i) {  // three minutes
      if (i % 100 == 0) kbps = 200 + static_cast<int>(random() % 4800);
      r.run_for(100ms, kbps, 12);
      const std::vector<int> after = r.kbps();
      for (size_t p = 0; p < 3; ++p) {
        const bool soon = lowered[p] != Timestamp() && r.now - lowered[p] < 4900ms;
        if (after[p] > before[p] && soon) {
          EXPECT_EQ(before[p], 0) << "seed " << seed << ", picture " << p << ", step " << i;
          EXPECT_TRUE(returned[p] == Timestamp() || r.now - returned[p] > BitrateAllocator::NotLong);
          returned[p] = r.now;
        }
        if (after[p] < before[p]) lowered[p] = r.now;
      }
      before = after;
    }
    EXPECT_LT(r.changes, 180) << seed;
  }
}

// Whatever happens, in whatever order.
TEST(BitrateAllocator, NeverExceedsTheRateAndNeverGivesLaterOnesMore) {
  std::mt19937 random(77);
  for (int round = 0; round < 2000; ++round) {
    Receiver r;
    const size_t count = 1 + random() % 12;
    for (size_t i = 0; i < count; ++i) r.add(camera());
    r.allocate(static_cast<int>(random() % 6000));
    EXPECT_LE(r.allocated.used, *r.available);
    const auto kbps = r.kbps();
    for (size_t i = 1; i < count; ++i) EXPECT_GE(kbps[i - 1], kbps[i]);
    for (int later = 0; later < 20; ++later) {
      r.now += 700ms;
      Picture& p = r.pictures[random() % count];
      if (random() % 3 == 0)
        p.wish = {.on_stage = random() % 4 == 0, .max_height = static_cast<int>(random() % 800) - 40};
      for (LayerInfo& l : r.ladder(random() % count).rungs()) l.rate.bits_per_second += 5000;
      r.allocate(static_cast<int>(random() % 6000));
      DataRate used;
      for (const Picture& each : r.pictures) used.bits_per_second += each.share->rate.bits_per_second;
      ASSERT_EQ(used, r.allocated.used);
      const bool keeps = r.pictures[0].share->kept_since.has_value();
      ASSERT_LE(used, *r.available + (keeps ? BitrateAllocator::MostMissing : DataRate{}));
    }
  }
}

TEST(BitrateAllocator, ShowsNoFewerPicturesWhereThereIsMore) {
  for (size_t count : {1u, 3u, 9u}) {
    std::ptrdiff_t before = 0;
    for (int available = 0; available < 6000; available += 10) {
      Receiver r;
      for (size_t i = 0; i < count; ++i) r.add(camera());
      r.allocate(available);
      const auto kbps = r.kbps();
      const auto shown = std::ranges::count_if(kbps, [](int rate) { return rate > 0; });
      ASSERT_GE(shown, before) << available;
      before = shown;
    }
    EXPECT_EQ(before, static_cast<std::ptrdiff_t>(count));
  }
}

}  // namespace
}  // namespace viaduct::conference
