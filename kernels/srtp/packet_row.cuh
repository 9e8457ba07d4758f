// A packet while a warp works on it, in shared memory:
//
//   | room | header | body | word | ... |
//                   ^ BodyWord, so that the blocks of the cipher stand aligned
//
// `word` is what stands behind the body for authentication: E||index of SRTCP, which is sent, or ROC
// of SRTP, which is not.
#pragma once

#include "kernels/srtp/bytes.cuh"
#include "kernels/srtp/srtp_job.h"

namespace viaduct::kernels {

constexpr uint32_t GcmTagBytes = 16;
constexpr uint32_t HmacTagBytes = 10;  // RFC 3711 section 4.2.1: the leftmost 80 bits
constexpr uint32_t SrtcpWordBytes = 4;

struct alignas(16) PacketRow {
  static constexpr uint32_t BodyWord = SrtpHeaderRoomBytes / 4;
  static constexpr uint32_t TrailerRoomWords = 8;
  // Rows of several packets stand so that eight threads, a row each, look into eight banks.
  static constexpr uint32_t SpacingWords = 4;

  uint32_t words[BodyWord + SrtpBodyBytes / 4 + TrailerRoomWords + SpacingWords];

  __device__ __forceinline__ uint32_t* body() { return words + BodyWord; }
  __device__ __forceinline__ uint8_t* body_bytes() { return reinterpret_cast<uint8_t*>(body()); }
  __device__ __forceinline__ uint32_t* header(const SrtpJob& job) { return body() - job.header_bytes / 4; }
};

__device__ __forceinline__ uint32_t body_size(const SrtpJob& job) {
  return static_cast<uint32_t>(job.prefix_bytes) + job.payload_bytes;
}

// What stands behind the body: E||index, or ROC.
__device__ __forceinline__ uint32_t last_word(const SrtpJob& job) {
  if (job.rtcp == 0) return static_cast<uint32_t>(job.index >> 16);
  return static_cast<uint32_t>(job.encrypted) << 31 | static_cast<uint32_t>(job.index);
}

// Thread: four bytes of the body: first the prefix, which stands behind the header in the job.
__device__ __forceinline__ uint32_t body_word(const SrtpJob& job, const uint8_t* payload, int at) {
  const int prefix = job.prefix_bytes;
  uint32_t word = word_of(payload, at - prefix, job.payload_bytes);
  for (int i = 0; i < 4 && at + i < prefix; ++i)
    word |= static_cast<uint32_t>(job.head[job.header_bytes + at + i]) << (8 * i);
  return word;
}

// Warp: header and body in clear as the job has them. Zeros fill the body's last word.
__device__ __forceinline__ void load_packet(PacketRow& row, const SrtpJob& job, const uint8_t* payload,
                                   unsigned lane) {
  load_words(row.header(job), job.head, job.header_bytes, lane, WarpThreads);
  const int size = static_cast<int>(body_size(job));
  for (int i = static_cast<int>(lane); 4 * i < size; i += WarpThreads)
    row.body()[i] = body_word(job, payload, 4 * i);
  __syncwarp();
}

// One lane: writes a big-endian word at any place behind the body.
__device__ __forceinline__ void write_word(uint8_t* at, uint32_t word) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(word >> (24 - 8 * i));
}

// Warp: the finished packet goes out, `trailer_bytes` of trailer with it.
__device__ __forceinline__ void store_packet(PacketRow& row, const SrtpJob& job, uint32_t trailer_bytes,
                                    unsigned lane) {
  const uint32_t size = job.header_bytes + body_size(job) + trailer_bytes;
  store_bytes(reinterpret_cast<uint8_t*>(job.output), reinterpret_cast<uint8_t*>(row.header(job)),
              static_cast<int>(size), lane);
}

// Warp: the opened body goes out.
__device__ __forceinline__ void store_body(PacketRow& row, const SrtpJob& job, unsigned lane) {
  store_bytes(reinterpret_cast<uint8_t*>(job.output), row.body_bytes(),
              static_cast<int>(body_size(job)), lane);
}

}  // namespace viaduct::kernels
