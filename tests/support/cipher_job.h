// Building cipher jobs and running them one by one, for the tests of every BatchCipher.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "edge/batch_cipher.h"

namespace viaduct::testing {

inline constexpr srtp::SrtpProfile AllProfiles[] = {
    srtp::SrtpProfile::Aes128CmHmacSha1_80, srtp::SrtpProfile::AeadAes128Gcm, srtp::SrtpProfile::AeadAes256Gcm};

// A master key and salt whose bytes follow from `seed`.
class TestKey {
 public:
  explicit TestKey(srtp::SrtpProfile profile, uint8_t seed = 1)
      : profile_(profile), key_(srtp::master_key_bytes(profile)), salt_(srtp::master_salt_bytes(profile)) {
    for (size_t i = 0; i < key_.size(); ++i) key_[i] = static_cast<uint8_t>(seed * 31 + i * 7);
    for (size_t i = 0; i < salt_.size(); ++i) salt_[i] = static_cast<uint8_t>(seed * 17 + i * 5);
  }
  srtp::SrtpKeys keys() const { return {profile_, key_, salt_}; }

 private:
  srtp::SrtpProfile profile_;
  std::vector<uint8_t> key_;
  std::vector<uint8_t> salt_;
};

// What a packet is, apart from its bytes.
struct PacketKind {
  edge::KeySlot slot;
  bool rtcp = false;
  uint16_t header_bytes = 12;
  uint32_t ssrc = 0;
  uint64_t index = 0;
};

struct Outcome {
  edge::Verdict verdict = edge::Verdict::Pending;
  std::vector<uint8_t> packet;  // result_bytes long when Ok; the whole buffer otherwise
  uint64_t index = 0;
};

inline edge::Verdict run_one(edge::BatchCipher& cipher, edge::CipherJob& job) {
  edge::CipherBatch batch{{&job, 1}};
  cipher.submit(&batch);
  while (cipher.poll() != &batch) {
  }
  return job.verdict;
}

// Runs `packet`, whole and in place, through the cipher. The buffer ends where the result may end, so that
// AddressSanitizer sees a step too far.
inline Outcome run_in_place(edge::BatchCipher& cipher, edge::Direction direction, const PacketKind& kind,
                            Bytes packet) {
  const size_t room = direction == edge::Direction::Protect ? srtp::MaxTrailerBytes : 0;
  std::vector<uint8_t> buffer(packet.begin(), packet.end());
  buffer.resize(packet.size() + room);
  buffer.shrink_to_fit();
  const size_t header = std::min<size_t>(kind.header_bytes, packet.size());
  edge::CipherJob job{.slot = kind.slot,
                .rtcp = kind.rtcp,
                .header_bytes = static_cast<uint16_t>(header),
                .payload_bytes = static_cast<uint32_t>(packet.size() - header),
                .ssrc = kind.ssrc,
                .index = kind.index,
                .packet = buffer.data(),
                .payload = buffer.data() + header};
  const edge::Verdict verdict = run_one(cipher, job);
  if (verdict == edge::Verdict::Ok) buffer.resize(job.result_bytes);
  return {verdict, buffer, job.index};
}

}  // namespace viaduct::testing
