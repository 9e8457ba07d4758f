#include "edge/media_ring.h"

#include <gtest/gtest.h>

#include <thread>

namespace viaduct::edge {
namespace {

struct Message {
  uint64_t number;
  uint8_t bytes[100];
};

TEST(MediaRing, GivesMessagesInTheOrderInWhichTheyWerePushedAndRefusesWhenFull) {
  const auto ring = std::move(*MediaRing<Message>::open(4));
  EXPECT_EQ(ring->front(), nullptr);
  for (uint64_t i = 0; i < 4; ++i) {
    ring->blank()->number = i;
    ring->push();
  }
  EXPECT_EQ(ring->blank(), nullptr);
  EXPECT_EQ(ring->size(), 4u);
  for (uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(ring->front()->number, i);
    ring->pop();
  }
  EXPECT_EQ(ring->front(), nullptr);
  EXPECT_NE(ring->blank(), nullptr);
}

TEST(MediaRing, WipesWhatHasBeenTaken) {
  const auto ring = std::move(*MediaRing<Message>::open(2));
  Message* const message = ring->blank();
  message->bytes[99] = 42;
  ring->push();
  ring->front();
  ring->pop();
  EXPECT_EQ(message->bytes[99], 0);
}

TEST(MediaRing, CarriesEverythingFromOneThreadToAnother) {
  constexpr uint64_t Messages = 100'000;
  const auto ring = std::move(*MediaRing<Message>::open(64));
  std::thread producer([&] {
    for (uint64_t i = 0; i < Messages;) {
      Message* m = ring->blank();
      if (!m) {
        std::this_thread::yield();
        continue;
      }
      m->bytes[50] = static_cast<uint8_t>(i);
      m->number = i++;
      ring->push();
    }
  });
  uint64_t next = 0;
  bool whole = true;
  while (next < Messages) {
    const Message* m = ring->front();
    if (!m) {
      std::this_thread::yield();
      continue;
    }
    whole = whole && m->number == next && m->bytes[50] == static_cast<uint8_t>(next);
    ring->pop();
    ++next;
  }
  producer.join();
  EXPECT_TRUE(whole);
  EXPECT_EQ(ring->size(), 0u);
}

}  // namespace
}  // namespace viaduct::edge
