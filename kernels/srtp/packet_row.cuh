// A packet while a warp works on it, in shared memory:
//
//   | task | room | header | body | last word | ... |
//                          ^ BodyWord, so that the blocks of the cipher stand aligned
//
// The last word is what authentication covers behind the body: E||index of SRTCP, which is sent, or
// ROC of SRTP, which is not. What stands in the host's memory is read once, over the bus, and
// what goes there is written once.
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
  static constexpr uint32_t SpacingWords = 8;

  SrtpTask task;
  uint32_t words[BodyWord + SrtpBodyBytes / 4 + TrailerRoomWords + SpacingWords];

  __device__ __forceinline__ uint32_t* body() { return words + BodyWord; }
  __device__ __forceinline__ uint8_t* body_bytes() { return reinterpret_cast<uint8_t*>(body()); }
  __device__ __forceinline__ uint32_t* header() { return body() - task.header_bytes / 4; }
  __device__ __forceinline__ uint32_t body_size() const {
    return static_cast<uint32_t>(task.prefix_bytes) + task.payload_bytes;
  }
  __device__ __forceinline__ bool is_rtcp() const { return task.rtcp != 0; }
  // E||index, or ROC.
  __device__ __forceinline__ uint32_t last_word() const {
    if (!is_rtcp()) return static_cast<uint32_t>(task.index >> 16);
    return static_cast<uint32_t>(task.encrypted) << 31 | static_cast<uint32_t>(task.index);
  }
};
static_assert(sizeof(PacketRow) / 4 % 32 == 4, "a multiple of four banks apart");

// Thread: four bytes of the body: first the prefix, which stands behind the header in the job.
__device__ __forceinline__ uint32_t body_word(const SrtpTask& task, const uint8_t* head,
                                              const uint8_t* payload, int at) {
  const int prefix = task.prefix_bytes;
  uint32_t word = word_of(payload, at - prefix, task.payload_bytes);
  for (int i = 0; i < 4 && at + i < prefix; ++i)
    word |= static_cast<uint32_t>(head[task.header_bytes + at + i]) << (8 * i);
  return word;
}

// Warp: the job's task, header and body as they are. Zeros fill the body's last word.
__device__ __forceinline__ void load_packet(PacketRow& row, const SrtpJob& job,
                                            const uint8_t* payload, unsigned lane) {
  constexpr unsigned TaskWords = sizeof(SrtpTask) / 4;
  if (lane < TaskWords)
    reinterpret_cast<uint32_t*>(&row.task)[lane] = reinterpret_cast<const uint32_t*>(&job.task)[lane];
  __syncwarp();
  load_words(row.header(), job.head, row.task.header_bytes, lane, WarpThreads);
  const int size = static_cast<int>(row.body_size());
  for (int i = static_cast<int>(lane); 4 * i < size; i += WarpThreads)
    row.body()[i] = body_word(row.task, job.head, payload, 4 * i);
  __syncwarp();
}

// Thread: writes a big-endian word at any place behind the body.
__device__ __forceinline__ void write_word(uint8_t* at, uint32_t word) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(word >> (24 - 8 * i));
}

// Warp: the finished packet goes out, `trailer_bytes` of trailer with it.
__device__ __forceinline__ void store_packet(PacketRow& row, uint32_t trailer_bytes, unsigned lane) {
  const uint32_t size = row.task.header_bytes + row.body_size() + trailer_bytes;
  store_bytes(reinterpret_cast<uint8_t*>(row.task.output),
              reinterpret_cast<const uint8_t*>(row.header()), static_cast<int>(size), lane);
}

// Warp: the opened body goes out.
__device__ __forceinline__ void store_body(PacketRow& row, unsigned lane) {
  store_bytes(reinterpret_cast<uint8_t*>(row.task.output), row.body_bytes(),
              static_cast<int>(row.body_size()), lane);
}

}  // namespace viaduct::kernels
