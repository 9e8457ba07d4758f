#include "kernels/device/gpu.h"

#include <cstring>

namespace viaduct::kernels {
namespace {

constexpr std::array<const char*, KernelCount> Names = {
    "viaduct_srtp_protect",  "viaduct_srtp_unprotect", "viaduct_srtp_expand_keys",
    "viaduct_audio_measure", "viaduct_audio_mix",      "viaduct_speaker_scores"};

Error gone() { return {ErrorCode::Unavailable, "the GPU has failed before"}; }

std::string version_text(int version) {  // 13000 is 13.0
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace

DeviceMemory::~DeviceMemory() {
  if (!gpu_ || !gpu_->enter()) return;
  gpu_->driver_.set_bytes(address_, 0, bytes_);
  gpu_->driver_.free(address_);
}

SharedMemory::~SharedMemory() {
  if (!gpu_) return;
  if (origin_ == Origin::Allocated) explicit_bzero(host_.data(), host_.size());
  if (!gpu_->enter()) return;
  if (origin_ == Origin::Registered) {
    gpu_->driver_.unregister_host(host_.data());
  } else {
    gpu_->driver_.free_host(host_.data());
  }
}

Stream::~Stream() {
  if (!gpu_ || !gpu_->enter()) return;
  gpu_->driver_.synchronize_stream(stream_);
  gpu_->driver_.destroy_stream(stream_);
}

Result<std::shared_ptr<Gpu>> Gpu::open(const Driver& driver, Bytes image) {
  std::shared_ptr<Gpu> gpu(new Gpu(driver));
  if (const auto done = gpu->set_up(image); !done) return done.error();
  return gpu;
}

Gpu::~Gpu() {
  if (context_ == nullptr || !enter()) return;
  if (module_ != nullptr) driver_.unload_module(module_);
  driver_.release_context(device_);
}

Result<void> Gpu::set_up(Bytes image) {
  if (auto ok = succeeded(driver_.init(0), "starting"); !ok) return ok;
  int count = 0;
  if (driver_.device_count(&count) != CuResult::Success || count == 0)
    return Error{ErrorCode::Unavailable, "the NVIDIA driver sees no GPU"};
  if (auto ok = succeeded(driver_.device(&device_, 0), "being chosen"); !ok) return ok;
  if (auto ok = read_info(); !ok) return ok;
  if (auto ok = succeeded(driver_.retain_context(&context_, device_), "making a context"); !ok)
    return ok;
  if (!enter()) return gone();
  return load_kernels(image);
}

Result<void> Gpu::read_info() {
  char name[128] = {};
  int version = 0, major = 0, minor = 0;
  const CuResult results[] = {
      driver_.device_name(name, sizeof name - 1, device_),
      driver_.driver_version(&version),
      driver_.device_attribute(&major, cu::AttributeMajor, device_),
      driver_.device_attribute(&minor, cu::AttributeMinor, device_),
      driver_.device_attribute(&info_.multiprocessors, cu::AttributeMultiprocessors, device_),
      driver_.device_memory(&info_.memory_bytes, device_)};
  for (const CuResult result : results) {
    if (auto ok = succeeded(result, "describing itself"); !ok) return ok;
  }
  info_.name = name;
  info_.driver = version_text(version);
  info_.compute_capability = std::to_string(major) + "." + std::to_string(minor);
  return {};
}

Result<void> Gpu::load_kernels(Bytes image) {
  if (auto ok = succeeded(driver_.load_module(&module_, image.data()), "loading the kernels"); !ok)
    return ok;
  for (size_t i = 0; i < KernelCount; ++i) {
    auto ok = succeeded(driver_.function(&kernels_[i], module_, Names[i]), "looking up a kernel");
    if (!ok) return ok;
  }
  return {};
}

Result<DeviceMemory> Gpu::allocate(size_t bytes) {
  if (!enter()) return gone();
  CuPointer address = 0;
  if (auto ok = succeeded(driver_.allocate(&address, bytes), "reserving its memory"); !ok)
    return ok.error();
  DeviceMemory memory(shared_from_this(), address, bytes);
  if (auto ok = succeeded(driver_.set_bytes(address, 0, bytes), "clearing its memory"); !ok)
    return ok.error();
  return memory;
}

Result<SharedMemory> Gpu::allocate_shared(size_t bytes) {
  if (!enter()) return gone();
  void* host = nullptr;
  auto ok = succeeded(driver_.allocate_host(&host, bytes, cu::HostAllocMapped), "pinning memory");
  if (!ok) return ok.error();
  std::memset(host, 0, bytes);
  CuPointer device = 0;
  const CuResult mapped = driver_.device_pointer(&device, host, 0);
  SharedMemory memory(shared_from_this(), {static_cast<uint8_t*>(host), bytes}, device,
                      SharedMemory::Origin::Allocated);
  if (ok = succeeded(mapped, "mapping memory"); !ok) return ok.error();
  return memory;
}

Result<std::shared_ptr<const SharedMemory>> Gpu::share(std::span<uint8_t> memory) {
  const std::lock_guard lock(shared_mutex_);
  for (const auto& known : shared_) {
    const auto shared = known.lock();
    if (shared && shared->host().data() == memory.data() && shared->host().size() == memory.size())
      return shared;
  }
  if (!enter()) return gone();
  auto ok = succeeded(driver_.register_host(memory.data(), memory.size(), cu::HostRegisterMapped),
                      "registering packet memory");
  if (!ok) return ok.error();
  CuPointer device = 0;
  const CuResult mapped = driver_.device_pointer(&device, memory.data(), 0);
  auto shared = std::make_shared<const SharedMemory>(shared_from_this(), memory, device,
                                                     SharedMemory::Origin::Registered);
  if (ok = succeeded(mapped, "mapping packet memory"); !ok) return ok.error();
  shared_.push_back(shared);
  return shared;
}

Result<Stream> Gpu::make_stream() {
  if (!enter()) return gone();
  CuStream stream = nullptr;
  auto ok = succeeded(driver_.create_stream(&stream, cu::StreamNonBlocking), "making a stream");
  if (!ok) return ok.error();
  return Stream(shared_from_this(), stream);
}

Result<void> Gpu::launch_with(const Stream& stream, Kernel kernel, LaunchSize size,
                              void** parameters) {
  if (!enter()) return gone();
  return succeeded(driver_.launch(kernels_[static_cast<size_t>(kernel)], size.blocks, 1, 1,
                                  size.threads, 1, 1, 0, stream.get(), parameters, nullptr),
                   "starting a kernel");
}

Result<void> Gpu::clear(const Stream& stream, uint64_t address, size_t bytes) {
  if (!enter()) return gone();
  return succeeded(driver_.set_bytes_async(address, 0, bytes, stream.get()), "clearing memory");
}

Result<void> Gpu::check(const Stream& stream) {
  if (!enter()) return gone();
  const CuResult state = driver_.query_stream(stream.get());
  if (state == CuResult::NotReady) return {};
  return succeeded(state, "running a kernel");
}

Result<void> Gpu::wait_for(const Stream& stream) {
  if (!enter()) return gone();
  return succeeded(driver_.synchronize_stream(stream.get()), "running a kernel");
}

Result<void> Gpu::succeeded(CuResult result, const char* doing) const {
  if (result == CuResult::Success) return {};
  return driver_error(driver_, result, doing);
}

}  // namespace viaduct::kernels
