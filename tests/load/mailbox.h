// Messages from other threads to the event loop: put from anywhere, taken by one. A bell (eventfd)
// wakes whoever waits for it.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "base/check.h"

namespace viaduct::load {

template <typename T>
class Mailbox {
 public:
  Mailbox() : bell_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(bell_ >= 0); }
  ~Mailbox() { close(bell_); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Readable while there is something to take.
  int bell() const { return bell_; }

  void put(T message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t rung = write(bell_, &one, sizeof one);  // full: it rings anyway
  }

  std::vector<T> take_all() {
    const std::lock_guard lock(mutex_);
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t silenced = read(bell_, &count, sizeof count);
    return std::exchange(messages_, {});
  }

 private:
  const int bell_;
  std::mutex mutex_;
  std::vector<T> messages_;
};

}  // namespace viaduct::load
