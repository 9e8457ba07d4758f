#include "secrecy/hardening_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace viaduct::secrecy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// The gauges by their label.
class Gauges final : public MetricVisitor {
 public:
  void counter(std::string_view, std::string_view, MetricLabels, double) override {}
  void gauge(std::string_view name, std::string_view, MetricLabels labels, double value) override {
    seen[std::string(name)][std::string(labels.begin()->second)] = value;
  }
  void histogram(std::string_view, std::string_view, MetricLabels, std::span<const double>,
                 std::span<const uint64_t>, double) override {}
  std::map<std::string, std::map<std::string, double>> seen;
};

Gauges gauges_of(const HardeningState& state) {
  Gauges gauges;
  state.visit(gauges);
  return gauges;
}

HardeningState complete_state() {
  const HardeningState blank;
  HardeningState state;
  for (const Measure& one : blank.measures()) state.record(one.name, {});
  return state;
}

TEST(HardeningState, HasNothingInForceBeforeItIsRecorded) {
  const HardeningState state;
  EXPECT_THAT(state.measures(), SizeIs(9));
  EXPECT_FALSE(state.complete());
  EXPECT_THAT(state.missing(), SizeIs(9));
}

TEST(HardeningState, IsCompleteWhenEveryMeasureIs) {
  const HardeningState state = complete_state();
  EXPECT_TRUE(state.complete());
  EXPECT_THAT(state.missing(), IsEmpty());
  EXPECT_THAT(state.summary(),
              AllOf(HasSubstr("landlock"), HasSubstr("no_file_writes"), HasSubstr("keys are in")));
}

TEST(HardeningState, NamesEachMissingPieceAndWhatToDo) {
  HardeningState state = complete_state();
  state.record(measure::Landlock,
               Error{ErrorCode::NotFound, "the kernel is too old; run a newer one"});
  state.record(measure::PacketPools, judge_packet_pools(false));
  EXPECT_FALSE(state.complete());
  EXPECT_THAT(
      state.missing(),
      ElementsAre(StartsWith("packet_pools is not in force: memory for media is not locked; raise"),
                  "landlock is not in force: the kernel is too old; run a newer one"));
  EXPECT_THAT(state.missing_in_one_sentence(),
              AllOf(HasSubstr("packet_pools"), HasSubstr("; landlock is")));
}

TEST(HardeningState, IsAGaugeForEachMeasure) {
  HardeningState state = complete_state();
  state.record(measure::Seccomp, Error{ErrorCode::Unavailable, "no"});
  auto gauges = gauges_of(state);
  EXPECT_THAT(gauges.seen["viaduct_hardening"], SizeIs(9));
  EXPECT_EQ(gauges.seen["viaduct_hardening"]["seccomp"], 0);
  EXPECT_EQ(gauges.seen["viaduct_hardening"]["core_dumps"], 1);
  EXPECT_THAT(gauges.seen["viaduct_secret_memory_backing"], SizeIs(3));
  EXPECT_GE(gauges.seen["viaduct_secret_memory_bytes"]["reserved"],
            gauges.seen["viaduct_secret_memory_bytes"]["in_use"]);
}

TEST(HardeningState, JudgesTheMemoryOfKeys) {
  EXPECT_TRUE(judge_secret_memory(true, Backing::MemfdSecret).ok());
  EXPECT_TRUE(judge_secret_memory(true, Backing::Locked).ok());
  EXPECT_THAT(judge_secret_memory(true, Backing::Unlocked).error().text,
              HasSubstr("raise the limit of locked memory"));
  EXPECT_THAT(judge_secret_memory(false, Backing::MemfdSecret).error().text, HasSubstr("OpenSSL"));
}

}  // namespace
}  // namespace viaduct::secrecy
