// Which bodies the clients of this process have sent, so that any of them can tell one that arrives
// from one that nobody sent. Remembers the last ones only.
#pragma once

#include <cstddef>
#include <deque>
#include <string_view>
#include <unordered_set>

#include "base/bytes.h"

namespace viaduct::call_bot {

class SentBodies {
 public:
  void add(Bytes body) {
    const size_t digest = digest_of(body);
    if (!known_.insert(digest).second) return;
    oldest_first_.push_back(digest);
    if (oldest_first_.size() <= MaxRemembered) return;
    known_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  bool contains(Bytes body) const { return known_.contains(digest_of(body)); }

 private:
  static constexpr size_t MaxRemembered = 1 << 18;
  static size_t digest_of(Bytes body) { return std::hash<std::string_view>{}(as_text(body)); }

  std::unordered_set<size_t> known_;
  std::deque<size_t> oldest_first_;
};

}  // namespace viaduct::call_bot
