#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace viaduct {
namespace {

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good = 7;
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, 7);
  const Result<int> bad = Error{ErrorCode::NotFound, "nobody is there"};
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::NotFound);
  EXPECT_EQ(bad.error().text, "nobody is there");
}

TEST(Result, GivesAwayWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  const std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 3);
}

TEST(Result, OfNothingIsGoodUnlessItHoldsAnError) {
  EXPECT_TRUE(Result<void>().ok());
  const Result<void> bad = Error{ErrorCode::Unavailable, "no"};
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().text, "no");
}

TEST(ResultDeathTest, AbortsWhoeverTakesWhatIsNotThere) {
  const Result<int> bad = Error{};
  EXPECT_DEATH(static_cast<void>(bad.value()), "bug: CHECK\\(ok\\(\\)\\) failed at .*result.h");
  const Result<int> good = 1;
  EXPECT_DEATH(static_cast<void>(good.error()), "bug: CHECK");
  EXPECT_DEATH(static_cast<void>(Result<void>().error()), "bug: CHECK");
}

}  // namespace
}  // namespace viaduct
