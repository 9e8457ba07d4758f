// libipsec-mb's state, kept in secret memory: it holds round keys and hash states of the packets
// that it works on, in a manager of 200 KB.
//
// The only place that names the library's header.
#pragma once

// Without it the header defines macros called GCM, ENCRYPT and the like.
#define NO_COMPAT_IMB_API_053
#include <intel-ipsec-mb.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/result.h"
#include "edge/cpu_cipher.h"

namespace viaduct::edge {

// A manager, wiped when it goes.
class IpsecManager {
 public:
  // Unavailable when the CPU lacks `features` or the library fails its own test.
  static Result<IpsecManager> make(CpuFeatures features);
  IpsecManager(IpsecManager&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        manager_(std::exchange(other.manager_, nullptr)) {}
  IpsecManager& operator=(IpsecManager&&) = delete;
  ~IpsecManager();

  IMB_MGR* get() const { return manager_; }
  bool has_sha_instructions() const;  // and uses them
  // How many HMAC-SHA1 the manager computes side by side.
  size_t hash_lanes() const;

 private:
  IpsecManager(void* block, IMB_MGR* manager) : block_(block), manager_(manager) {}

  void* block_;  // of secret memory; the manager lies in it, aligned
  IMB_MGR* manager_;
};

}  // namespace viaduct::edge
