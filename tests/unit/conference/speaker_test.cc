#include "conference/speaker.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace viaduct::conference {
namespace {

constexpr EndpointId Ada{1}, Bob{2};
constexpr Timestamp Start{10s};

// A speaker decision every interval, from Start on.
class Panel {
 public:
  // True when the speaker has changed.
  bool decide(std::initializer_list<Speaker::Voice> voices) {
    now_ += Speaker::DecisionInterval;
    return speaker.decide({voices.begin(), voices.size()}, now_);
  }
  Speaker speaker;

 private:
  Timestamp now_ = Start;
};

TEST(Speaker, IsNobodyBeforeAnybodyIsAudible) {
  Panel panel;
  EXPECT_FALSE(panel.decide({}));
  EXPECT_FALSE(panel.decide({{Ada, Speaker::Audible - 1}, {Bob, 0}}));
  EXPECT_FALSE(panel.speaker.current());
}

TEST(Speaker, IsTheLoudest) {
  Panel panel;
  EXPECT_TRUE(panel.decide({{Ada, 70}, {Bob, 90}}));
  EXPECT_EQ(panel.speaker.current(), Bob);
  EXPECT_FALSE(panel.decide({{Ada, 70}, {Bob, 90}})) << "nothing has changed";
}

TEST(Speaker, StaysUnlessAnotherIsLouderByAMargin) {
  Panel panel;
  panel.decide({{Ada, 70}});
  EXPECT_FALSE(panel.decide({{Ada, 70}, {Bob, 70 + Speaker::Margin}}));
  EXPECT_TRUE(panel.decide({{Ada, 70}, {Bob, 71 + Speaker::Margin}}));
  EXPECT_EQ(panel.speaker.current(), Bob);
}

TEST(Speaker, YieldsAtOnceToAnAudibleVoiceWhenItFallsSilent) {
  Panel panel;
  panel.decide({{Ada, 90}});
  EXPECT_TRUE(panel.decide({{Ada, 0}, {Bob, 80}}));
  EXPECT_EQ(panel.speaker.current(), Bob);
}

TEST(Speaker, StaysOverAPauseBetweenWords) {
  Panel panel;
  panel.decide({{Ada, 90}});
  for (Duration silence{}; silence < Speaker::Pause; silence += Speaker::DecisionInterval) {
    EXPECT_FALSE(panel.decide({{Ada, 0}}));
  }
  EXPECT_TRUE(panel.decide({{Ada, 0}})) << "that was no pause between words";
  EXPECT_FALSE(panel.speaker.current());
}

TEST(Speaker, DecidesOncePerInterval) {
  Speaker speaker;
  const Speaker::Voice ada[] = {{Ada, 90}};
  const Speaker::Voice bob[] = {{Ada, 0}, {Bob, 90}};
  EXPECT_TRUE(speaker.decide(ada, Start));
  EXPECT_FALSE(speaker.due(Start + Speaker::DecisionInterval - 1ms));
  EXPECT_FALSE(speaker.decide(bob, Start + Speaker::DecisionInterval - 1ms));
  EXPECT_TRUE(speaker.decide(bob, Start + Speaker::DecisionInterval));
}

TEST(Speaker, IsNobodyOnceItHasLeft) {
  Panel panel;
  panel.decide({{Ada, 90}});
  EXPECT_FALSE(panel.speaker.forget(Bob));
  EXPECT_EQ(panel.speaker.current(), Ada);
  EXPECT_TRUE(panel.speaker.forget(Ada));
  EXPECT_FALSE(panel.speaker.current());
}

}  // namespace
}  // namespace viaduct::conference
