// SRTP on libipsec-mb, for a batch of packets under different keys: AES-GCM packet by packet, which
// the CPU's vector units fill by themselves, AES-CM with HMAC-SHA1 several packets side by side.
// RFC 3711 sections 3 and 4, RFC 7714 sections 8 and 9; what it writes is ReferenceCipher's, byte
// for byte.
//
// submit() does the work. Nothing is allocated for a batch and no clock is read. Each key takes
// 2,576 bytes of secret memory, each cipher 200 KB (400 KB where SHA instructions and wide vectors
// are both there) for the library's state, wiped with it. Where the build has no libipsec-mb,
// no_cpu_cipher.cc stands in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "edge/session_cipher.h"

namespace viaduct::edge {

// What the CPU may be asked for. Best is what libipsec-mb picks; the others are for tests.
enum class CpuFeatures : uint8_t { Best, Sse, Avx, Avx2, Avx512 };

// Unavailable, with a sentence that says what is missing, where the CPU or the build lacks what it
// takes.
Result<std::unique_ptr<SessionCipher>> make_cpu_cipher(Direction direction, size_t max_keys,
                                                       CpuFeatures features = CpuFeatures::Best);

}  // namespace viaduct::edge
