#include "edge/cpu_cipher.h"

// Compiled in the place of cpu_cipher*.cc where the build finds no libipsec-mb.
namespace viaduct::edge {

Result<std::unique_ptr<SessionCipher>> make_cpu_cipher(Direction, size_t, CpuFeatures) {
  return Error{ErrorCode::Unavailable,
               "this build has no libipsec-mb; install libipsec-mb-dev and build again"};
}

}  // namespace viaduct::edge
