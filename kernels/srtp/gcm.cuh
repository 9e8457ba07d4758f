// SRTP with AES-GCM (RFC 7714), one packet by one warp.
//
// GHASH is a polynomial in H whose coefficients are the blocks: additional data, ciphertext, lengths.
// Lane i takes every 32nd block, counted from the end: Horner's rule with H^32 from one of its blocks
// to the next, H^(i+1) at the last, and the sum over the lanes is the hash.
#pragma once

#include "kernels/srtp/aes.cuh"
#include "kernels/srtp/ghash.cuh"
#include "kernels/srtp/packet_row.cuh"

namespace viaduct::kernels {

// RFC 7714 sections 8.1 and 9.1: 0 || SSRC || ROC || SEQ, or 0 || SSRC || 0 || index, XOR the salt.
// The last word is the block counter.
__device__ __forceinline__ uint4 gcm_counter(const SrtpStreamKey& key, const SrtpTask& task,
                                             uint32_t counter) {
  const uint32_t high = static_cast<uint32_t>(task.index >> 32) & 0xffff;
  return make_uint4(key.salt[0] ^ task.ssrc >> 16, key.salt[1] ^ (task.ssrc << 16 | high),
                    key.salt[2] ^ static_cast<uint32_t>(task.index), counter);
}

// The additional data: the header, E||index of SRTCP behind it, and in between the body of a packet
// that is not encrypted (RFC 7714 sections 8.2, 9.2, 9.3).
struct GcmShape {
  uint32_t additional_bytes;
  uint32_t encrypted_bytes;
  uint32_t additional_blocks;
  uint32_t encrypted_blocks;

  __device__ __forceinline__ uint32_t blocks() const {
    return additional_blocks + encrypted_blocks + 1;
  }
};

__device__ __forceinline__ GcmShape gcm_shape(const PacketRow& row) {
  GcmShape shape;
  shape.encrypted_bytes = row.task.encrypted != 0 ? row.body_size() : 0;
  shape.additional_bytes = row.task.header_bytes + row.body_size() - shape.encrypted_bytes +
                           (row.is_rtcp() ? SrtcpWordBytes : 0);
  shape.additional_blocks = (shape.additional_bytes + 15) / 16;
  shape.encrypted_blocks = (shape.encrypted_bytes + 15) / 16;
  return shape;
}

// Thread: one block of additional data. The last word stands behind a body that is not encrypted.
__device__ __forceinline__ uint4 additional_block(PacketRow& row, const GcmShape& shape,
                                                  uint32_t block) {
  const uint32_t* header = row.header();
  const bool word_apart = row.is_rtcp() && row.task.encrypted != 0;  // the body stands between
  uint32_t words[4];
  for (uint32_t i = 0; i < 4; ++i) {
    const uint32_t at = 4 * (4 * block + i);
    words[i] = word_apart && at == row.task.header_bytes ? row.last_word()
               : at < shape.additional_bytes             ? swap_bytes(header[at / 4])
                                                         : 0;
  }
  return leading_bytes(make_uint4(words[0], words[1], words[2], words[3]),
                       static_cast<int>(shape.additional_bytes - 16 * block));
}

// Thread: encrypts or decrypts one block of the body where it stands, and returns the ciphertext.
__device__ __forceinline__ uint4 gcm_crypt_block(const AesLane& aes, const SrtpStreamKey& key,
                                                 PacketRow& row, uint32_t block, bool decrypt) {
  uint32_t* at = row.body() + 4 * block;
  const int size = static_cast<int>(row.body_size() - 16 * block);
  const uint4 before = leading_bytes(load_block(at), size);
  const uint4 key_stream =
      aes_encrypt(aes, key.round_keys, key.rounds, gcm_counter(key, row.task, 2 + block));
  const uint4 after = leading_bytes(exclusive_or(before, key_stream), size);
  store_block(at, after);
  return decrypt ? before : after;
}

__device__ __forceinline__ uint4 power_of(const SrtpStreamKey& key, uint32_t exponent) {
  const uint32_t* power = key.hash_powers[exponent - 1];
  return make_uint4(power[0], power[1], power[2], power[3]);
}

// Warp: encrypts or decrypts the body in its row, and gives every lane the tag.
__device__ __forceinline__ uint4 gcm_crypt(const AesLane& aes, const SrtpStreamKey& key,
                                           PacketRow& row, bool decrypt) {
  const GcmShape shape = gcm_shape(row);
  const uint32_t blocks = shape.blocks();
  uint4 hash = make_uint4(0, 0, 0, 0);
  for (uint32_t round = (blocks + WarpThreads - 1) / WarpThreads; round-- > 0;) {
    const uint32_t from_end = round * WarpThreads + aes.lane;
    if (from_end >= blocks) continue;
    const uint32_t block = blocks - 1 - from_end;
    uint4 text;
    if (block < shape.additional_blocks) {
      text = additional_block(row, shape, block);
    } else if (block + 1 < blocks) {
      text = gcm_crypt_block(aes, key, row, block - shape.additional_blocks, decrypt);
    } else {
      text = make_uint4(0, 8 * shape.additional_bytes, 0, 8 * shape.encrypted_bytes);  // bits
    }
    const uint4 power = power_of(key, round > 0 ? WarpThreads : aes.lane + 1);
    hash = ghash_multiply(exclusive_or(hash, text), power);
  }
  hash = warp_xor(hash);
  return exclusive_or(
      hash, aes_encrypt(aes, key.round_keys, key.rounds, gcm_counter(key, row.task, 1)));
}

__device__ __forceinline__ void write_tag(uint8_t* at, uint4 tag) {
  write_word(at, tag.x);
  write_word(at + 4, tag.y);
  write_word(at + 8, tag.z);
  write_word(at + 12, tag.w);
}

// Warp: whether the tag is the received one. A lane compares a byte each; the time tells nothing.
__device__ __forceinline__ bool is_tag(const uint8_t* received, uint4 tag, unsigned lane) {
  const uint32_t words[4] = {tag.x, tag.y, tag.z, tag.w};
  uint32_t difference = 0;
  for (uint32_t i = 0; i < GcmTagBytes; ++i) {
    const uint32_t expected = words[i / 4] >> (24 - 8 * (i % 4)) & 0xff;
    if (lane == i) difference = received[i] ^ expected;
  }
  return __ballot_sync(FullWarp, difference != 0) == 0;
}

// Warp: from the job to the finished packet.
__device__ __forceinline__ void gcm_protect(const AesLane& aes, const SrtpStreamKey& key,
                                            PacketRow& row) {
  const uint4 tag = gcm_crypt(aes, key, row, false);
  __syncwarp();  // the other lanes' blocks are written
  if (aes.lane == 0) {
    uint8_t* const trailer = row.body_bytes() + row.body_size();
    write_tag(trailer, tag);
    if (row.is_rtcp()) write_word(trailer + GcmTagBytes, row.last_word());
  }
  __syncwarp();
  store_packet(row, GcmTagBytes + (row.is_rtcp() ? SrtcpWordBytes : 0), aes.lane);
}

// Warp: the verdict, for every lane; the body goes out only if it is SrtpOk.
__device__ __forceinline__ uint8_t gcm_unprotect(const AesLane& aes, const SrtpStreamKey& key,
                                                 PacketRow& row) {
  if (aes.lane == 0) write_word(row.body_bytes() + row.body_size(), row.last_word());
  __syncwarp();
  const uint4 tag = gcm_crypt(aes, key, row, true);
  __syncwarp();
  const uint8_t* const received =
      reinterpret_cast<const uint8_t*>(row.task.payload) + row.task.payload_bytes;
  if (!is_tag(received, tag, aes.lane)) return SrtpAuthFailed;
  store_body(row, aes.lane);
  return SrtpOk;
}

}  // namespace viaduct::kernels
