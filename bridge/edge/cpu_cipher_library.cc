#include "edge/cpu_cipher_library.h"

#include "secrecy/secret_memory.h"

namespace viaduct::edge {
namespace {

constexpr size_t ManagerAlignment = 64;

struct FeatureLevel {
  uint64_t needed;
  void (*init)(IMB_MGR*);
  const char* what;
};

void init_best(IMB_MGR* manager) {
  IMB_ARCH picked = IMB_ARCH_NONE;
  init_mb_mgr_auto(manager, &picked);
}

// All need AES and carry-less multiplication: without them the library emulates, slower than
// OpenSSL.
FeatureLevel level_of(CpuFeatures features) {
  switch (features) {
    case CpuFeatures::Sse:
      return {IMB_CPUFLAGS_SSE, init_mb_mgr_sse, "SSE4.2"};
    case CpuFeatures::Avx:
      return {IMB_CPUFLAGS_AVX, init_mb_mgr_avx, "AVX"};
    case CpuFeatures::Avx2:
      return {IMB_CPUFLAGS_AVX2, init_mb_mgr_avx2, "AVX2"};
    case CpuFeatures::Avx512:
      return {IMB_CPUFLAGS_AVX512, init_mb_mgr_avx512, "AVX-512"};
    case CpuFeatures::Best:
      break;
  }
  return {IMB_CPUFLAGS_SSE, init_best, "SSE4.2"};
}

}  // namespace

Result<IpsecManager> IpsecManager::make(CpuFeatures features) {
  const FeatureLevel level = level_of(features);
  if ((imb_get_feature_flags() & level.needed) != level.needed) {
    return Error{ErrorCode::Unavailable, std::string("the CPU lacks what libipsec-mb needs: ") +
                                             level.what + ", AES-NI and PCLMULQDQ"};
  }
  void* block = secrecy::allocate(imb_get_mb_mgr_size() + ManagerAlignment);
  if (block == nullptr) {
    return Error{ErrorCode::Unavailable, "no memory is left for libipsec-mb"};
  }
  const auto address = reinterpret_cast<uintptr_t>(block);
  const uintptr_t aligned = (address + ManagerAlignment - 1) / ManagerAlignment * ManagerAlignment;
  IpsecManager made(block, imb_set_pointers_mb_mgr(reinterpret_cast<void*>(aligned), /*flags=*/0,
                                                   /*reset_mgr=*/1));
  if (made.manager_ != nullptr) level.init(made.manager_);
  if (made.manager_ == nullptr || imb_get_errno(made.manager_) != 0) {
    return Error{ErrorCode::Unavailable, std::string("libipsec-mb cannot be used: ") +
                                             imb_get_strerror(imb_get_errno(made.manager_))};
  }
  return made;
}

IpsecManager::~IpsecManager() { secrecy::release(block_); }  // wipes

bool IpsecManager::has_sha_instructions() const {
  return manager_->used_arch == IMB_ARCH_SSE && (manager_->features & IMB_FEATURE_SHANI) != 0;
}

size_t IpsecManager::hash_lanes() const {
  switch (manager_->used_arch) {
    case IMB_ARCH_AVX512:
      return 16;
    case IMB_ARCH_AVX2:
      return 8;
    default:
      return has_sha_instructions() ? 2 : 4;
  }
}

}  // namespace viaduct::edge
