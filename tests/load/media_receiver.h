// What participants receive: which stream a packet is of, whether it is one to verify, and what the
// bridge asks for by RTCP.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "edge/batch_cipher.h"
#include "tests/load/body.h"
#include "tests/load/measurements.h"
#include "tests/load/participant.h"

namespace viaduct::load {

// Which packets are decrypted and compared with what their sender wrote. All are counted.
enum class Verify : uint8_t {
  None,
  Sample,  // of each stream one in SampledEvery, and the first after each pause
  All,
};
inline constexpr uint64_t SampledEvery = 16;

class MediaReceiver {
 public:
  // Null `bodies`: some senders replay bodies that bear no stamps, so only their tags are verified.
  // It outlives this.
  MediaReceiver(size_t max_keys, Verify verify, const BodyMaker* bodies);

  Result<srtp::KeySlot> add_key(const srtp::SrtpKeys& keys) { return cipher_->add_key(keys); }
  void remove_key(srtp::KeySlot slot) { cipher_->remove_key(slot); }

  // A datagram that is RTP or RTCP by its first byte. It is decrypted in place.
  void handle(Participant& p, MutableBytes datagram, Timestamp now);
  // The same for one that the impairment takes away.
  void handle_impaired(Participant& p, Bytes datagram);

  uint64_t resent() const { return resent_; }
  uint64_t key_frames_asked_for() const { return key_frames_asked_for_; }
  void begin_measuring() { resent_ = key_frames_asked_for_ = 0; }

 private:
  void handle_rtcp(Participant& p, MutableBytes datagram);
  void verify(Participant& p, ReceiveStream& stream, uint64_t index, MutableBytes packet);
  std::optional<Stamp> stamp_of(const Participant& p, codec::MediaKind kind, Bytes packet) const;
  bool decrypt(edge::CipherJob& job, MutableBytes packet);

  const std::unique_ptr<edge::BatchCipher> cipher_;
  const Verify verify_;
  const BodyMaker* const bodies_;
  uint64_t resent_ = 0;
  uint64_t key_frames_asked_for_ = 0;
};

}  // namespace viaduct::load
