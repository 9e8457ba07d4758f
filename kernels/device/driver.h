// The part of CUDA's driver that Viaduct uses, as a table of functions. It comes from libcuda.so.1,
// which is opened at run time and never linked, or from the emulation (kernels/emulation), which
// runs the same kernels on the CPU. No CUDA toolkit is needed to compile this.
//
// Names, types and values are those of the CUDA Driver API reference.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace viaduct::kernels {

using CuDevice = int;
using CuContext = struct CUctx_st*;
using CuModule = struct CUmod_st*;
using CuFunction = struct CUfunc_st*;
using CuStream = struct CUstream_st*;
using CuPointer = uint64_t;  // an address on the device

enum class CuResult : int { Success = 0, NotReady = 600 };

namespace cu {
inline constexpr int AttributeMultiprocessors = 16;
inline constexpr int AttributeMajor = 75;
inline constexpr int AttributeMinor = 76;
inline constexpr unsigned HostAllocMapped = 2;     // CU_MEMHOSTALLOC_DEVICEMAP
inline constexpr unsigned HostRegisterMapped = 2;  // CU_MEMHOSTREGISTER_DEVICEMAP
inline constexpr unsigned StreamNonBlocking = 1;
}  // namespace cu

struct Driver {
  CuResult (*init)(unsigned flags);
  CuResult (*driver_version)(int* version);
  CuResult (*device_count)(int* count);
  CuResult (*device)(CuDevice* device, int ordinal);
  CuResult (*device_name)(char* name, int size, CuDevice device);
  CuResult (*device_attribute)(int* value, int attribute, CuDevice device);
  CuResult (*device_memory)(size_t* bytes, CuDevice device);
  CuResult (*retain_context)(CuContext* context, CuDevice device);
  CuResult (*release_context)(CuDevice device);
  CuResult (*set_context)(CuContext context);
  CuResult (*load_module)(CuModule* module, const void* image);
  CuResult (*unload_module)(CuModule module);
  CuResult (*function)(CuFunction* function, CuModule module, const char* name);
  CuResult (*allocate)(CuPointer* memory, size_t bytes);
  CuResult (*free)(CuPointer memory);
  CuResult (*set_bytes)(CuPointer memory, unsigned char value, size_t count);
  CuResult (*set_bytes_async)(CuPointer memory, unsigned char value, size_t count, CuStream stream);
  CuResult (*allocate_host)(void** memory, size_t bytes, unsigned flags);
  CuResult (*free_host)(void* memory);
  CuResult (*register_host)(void* memory, size_t bytes, unsigned flags);
  CuResult (*unregister_host)(void* memory);
  CuResult (*device_pointer)(CuPointer* pointer, void* host, unsigned flags);
  CuResult (*create_stream)(CuStream* stream, unsigned flags);
  CuResult (*destroy_stream)(CuStream stream);
  CuResult (*query_stream)(CuStream stream);
  CuResult (*synchronize_stream)(CuStream stream);
  CuResult (*launch)(CuFunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                     unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                     CuStream stream, void** parameters, void** extra);
  CuResult (*error_string)(CuResult error, const char** text);
};

// The driver of this machine, opened once and for good. Unavailable when there is none; the sentence
// says so.
Result<const Driver*> load_driver();

// What went wrong, as the driver words it.
Error driver_error(const Driver& driver, CuResult result, const char* doing);

}  // namespace viaduct::kernels
