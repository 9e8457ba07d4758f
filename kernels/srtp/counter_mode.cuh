// SRTP with AES in counter mode and HMAC-SHA1-80 (RFC 3711 sections 4.1.1 and 4.2.1).
//
// Counter mode is for a warp: 32 blocks at a time. SHA-1 is one long chain and is for a single thread: the
// packets of a block of threads stand in rows beside each other, and a thread hashes each.
#pragma once

#include "kernels/srtp/aes.cuh"
#include "kernels/srtp/packet_row.cuh"
#include "kernels/srtp/sha1.cuh"

namespace viaduct::kernels {

// RFC 3711 section 4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16, plus the block's number.
__device__ __forceinline__ uint4 counter_block(const SrtpStreamKey& key, const SrtpTask& task,
                                               uint32_t block) {
  return make_uint4(key.salt[0], key.salt[1] ^ task.ssrc,
                    key.salt[2] ^ static_cast<uint32_t>(task.index >> 16),
                    (key.salt[3] ^ static_cast<uint32_t>(task.index) << 16) + block);
}

// Warp: encrypts or decrypts the body in its row, which is the same.
__device__ __forceinline__ void counter_mode_crypt(const AesLane& aes, const SrtpStreamKey& key,
                                                   PacketRow& row) {
  const uint32_t size = row.task.encrypted != 0 ? row.body_size() : 0;
  for (uint32_t block = aes.lane; 16 * block < size; block += WarpThreads) {
    uint32_t* at = row.body() + 4 * block;
    const uint4 key_stream =
        aes_encrypt(aes, key.round_keys, key.rounds, counter_block(key, row.task, block));
    store_block(at, leading_bytes(exclusive_or(load_block(at), key_stream),
                                  static_cast<int>(size - 16 * block)));
  }
  __syncwarp();
}

// Thread: what HMAC covers ends with the last word, and SHA-1's padding begins.
__device__ __forceinline__ void end_text(PacketRow& row) {
  uint8_t* const end = row.body_bytes() + row.body_size();
  write_word(end, row.last_word());
  end[4] = 0x80;
  for (uint32_t i = 5; i < 8; ++i) end[i] = 0;
}

// Thread: the tag over header, body and last word.
__device__ __forceinline__ Sha1State packet_hmac(const SrtpStreamKey& key, PacketRow& row) {
  return hmac_sha1(key.inner, key.outer, row.header(),
                   row.task.header_bytes + row.body_size() + SrtcpWordBytes);
}

// The tag stands behind the body, for SRTCP behind E||index.
__device__ __forceinline__ uint32_t hmac_tag_offset(const PacketRow& row) {
  return row.is_rtcp() ? SrtcpWordBytes : 0;
}

__device__ __forceinline__ uint8_t tag_byte(const Sha1State& hmac, uint32_t i) {
  return static_cast<uint8_t>(hmac.words[i / 4] >> (24 - 8 * (i % 4)));
}

// Thread
__device__ __forceinline__ void write_hmac_tag(PacketRow& row, const Sha1State& hmac) {
  uint8_t* const tag = row.body_bytes() + row.body_size() + hmac_tag_offset(row);
  for (uint32_t i = 0; i < HmacTagBytes; ++i) tag[i] = tag_byte(hmac, i);
}

// Thread: whether the received tag is the true one, in constant time.
__device__ __forceinline__ bool is_hmac_tag(const PacketRow& row, const Sha1State& hmac) {
  const uint8_t* const received = reinterpret_cast<const uint8_t*>(row.task.payload) +
                                  row.task.payload_bytes + hmac_tag_offset(row);
  uint32_t difference = 0;
  for (uint32_t i = 0; i < HmacTagBytes; ++i) difference |= received[i] ^ tag_byte(hmac, i);
  return difference == 0;
}

}  // namespace viaduct::kernels
