#include "kernels/emulation/machine.h"

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace viaduct::emulation {
namespace {

// The machine whose launch this thread of the host is in.
constinit thread_local Machine* here = nullptr;

Machine& machine() {
  CHECK(here != nullptr);  // device code runs in a launch
  return *here;
}

uint32_t count(Dim3 size) { return size.x * size.y * size.z; }

Dim3 position_of(uint32_t index, Dim3 size) {
  return {index % size.x, index / size.x % size.y, index / (size.x * size.y)};
}

}  // namespace

constinit thread_local const ThreadContext* current_thread = nullptr;

void sync_threads() { machine().sync_threads(); }

uint64_t collective(uint32_t mask, Collective kind, uint64_t value, uint32_t source) {
  return machine().collective(mask, kind, value, source);
}

void* shared_object(const void* identity, size_t size, size_t alignment) {
  return machine().shared_object(identity, size, alignment);
}

void thread_fence() { machine().thread_fence(); }

Machine::Fiber::Fiber(size_t stack_bytes) : stack(stack_bytes) {
  sanitizer::create_fiber(view, stack.bytes().data(), stack_bytes);
}

Machine::Fiber::~Fiber() { sanitizer::destroy_fiber(view); }

Machine::Machine() : fiber_sets_(sanitizer::FiberSets) {}

Machine::~Machine() = default;

void Machine::run(Dim3 grid, Dim3 block, KernelEntry kernel, void** parameters, Schedule schedule) {
  thread_count_ = count(block);
  CHECK(here == nullptr);  // a kernel launches no kernel
  CHECK(thread_count_ > 0 && thread_count_ <= MaxBlockThreads);
  here = this;
  grid_ = grid;
  block_ = block;
  kernel_ = kernel;
  parameters_ = parameters;
  schedule_ = schedule;
  random_state_ = schedule.seed;
  sanitizer::adopt_this_thread(launcher_view_);

  const uint32_t blocks = count(grid);
  std::vector<uint32_t> order(blocks);
  for (uint32_t i = 0; i < blocks; ++i) {
    order[i] = schedule.order == Order::Reverse ? blocks - 1 - i : i;
  }
  if (schedule.order == Order::Shuffled) shuffle(order.data(), blocks);
  for (const uint32_t index : order) run_block(position_of(index, grid));

  sanitizer::acquire(&end_token_);
  wipe_all();
  here = nullptr;
}

void Machine::run_block(Dim3 position) {
  fiber_set_ = (fiber_set_ + 1) % fiber_sets_.size();
  tokens_ = std::make_unique<Tokens>();
  shared_.begin_block();
  sanitizer::release(&start_token_);
  alive_ = thread_count_;
  at_barrier_ = 0;
  warps_.fill({});
  for (uint32_t i = 0; i < thread_count_; ++i) prepare_thread(i, position);
  while (alive_ > 0) {
    order_threads();
    bool progress = false;
    for (uint32_t i = 0; i < thread_count_; ++i) {
      Thread& thread = threads_[order_[i]];
      if (thread.state != State::Ready) continue;
      progress = true;
      resume(thread);
    }
    if (!progress) misuse("divergent barrier: the threads wait for one another");
  }
}

void Machine::prepare_thread(uint32_t index, Dim3 position) {
  auto& fibers = fiber_sets_[fiber_set_];
  if (fibers.size() <= index) fibers.push_back(std::make_unique<Fiber>(sanitizer::StackBytes));
  Thread& thread = threads_[index];
  thread.context = {position_of(index, block_), position,         block_, grid_, index,
                    index % WarpLanes,          index / WarpLanes};
  thread.state = State::Ready;
  thread.fiber = fibers[index].get();
  const std::span<std::byte> stack = thread.fiber->stack.bytes();
  sanitizer::allow(stack.data(), stack.size());
  // Stacks that start at the same place in their pages would compete for the same lines of the
  // cache.
  const size_t colour = index % 16 * 256;
  prepare_fiber(thread.fiber->context, stack.first(stack.size() - colour), &thread_main);
  warps_[thread.context.warp].alive |= 1u << thread.context.lane;
}

void Machine::order_threads() {
  for (uint32_t i = 0; i < thread_count_; ++i) {
    order_[i] = schedule_.order == Order::Reverse ? thread_count_ - 1 - i : i;
  }
  if (schedule_.order == Order::Shuffled) shuffle(order_.data(), thread_count_);
}

void Machine::resume(Thread& thread) {
  running_ = &thread;
  current_thread = &thread.context;
  sanitizer::leave(launcher_view_, thread.fiber->view, false);
  switch_fiber(launcher_, thread.fiber->context);
  sanitizer::enter(launcher_view_, thread.fiber->view);
  current_thread = nullptr;
}

void Machine::pause(bool for_good) {
  Fiber& fiber = *running_->fiber;
  sanitizer::leave(fiber.view, launcher_view_, for_good);
  switch_fiber(fiber.context, launcher_);
  sanitizer::enter(fiber.view, launcher_view_);
}

void Machine::thread_main() {
  Machine& self = *here;
  sanitizer::enter(self.running_->fiber->view, self.launcher_view_);
  sanitizer::acquire(&self.start_token_);
  self.kernel_(self.parameters_);
  sanitizer::release(&self.end_token_);
  self.end_thread();
  std::abort();  // an ended thread is not resumed
}

void Machine::end_thread() {
  const ThreadContext& context = running_->context;
  Warp& warp = warps_[context.warp];
  const uint32_t lane = 1u << context.lane;
  if (warp.arrived != 0 && (warp.mask & lane) != 0) {
    misuse("a lane that a warp operation waits for has exited");
  }
  running_->state = State::Ended;
  warp.alive &= ~lane;
  --alive_;
  open_barrier();  // who has exited is not waited for, as on a GPU
  pause(true);
}

void Machine::sync_threads() {
  running_->state = State::AtBarrier;
  ++at_barrier_;
  char* token = &tokens_->barrier[barriers_ % 2];
  sanitizer::release(token);
  open_barrier();
  pause();
  sanitizer::acquire(token);
}

void Machine::open_barrier() {
  if (at_barrier_ == 0 || at_barrier_ < alive_) return;
  at_barrier_ = 0;
  ++barriers_;
  for (uint32_t i = 0; i < thread_count_; ++i) {
    if (threads_[i].state == State::AtBarrier) threads_[i].state = State::Ready;
  }
}

uint64_t Machine::collective(uint32_t mask, Collective kind, uint64_t value, uint32_t source) {
  Thread& self = *running_;
  const uint32_t lane = 1u << self.context.lane;
  Warp& warp = warps_[self.context.warp];
  if ((mask & lane) == 0) misuse("the calling lane is missing from the mask of a warp operation");
  if ((mask & ~warp.alive) != 0) misuse("a warp operation names a lane that exited or never was");
  if (kind == Collective::Shuffle && (mask >> source & 1) == 0) {
    misuse("a shuffle reads from a lane that is missing from its mask");
  }
  if (warp.arrived != 0 && (warp.mask != mask || warp.kind != kind)) {
    misuse("the lanes of a warp disagree on the warp operation or its mask");
  }
  self.value = value;
  self.source = source;
  self.state = State::InWarpOperation;
  warp.mask = mask;
  warp.kind = kind;
  warp.arrived |= lane;
  // Shuffles and votes order no memory.
  char* token =
      kind == Collective::Sync ? &tokens_->warps[self.context.warp][warp.syncs % 2] : nullptr;
  if (token != nullptr) sanitizer::release(token);
  if (warp.arrived == mask) finish_warp_operation(self.context.warp);
  pause();
  if (token != nullptr) sanitizer::acquire(token);
  return self.value;
}

void Machine::finish_warp_operation(uint32_t index) {
  Warp& warp = warps_[index];
  Thread* lanes = &threads_[index * WarpLanes];
  uint64_t values[WarpLanes] = {};
  uint64_t votes = 0;
  for (uint32_t left = warp.arrived; left != 0; left &= left - 1) {
    const auto lane = static_cast<uint32_t>(std::countr_zero(left));
    values[lane] = lanes[lane].value;
    if (values[lane] != 0) votes |= uint64_t{1} << lane;
  }
  for (uint32_t left = warp.arrived; left != 0; left &= left - 1) {
    Thread& lane = lanes[std::countr_zero(left)];
    lane.value = warp.kind == Collective::Shuffle ? values[lane.source] : votes;
    lane.state = State::Ready;
  }
  if (warp.kind == Collective::Sync) ++warp.syncs;
  warp.arrived = 0;
}

void* Machine::shared_object(const void* identity, size_t size, size_t alignment) {
  void* object = shared_.object(identity, size, alignment);
  if (object == nullptr) misuse("the block asks for more shared memory than there is");
  return object;
}

void Machine::thread_fence() {
  sanitizer::release(&fence_token_);
  sanitizer::acquire(&fence_token_);
}

uint32_t Machine::random_below(uint32_t bound) {
  random_state_ = random_state_ * 6364136223846793005u + 1442695040888963407u;
  return static_cast<uint32_t>((random_state_ >> 32) * bound >> 32);
}

void Machine::shuffle(uint32_t* items, uint32_t count) {
  for (uint32_t i = count; i > 1; --i) std::swap(items[i - 1], items[random_below(i)]);
}

void Machine::wipe_all() {
  for (const auto& fibers : fiber_sets_) {
    for (size_t i = 0; i < fibers.size() && i < thread_count_; ++i) {
      const std::span<std::byte> stack = fibers[i]->stack.bytes();
      sanitizer::allow(stack.data(), stack.size());
      wipe(stack);
    }
  }
  for (Thread& thread : threads_) thread.value = 0;
  shared_.wipe_used();
}

void Machine::misuse(const char* what) const {
  uint32_t counts[4] = {};
  for (uint32_t i = 0; i < thread_count_; ++i) ++counts[static_cast<size_t>(threads_[i].state)];
  std::fprintf(stderr, "CUDA emulation: %s", what);
  if (current_thread != nullptr) {
    const Dim3& block = current_thread->block;
    std::fprintf(stderr, " (block %u,%u,%u thread %u)", block.x, block.y, block.z,
                 current_thread->index);
  }
  std::fprintf(stderr, "; %u threads at a barrier, %u in a warp operation, %u ended\n", counts[1],
               counts[2], counts[3]);
  std::abort();
}

}  // namespace viaduct::emulation
