// AES128_CM_HMAC_SHA1_80 for several packets side by side (RFC 3711 sections 3.3, 3.4 and 4).
//
// SHA-1 cannot use more than a lane of the CPU's vectors for one packet, so packets are collected
// and hashed as many at a time as there are lanes. A second manager uses the CPU's SHA
// instructions, where it has them: two lanes, which cost less than wide vectors that are not full,
// as they are not in small batches and among packets of many lengths.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "edge/cipher_layout.h"
#include "edge/cpu_cipher_keys.h"

namespace viaduct::edge {

class Sha1Packets {
 public:
  // A step of the wide vectors by a block in every lane takes as long as so many blocks take by SHA
  // instructions: 8 lanes hash 8 packets of 1,200 bytes in 3.6 us however many of them are empty,
  // SHA instructions hash one in 0.49 us (cipher_bench on an AMD EPYC with AVX2). Vectors of 16
  // lanes take less, about 5.
  static constexpr size_t BlocksPerWideStep = 7;
  // A multiple of all numbers of lanes, small enough that the packets stay in the first cache
  // between encryption and hash. Taking more of them together is no faster.
  static constexpr size_t PacketsAtATime = 16;

  Sha1Packets(const IpsecManager& wide, const IpsecManager* narrow, Direction direction);

  // Takes a packet, and sets the verdicts of those taken so far when there are enough of them.
  // `key` and what the job points to stay until then.
  void add(const StreamKey& key, CipherJob& job, const Layout& at);
  // Sets all verdicts that are still open.
  void finish();

 private:
  static constexpr size_t HashBytes = IMB_SHA1_DIGEST_SIZE_IN_BYTES;

  struct Packet {
    const StreamKey* key;
    CipherJob* job;
    Layout at;
    std::array<uint8_t, CounterBytes> counter;
    std::array<uint8_t, HashBytes> hash;
  };

  void protect();
  void unprotect();
  void add_cipher_job(Packet& packet);
  void run_cipher_jobs();
  void hash();
  std::array<uint8_t, PacketsAtATime> by_length() const;
  bool fills_wide_vectors(std::span<const IMB_JOB> jobs) const;

  const IpsecManager& wide_;
  const IpsecManager* const narrow_;  // null: no SHA instructions, or no others are used
  const Direction direction_;
  std::array<Packet, PacketsAtATime> packets_;
  std::array<uint16_t, PacketsAtATime> hashed_bytes_;  // from the header to the last word
  size_t count_ = 0;
  std::array<IMB_JOB, PacketsAtATime> cipher_jobs_{};
  size_t cipher_count_ = 0;
  std::array<IMB_JOB, PacketsAtATime> hash_jobs_{};
};

}  // namespace viaduct::edge
