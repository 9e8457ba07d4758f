#include "kernels/emulation/emulated_driver.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "kernels/device/gpu.h"
#include "kernels/emulation/kernel_registry.h"

namespace viaduct::emulation {
namespace {

using namespace kernels;

constexpr CuResult InvalidValue{1};
constexpr CuResult NotFound{500};
constexpr CuResult IllegalAddress{700};  // what a faulty kernel leaves behind, for all later calls
constexpr size_t Alignment = 256;        // as cuMemAlloc aligns

// The one device. The driver's functions know it by no other way than this. It never ends, and what a
// device that was given up has never given back stays with it.
struct Device {
  std::mutex mutex;
  Emulator emulator;
  DeviceBehaviour behaviour;
  bool failed = false;
  std::deque<std::function<void()>> queue;
  std::map<void*, size_t> allocated;  // bytes
  size_t registered = 0;
  size_t given_back_unwiped = 0;
};

Device& device() {
  static Device& the_device = *new Device;
  return the_device;
}

CuResult health() { return device().failed ? IllegalAddress : CuResult::Success; }

void* allocate_aligned(size_t bytes) {
  const size_t whole = (bytes + Alignment - 1) / Alignment * Alignment;
  void* memory = std::aligned_alloc(Alignment, whole);
  device().allocated[memory] = bytes;
  return memory;
}

void give_back(void* memory) {
  const auto found = device().allocated.find(memory);
  const auto* bytes = static_cast<const uint8_t*>(memory);
  const bool wiped = std::all_of(bytes, bytes + found->second, [](uint8_t b) { return b == 0; });
  device().given_back_unwiped += !wiped;
  device().allocated.erase(found);
  std::free(memory);
}

// A launch's parameters, kept until it runs.
class Launch {
 public:
  Launch(const Kernel& kernel, Dim3 grid, Dim3 block, void** parameters)
      : kernel_(kernel), grid_(grid), block_(block) {
    for (size_t i = 0; i < kernel.parameter_sizes.size(); ++i) {
      values_.emplace_back();
      std::memcpy(&values_.back(), parameters[i], kernel.parameter_sizes[i]);
    }
  }
  void limit_to_one_block() { grid_ = {1, 1, 1}; }
  void run() {
    std::vector<void*> pointers;
    for (uint64_t& value : values_) pointers.push_back(&value);
    device().emulator.launch(grid_, block_, kernel_.entry, pointers.data(),
                             device().behaviour.schedule);
  }
  // Where the kernel would announce its end: the parameter before the last.
  uint64_t* completion() { return reinterpret_cast<uint64_t*>(values_[values_.size() - 2]); }

 private:
  const Kernel& kernel_;
  Dim3 grid_;
  const Dim3 block_;
  std::vector<uint64_t> values_;
};

// The first block's results stand, as they may on a device that fails on its way; nobody is told of the
// end.
void run_and_fail(Launch& launch) {
  uint64_t* const completion = launch.completion();
  const uint64_t before = *completion;
  launch.limit_to_one_block();
  launch.run();
  *completion = before;
  device().failed = true;
}

void enqueue(std::function<void()> operation) {
  if (device().behaviour.holds_launches) {
    device().queue.push_back(std::move(operation));
  } else {
    operation();
  }
}

CuResult init(unsigned) { return CuResult::Success; }
CuResult driver_version(int* version) {
  *version = 0;
  return CuResult::Success;
}
CuResult device_count(int* count) {
  *count = 1;
  return CuResult::Success;
}
CuResult get_device(CuDevice* handle, int ordinal) {
  *handle = 0;
  return ordinal == 0 ? CuResult::Success : InvalidValue;
}
CuResult device_name(char* name, int size, CuDevice) {
  std::strncpy(name, "emulated on the CPU", static_cast<size_t>(size));
  return CuResult::Success;
}
CuResult device_attribute(int* value, int attribute, CuDevice) {
  *value = attribute == cu::AttributeMultiprocessors ? 2 : 0;
  return CuResult::Success;
}
CuResult device_memory(size_t* bytes, CuDevice) {
  *bytes = 0;
  return CuResult::Success;
}
CuResult retain_context(CuContext* context, CuDevice) {
  *context = reinterpret_cast<CuContext>(&device());
  return CuResult::Success;
}
CuResult release_context(CuDevice) { return CuResult::Success; }
CuResult set_context(CuContext) { return CuResult::Success; }
CuResult load_module(CuModule* module, const void*) {
  *module = reinterpret_cast<CuModule>(&device());
  return CuResult::Success;
}
CuResult unload_module(CuModule) { return CuResult::Success; }

CuResult get_function(CuFunction* function, CuModule, const char* name) {
  const Kernel* kernel = find_kernel(name);
  *function = reinterpret_cast<CuFunction>(const_cast<Kernel*>(kernel));
  return kernel ? CuResult::Success : NotFound;
}

CuResult allocate(CuPointer* memory, size_t bytes) {
  const std::lock_guard lock(device().mutex);
  *memory = reinterpret_cast<CuPointer>(allocate_aligned(bytes));
  return health();
}
CuResult free_memory(CuPointer memory) {
  const std::lock_guard lock(device().mutex);
  give_back(reinterpret_cast<void*>(memory));
  return health();
}
CuResult set_bytes(CuPointer memory, unsigned char value, size_t count) {
  const std::lock_guard lock(device().mutex);
  std::memset(reinterpret_cast<void*>(memory), value, count);
  return health();
}
CuResult set_bytes_async(CuPointer memory, unsigned char value, size_t count, CuStream) {
  const std::lock_guard lock(device().mutex);
  if (device().failed) return IllegalAddress;
  enqueue([=] { std::memset(reinterpret_cast<void*>(memory), value, count); });
  return CuResult::Success;
}
CuResult allocate_host(void** memory, size_t bytes, unsigned) {
  const std::lock_guard lock(device().mutex);
  *memory = allocate_aligned(bytes);
  return health();
}
CuResult free_host(void* memory) {
  const std::lock_guard lock(device().mutex);
  give_back(memory);
  return health();
}
CuResult register_host(void*, size_t, unsigned) {
  const std::lock_guard lock(device().mutex);
  ++device().registered;
  return health();
}
CuResult unregister_host(void*) {
  const std::lock_guard lock(device().mutex);
  --device().registered;
  return health();
}
CuResult device_pointer(CuPointer* pointer, void* host, unsigned) {
  *pointer = reinterpret_cast<CuPointer>(host);
  return CuResult::Success;
}

CuResult create_stream(CuStream* stream, unsigned) {
  *stream = reinterpret_cast<CuStream>(&device());
  return CuResult::Success;
}
CuResult destroy_stream(CuStream) { return CuResult::Success; }
CuResult query_stream(CuStream) {
  const std::lock_guard lock(device().mutex);
  if (device().failed) return IllegalAddress;
  return device().queue.empty() ? CuResult::Success : CuResult::NotReady;
}
CuResult synchronize_stream(CuStream) {
  run_queued(SIZE_MAX);
  const std::lock_guard lock(device().mutex);
  return health();
}

CuResult launch(CuFunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                unsigned block_x, unsigned block_y, unsigned block_z, unsigned, CuStream,
                void** parameters, void**) {
  const std::lock_guard lock(device().mutex);
  DeviceBehaviour& behaviour = device().behaviour;
  if (device().failed) return IllegalAddress;
  const bool fails = behaviour.launches_until_failure == 0;
  if (behaviour.launches_until_failure >= 0) --behaviour.launches_until_failure;
  if (fails && behaviour.fails_at_launch) {
    device().failed = true;
    return IllegalAddress;
  }
  const auto& kernel = *reinterpret_cast<const Kernel*>(function);
  Launch one(kernel, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, parameters);
  enqueue([one, fails]() mutable { fails ? run_and_fail(one) : one.run(); });
  return CuResult::Success;
}

CuResult error_string(CuResult error, const char** text) {
  *text = error == IllegalAddress ? "an illegal memory access was encountered"
          : error == NotFound     ? "named symbol not found"
                                  : "invalid argument";
  return CuResult::Success;
}

}  // namespace

const Driver& emulated_driver() {
  static constexpr Driver driver = {.init = init,
                                    .driver_version = driver_version,
                                    .device_count = device_count,
                                    .device = get_device,
                                    .device_name = device_name,
                                    .device_attribute = device_attribute,
                                    .device_memory = device_memory,
                                    .retain_context = retain_context,
                                    .release_context = release_context,
                                    .set_context = set_context,
                                    .load_module = load_module,
                                    .unload_module = unload_module,
                                    .function = get_function,
                                    .allocate = allocate,
                                    .free = free_memory,
                                    .set_bytes = set_bytes,
                                    .set_bytes_async = set_bytes_async,
                                    .allocate_host = allocate_host,
                                    .free_host = free_host,
                                    .register_host = register_host,
                                    .unregister_host = unregister_host,
                                    .device_pointer = device_pointer,
                                    .create_stream = create_stream,
                                    .destroy_stream = destroy_stream,
                                    .query_stream = query_stream,
                                    .synchronize_stream = synchronize_stream,
                                    .launch = launch,
                                    .error_string = error_string};
  return driver;
}

Result<std::shared_ptr<Gpu>> open_emulated_gpu() { return Gpu::open(emulated_driver(), {}); }

void set_behaviour(const DeviceBehaviour& behaviour) {
  const std::lock_guard lock(device().mutex);
  device().behaviour = behaviour;
  device().failed = false;
  device().queue.clear();
  device().given_back_unwiped = 0;
}

size_t run_queued(size_t at_most) {
  const std::lock_guard lock(device().mutex);
  size_t run = 0;
  for (; run < at_most && !device().queue.empty(); ++run) {
    const std::function<void()> operation = std::move(device().queue.front());
    device().queue.pop_front();
    operation();
  }
  return run;
}

size_t allocations() {
  const std::lock_guard lock(device().mutex);
  return device().allocated.size() + device().registered;
}

size_t given_back_unwiped() {
  const std::lock_guard lock(device().mutex);
  return device().given_back_unwiped;
}

}  // namespace viaduct::emulation
