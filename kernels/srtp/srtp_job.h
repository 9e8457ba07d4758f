// What host and kernels tell each other about SRTP: jobs, groups of jobs, keys. Plain memory with
// the same layout on both sides; addresses are the device's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace viaduct::kernels {

inline constexpr uint32_t SrtpHeaderRoomBytes = 160;  // the longest header that a kernel takes
inline constexpr uint32_t SrtpHeadBytes = 176;        // header and prefix together
inline constexpr uint32_t SrtpBodyBytes = 1536;       // the longest body: prefix and payload
inline constexpr uint32_t SrtpGroupJobs = 8;          // the most jobs of a group: a warp each

// One packet for one receiver, or from one sender. What comes out is
//   | header | body | trailer |
// where the trailer is the tag and, for SRTCP, E||index, in the profile's order (RFC 3711 section
// 3.4, RFC 7714 section 9).
struct SrtpTask {
  // Protect: plaintext, behind the prefix. Unprotect: ciphertext, with its trailer directly behind.
  uint64_t payload;
  // Protect: where the whole packet is written. Unprotect: where the plaintext of the body is
  // written, once the tag has been found true; nothing is written otherwise.
  uint64_t output;
  uint64_t index;          // SRTP: ROC || SEQ, 48 bits. SRTCP: 31 bits
  uint32_t key;            // index into the table of SrtpKeySlot
  uint32_t ssrc;
  uint16_t header_bytes;   // a multiple of 4, at most SrtpHeaderRoomBytes
  uint16_t prefix_bytes;   // protect: plaintext that goes before the payload
  uint16_t payload_bytes;  // without trailer; prefix and payload at most SrtpBodyBytes
  uint8_t rtcp;            // 1: SRTCP, under the slot's other keys
  uint8_t encrypted;       // 0: SRTCP that arrived with E = 0, authenticated only
  uint64_t reserved;
};
static_assert(sizeof(SrtpTask) == 48);

struct SrtpJob {
  SrtpTask task;
  uint8_t head[SrtpHeadBytes];  // header, then prefix
};
static_assert(sizeof(SrtpJob) == 224 && sizeof(SrtpJob) % 16 == 0);

// Jobs that one thread block does together: all GCM, or all counter mode with HMAC. When protecting
// they share a payload, which the block reads once.
struct SrtpGroup {
  uint64_t payload;
  uint16_t payload_bytes;  // of its longest job
  uint8_t is_gcm;
  uint8_t job_count;  // 1 to SrtpGroupJobs
  uint32_t reserved;
  uint16_t jobs[SrtpGroupJobs];  // indexes into the batch
};
static_assert(sizeof(SrtpGroup) == 32);

// A job's verdict, one byte each.
inline constexpr uint8_t SrtpPending = 0;
inline constexpr uint8_t SrtpOk = 1;
inline constexpr uint8_t SrtpAuthFailed = 2;

// One direction of SRTP, or of SRTCP, ready for use. Words are the big-endian reading of bytes.
struct SrtpStreamKey {
  uint32_t hash_powers[32][4];  // GCM: H^1 to H^32, the most significant word first
  uint32_t round_keys[60];      // AES (FIPS 197 section 5.2)
  uint32_t rounds;              // 10 for 128-bit keys, 14 for 256-bit keys
  uint32_t salt[4];             // 12 bytes (GCM) or 14 (counter mode), then zeros
  uint32_t inner[5];            // HMAC-SHA1 after its first block, inner and outer
  uint32_t outer[5];
  uint32_t reserved;
};
static_assert(sizeof(SrtpStreamKey) == 816 && sizeof(SrtpStreamKey) % 16 == 0);

struct SrtpKeySlot {
  SrtpStreamKey rtp;
  SrtpStreamKey rtcp;
};

// Session keys as RFC 3711 section 4.3 derives them, for the device to expand into a slot.
struct SrtpSessionKey {
  uint8_t encryption[32];  // key_bytes of them
  uint8_t salt[16];        // 12 or 14 of them, then zeros
  uint8_t authentication[20];
};
struct SrtpKeyUpload {
  uint32_t slot;
  uint32_t key_bytes;  // 16 or 32
  SrtpSessionKey rtp;
  SrtpSessionKey rtcp;
};
static_assert(sizeof(SrtpKeyUpload) == 144);

}  // namespace viaduct::kernels
