// Two workers hand frames over to each other, and each must see a frame as the other left it, and all in order.
//
// Run under the thread sanitizer. It sees the rings' synchronisation only where they are compiled with C11's memory
// model; compiled with the processor's barriers they look like a race, which is how the test knows that it would see
// one. Each inbox has one sender: a second one waits for the first by a relaxed load (DPDK 22.11, rte_ring_c11_pvt.h),
// which is enough for processors and not for the model.
#include <rte_eal.h>
#include <rte_mbuf.h>

#include <cstdio>
#include <memory>
#include <thread>

#include "dpdk/inboxes.h"

using namespace viaduct;
using namespace viaduct::dpdk;

namespace {

constexpr uint32_t Frames = 20'000;

// Frames that are no pool's: the inboxes look at none of them, and in the end all have been taken.
class Worker {
 public:
  Worker(Inboxes& inboxes, size_t number)
      : inboxes_(inboxes), number_(number), frames_(std::make_unique<rte_mbuf[]>(Frames)) {}

  // Both at a time, as a worker does it.
  void run() {
    while (sent_ < Frames || received_ < Frames) {
      const uint32_t before = sent_ + received_;
      send_some();
      receive_some();
      if (sent_ + received_ == before) std::this_thread::yield();
    }
  }
  bool in_order() const { return in_order_; }

 private:
  void send_some() {
    for (int i = 0; i < 32 && sent_ < Frames; ++i) {
      frames_[sent_].dynfield1[0] = sent_;  // what a sender does to a frame
      if (!inboxes_.put(1 - number_, &frames_[sent_])) return;
      ++sent_;
    }
  }
  void receive_some() {
    rte_mbuf* taken[32];
    const size_t count = inboxes_.take(number_, taken, 32);
    for (size_t i = 0; i < count; ++i) {
      if (taken[i]->dynfield1[0] != received_++) in_order_ = false;
    }
  }

  Inboxes& inboxes_;
  const size_t number_;
  const std::unique_ptr<rte_mbuf[]> frames_;
  uint32_t sent_ = 0;
  uint32_t received_ = 0;
  bool in_order_ = true;
};

}  // namespace

int main() {
  const char* arguments[] = {"hand_over", "--no-huge", "-m", "64", "--no-pci", "--no-shconf", "--no-telemetry"};
  if (rte_eal_init(static_cast<int>(std::size(arguments)), const_cast<char**>(arguments)) < 0) return 1;
  auto inboxes = Inboxes::open(2);
  if (!inboxes) return 1;
  Worker here(**inboxes, 0);
  Worker there(**inboxes, 1);
  std::thread other([&] { there.run(); });
  here.run();
  other.join();
  const bool in_order = here.in_order() && there.in_order();
  std::puts(in_order ? "all frames came as they were sent" : "a frame is not what was sent");
  return in_order ? 0 : 1;
}
