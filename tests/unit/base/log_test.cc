#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::log {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// What `speak` writes to stderr after start(format, level).
std::string logged(Format format, std::string_view level, void (*speak)()) {
  testing::internal::CaptureStderr();
  EXPECT_TRUE(start(format, level).ok());
  speak();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, RejectsAnUnknownLevelAndNamesTheKnownOnes) {
  for (const char* level : {"loud", "", "INFO"}) {
    const auto started = start(Format::Text, level);
    ASSERT_FALSE(started.ok()) << level;
    EXPECT_EQ(started.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(started.error().text, HasSubstr("use trace, debug, info, warn, error or off"));
  }
}

TEST(Log, AcceptsEveryLevelItNames) {
  for (const char* level : {"trace", "debug", "info", "warn", "error", "off"}) {
    EXPECT_TRUE(start(Format::Text, level).ok()) << level;
  }
}

TEST(Log, WritesLinesOfItsLevelAndAbove) {
  const std::string lines = logged(Format::Text, "warn", [] {
    info("too quiet");
    warn("worker {} is late", 3);
  });
  EXPECT_THAT(lines, MatchesRegex(".*warn.* worker 3 is late\n"));
  EXPECT_THAT(lines, Not(HasSubstr("too quiet")));
}

TEST(Log, WritesNothingWhenOff) {
  EXPECT_EQ(logged(Format::Text, "off", [] { error("lost"); }), "");
}

TEST(Log, WritesOneJsonObjectALineWhateverTheMessageHolds) {
  const std::string line = logged(Format::Json, "info", [] { info("{}", "say \"hi\"\\\nnow\x01"); });
  EXPECT_THAT(line, MatchesRegex("\\{\"time\":\"....-..-..T..:..:..\\....Z\",\"level\":\"info\",\"message\":.*\\}\n"));
  EXPECT_THAT(line, HasSubstr(R"("message":"say \"hi\"\\\nnow\u0001")"));
}

}  // namespace
}  // namespace viaduct::log
