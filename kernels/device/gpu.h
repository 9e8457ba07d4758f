// One GPU: its context, the kernels loaded into it, its memory and its streams. No word of CUDA
// leaves this folder.
//
// Setting up may take long and block; launch() and what follows it never do. Whatever held media or
// keys is wiped before it is given back.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "kernels/device/driver.h"

namespace viaduct::kernels {

enum class Kernel : uint8_t {
  SrtpProtect,
  SrtpUnprotect,
  SrtpExpandKeys,
  AudioMeasure,
  AudioMix,
  SpeakerScores,
};
inline constexpr size_t KernelCount = 6;

struct GpuInfo {
  std::string name;
  std::string driver;  // version of the CUDA API that it offers, "13.0"
  std::string compute_capability;
  int multiprocessors = 0;
  size_t memory_bytes = 0;
};

class Gpu;

// Memory of the device, zeroed.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(std::shared_ptr<Gpu> gpu, CuPointer address, size_t bytes)
      : gpu_(std::move(gpu)), address_(address), bytes_(bytes) {}
  ~DeviceMemory();
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    swap(other);
    return *this;
  }

  uint64_t address() const { return address_; }
  size_t size() const { return bytes_; }

 private:
  void swap(DeviceMemory& other) noexcept {
    std::swap(gpu_, other.gpu_);
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
  }

  std::shared_ptr<Gpu> gpu_;
  CuPointer address_ = 0;
  size_t bytes_ = 0;
};

// Memory of the host that the device reaches too, at an address of its own. Either made for that
// (pinned, zeroed) or existing memory that is registered for it.
class SharedMemory {
 public:
  enum class Origin : uint8_t { Allocated, Registered };

  SharedMemory() = default;
  SharedMemory(std::shared_ptr<Gpu> gpu, std::span<uint8_t> host, CuPointer device, Origin origin)
      : gpu_(std::move(gpu)), host_(host), device_(device), origin_(origin) {}
  ~SharedMemory();
  SharedMemory(SharedMemory&& other) noexcept { swap(other); }
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    swap(other);
    return *this;
  }

  std::span<uint8_t> host() const { return host_; }
  uint64_t address_of(const void* host) const {
    return device_ + static_cast<uint64_t>(static_cast<const uint8_t*>(host) - host_.data());
  }
  bool contains(const uint8_t* at, size_t bytes) const {
    const auto begin = reinterpret_cast<uintptr_t>(host_.data());
    const auto first = reinterpret_cast<uintptr_t>(at);
    return first >= begin && first - begin <= host_.size() && bytes <= host_.size() - (first - begin);
  }

 private:
  void swap(SharedMemory& other) noexcept {
    std::swap(gpu_, other.gpu_);
    std::swap(host_, other.host_);
    std::swap(device_, other.device_);
    std::swap(origin_, other.origin_);
  }

  std::shared_ptr<Gpu> gpu_;
  std::span<uint8_t> host_;
  CuPointer device_ = 0;
  Origin origin_ = Origin::Allocated;
};

// Launches of one stream run one after the other.
class Stream {
 public:
  Stream() = default;
  Stream(std::shared_ptr<Gpu> gpu, CuStream stream) : gpu_(std::move(gpu)), stream_(stream) {}
  ~Stream();
  Stream(Stream&& other) noexcept { swap(other); }
  Stream& operator=(Stream&& other) noexcept {
    swap(other);
    return *this;
  }

  CuStream get() const { return stream_; }

 private:
  void swap(Stream& other) noexcept {
    std::swap(gpu_, other.gpu_);
    std::swap(stream_, other.stream_);
  }

  std::shared_ptr<Gpu> gpu_;
  CuStream stream_ = nullptr;
};

struct LaunchSize {
  unsigned blocks = 1;
  unsigned threads = 1;  // of a block
};

class Gpu : public std::enable_shared_from_this<Gpu> {
 public:
  // `image`: the kernels, as PTX (with a zero at its end) or as a fat binary.
  static Result<std::shared_ptr<Gpu>> open(const Driver& driver, Bytes image);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const GpuInfo& info() const { return info_; }

  Result<DeviceMemory> allocate(size_t bytes);
  Result<SharedMemory> allocate_shared(size_t bytes);
  // The same for all who ask for the same memory.
  Result<std::shared_ptr<const SharedMemory>> share(std::span<uint8_t> memory);
  Result<Stream> make_stream();

  // Queues a launch, and returns before it has run. `arguments` point to the kernel's parameters.
  template <typename... Arguments>
  Result<void> launch(const Stream& stream, Kernel kernel, LaunchSize size, Arguments... arguments) {
    void* pointers[] = {&arguments...};
    return launch_with(stream, kernel, size, pointers);
  }
  // Queues the overwriting of memory with zeros.
  Result<void> clear(const Stream& stream, uint64_t address, size_t bytes);
  // An error that launches of the stream have met, if any. Does not wait for them.
  Result<void> check(const Stream& stream);
  // Waits until everything queued has run. Not for the packet path.
  Result<void> wait_for(const Stream& stream);

  // The device has failed, or answers no more: it is asked for nothing again, not even to give back
  // what it holds. For good, and for all who use it.
  void give_up() { lost_ = true; }

 private:
  friend class DeviceMemory;
  friend class SharedMemory;
  friend class Stream;

  explicit Gpu(const Driver& driver) : driver_(driver) {}
  Result<void> set_up(Bytes image);
  Result<void> read_info();
  Result<void> load_kernels(Bytes image);
  Result<void> launch_with(const Stream& stream, Kernel kernel, LaunchSize size, void** parameters);
  Result<void> succeeded(CuResult result, const char* doing) const;
  // A context is a thread's, until it takes another. False when there is no device any more.
  bool enter() { return !lost_ && driver_.set_context(context_) == CuResult::Success; }

  const Driver& driver_;
  CuDevice device_ = 0;
  CuContext context_ = nullptr;
  CuModule module_ = nullptr;
  std::array<CuFunction, KernelCount> kernels_{};
  GpuInfo info_;
  std::atomic<bool> lost_ = false;
  std::mutex shared_mutex_;
  std::vector<std::weak_ptr<const SharedMemory>> shared_;
};

// The GPU of this machine with all kernels loaded, one for the whole process. Unavailable without a driver, a GPU, or
// where the program was built without kernels: one sentence says which.
Result<std::shared_ptr<Gpu>> open_gpu();

}  // namespace viaduct::kernels
