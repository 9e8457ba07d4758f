// Wakes one thread that waits, from any other.
#pragma once

#include <semaphore>

#include "base/time.h"

namespace viaduct {

class Bell {
 public:
  void ring() { rung_.release(); }
  // Returns when the bell was rung since the last wait, or after `at_most`.
  void wait(Duration at_most) {
    if (!rung_.try_acquire_for(at_most)) return;
    while (rung_.try_acquire()) {}
  }

 private:
  std::counting_semaphore<> rung_{0};
};

}  // namespace viaduct
