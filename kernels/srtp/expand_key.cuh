// From a session key to what the packets' kernels use. Once per key, so most of it is one lane's work.
#pragma once

#include "kernels/srtp/aes.cuh"
#include "kernels/srtp/ghash.cuh"
#include "kernels/srtp/sha1.cuh"
#include "kernels/srtp/srtp_job.h"

namespace viaduct::kernels {

constexpr unsigned ExpandKeyThreads = 2 * WarpThreads;

// One lane: the big-endian words of a key.
__device__ __forceinline__ void read_key(const uint8_t* bytes, uint32_t count, uint32_t* words) {
  for (uint32_t i = 0; i < count; ++i) {
    words[i] = static_cast<uint32_t>(bytes[4 * i]) << 24 | static_cast<uint32_t>(bytes[4 * i + 1]) << 16 |
               static_cast<uint32_t>(bytes[4 * i + 2]) << 8 | bytes[4 * i + 3];
  }
}

// One lane: everything but the powers of H.
__device__ __forceinline__ void expand_cipher_keys(const AesLane& aes, const SrtpSessionKey& session,
                                          uint32_t key_bytes, SrtpStreamKey& key) {
  read_key(session.salt, 4, key.salt);
  read_key(session.encryption, key_bytes / 4, key.round_keys);
  key.rounds = aes_expand_key(aes, key_bytes / 4, key.round_keys);

  uint32_t hmac_key[HmacKeyWords];
  read_key(session.authentication, HmacKeyWords, hmac_key);
  const Sha1State inner = hmac_key_state(hmac_key, 0x36);
  const Sha1State outer = hmac_key_state(hmac_key, 0x5c);
  for (int i = 0; i < 5; ++i) {
    key.inner[i] = inner.words[i];
    key.outer[i] = outer.words[i];
  }
}

// Warp: lane i computes H^(i+1), where H is the encrypted zero block.
__device__ __forceinline__ void expand_stream_key(const AesLane& aes, const SrtpSessionKey& session,
                                         uint32_t key_bytes, SrtpStreamKey& key) {
  if (aes.lane == 0) expand_cipher_keys(aes, session, key_bytes, key);
  __syncwarp();
  const uint4 h = aes_encrypt(aes, key.round_keys, key.rounds, make_uint4(0, 0, 0, 0));
  uint4 power = h;
  for (unsigned i = 0; i < aes.lane; ++i) power = ghash_multiply(power, h);
  uint32_t* const words = key.hash_powers[aes.lane];
  words[0] = power.x;
  words[1] = power.y;
  words[2] = power.z;
  words[3] = power.w;
}

}  // namespace viaduct::kernels
