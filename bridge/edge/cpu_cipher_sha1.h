// AES128_CM_HMAC_SHA1_80 for several packets side by side (RFC 3711 sections 3.3, 3.4 and 4).
//
// SHA-1 cannot use more than a lane of the CPU's vectors for one packet, so packets are collected
// and hashed as many at a time as there are lanes. What is left over, and small batches, go to a
// second manager that uses the CPU's SHA instructions, where it has them: two lanes that cost less
// than wide vectors that are nearly empty.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "edge/cipher_layout.h"
#include "edge/cpu_cipher_keys.h"

namespace viaduct::edge {

class Sha1Packets {
 public:
  // Up to so many packets a CPU with 8 lanes hashes faster by its SHA instructions: 1 packet in
  // 0.86 us instead of 3.3, 6 in 0.49 us each instead of 0.61 (cipher_bench on an AMD EPYC with
  // AVX2; with 16 lanes the two meet at about the same count).
  static constexpr size_t FewPackets = 6;
  // A multiple of all numbers of lanes, small enough that the packets stay in the first cache.
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

  const IpsecManager& wide_;
  const IpsecManager* const
      narrow_;  // null where the CPU has no SHA instructions, or uses no others
  const Direction direction_;
  std::array<Packet, PacketsAtATime> packets_;
  size_t count_ = 0;
  std::array<IMB_JOB, PacketsAtATime> cipher_jobs_{};
  size_t cipher_count_ = 0;
  std::array<IMB_JOB, PacketsAtATime> hash_jobs_{};
};

}  // namespace viaduct::edge
