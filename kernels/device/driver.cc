#include "kernels/device/driver.h"

#include <dlfcn.h>

#include <string>

namespace viaduct::kernels {
namespace {

constexpr const char* Library = "libcuda.so.1";

// Fills the table from the library; names a function that is missing.
class Loader {
 public:
  explicit Loader(void* library) : library_(library) {}

  template <typename Function>
  void load(Function*& slot, const char* name) {
    void* symbol = dlsym(library_, name);
    if (symbol == nullptr && missing_ == nullptr) missing_ = name;
    slot = reinterpret_cast<Function*>(symbol);
  }
  const char* missing() const { return missing_; }

 private:
  void* const library_;
  const char* missing_ = nullptr;
};

const char* load_all(void* library, Driver& d) {
  Loader from(library);
  from.load(d.init, "cuInit");
  from.load(d.driver_version, "cuDriverGetVersion");
  from.load(d.device_count, "cuDeviceGetCount");
  from.load(d.device, "cuDeviceGet");
  from.load(d.device_name, "cuDeviceGetName");
  from.load(d.device_attribute, "cuDeviceGetAttribute");
  from.load(d.device_memory, "cuDeviceTotalMem_v2");
  from.load(d.retain_context, "cuDevicePrimaryCtxRetain");
  from.load(d.release_context, "cuDevicePrimaryCtxRelease_v2");
  from.load(d.set_context, "cuCtxSetCurrent");
  from.load(d.load_module, "cuModuleLoadData");
  from.load(d.unload_module, "cuModuleUnload");
  from.load(d.function, "cuModuleGetFunction");
  from.load(d.allocate, "cuMemAlloc_v2");
  from.load(d.free, "cuMemFree_v2");
  from.load(d.set_bytes, "cuMemsetD8_v2");
  from.load(d.set_bytes_async, "cuMemsetD8Async");
  from.load(d.allocate_host, "cuMemHostAlloc");
  from.load(d.free_host, "cuMemFreeHost");
  from.load(d.register_host, "cuMemHostRegister_v2");
  from.load(d.unregister_host, "cuMemHostUnregister");
  from.load(d.device_pointer, "cuMemHostGetDevicePointer_v2");
  from.load(d.create_stream, "cuStreamCreate");
  from.load(d.destroy_stream, "cuStreamDestroy_v2");
  from.load(d.query_stream, "cuStreamQuery");
  from.load(d.synchronize_stream, "cuStreamSynchronize");
  from.load(d.launch, "cuLaunchKernel");
  from.load(d.error_string, "cuGetErrorString");
  return from.missing();
}

Result<const Driver*> open_driver() {
  void* library = dlopen(Library, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error{ErrorCode::Unavailable, std::string("this machine has no NVIDIA driver (") +
                                             Library + " is not there)"};
  }
  static Driver driver;
  if (const char* missing = load_all(library, driver)) {
    dlclose(library);
    return Error{ErrorCode::Unavailable,
                 std::string("the NVIDIA driver is too old: it has no ") + missing};
  }
  return &driver;
}

}  // namespace

Result<const Driver*> load_driver() {
  static const Result<const Driver*> driver = open_driver();
  return driver;
}

Error driver_error(const Driver& driver, CuResult result, const char* doing) {
  const char* text = nullptr;
  if (driver.error_string(result, &text) != CuResult::Success || text == nullptr)
    text = "unknown error";
  return {ErrorCode::Unavailable, std::string("the GPU failed while ") + doing + ": " + text +
                                      " (" + std::to_string(static_cast<int>(result)) + ")"};
}

}  // namespace viaduct::kernels
