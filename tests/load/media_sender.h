// What participants send: frames become packets, packets are encrypted and leave by the batch,
// through the impairment where there is one; RTCP goes the same way.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "edge/batch_cipher.h"
#include "limits.h"
#include "tests/load/delay_line.h"
#include "tests/load/measurements.h"
#include "tests/load/participant.h"

namespace viaduct::load {

class MediaSender {
 public:
  // `segment` sends packets of one size that stand together by UDP GSO. `delays` outlives it.
  MediaSender(size_t max_keys, bool segment, DelayLine& delays);

  Result<srtp::KeySlot> add_key(const srtp::SrtpKeys& keys) { return cipher_->add_key(keys); }
  void remove_key(srtp::KeySlot slot) { cipher_->remove_key(slot); }

  // Takes the frame that is due and queues its packets. How many those are.
  size_t send_frame(uint32_t who, Participant& p, size_t stream, Timestamp now);
  void send_rtcp(uint32_t who, Participant& p, Bytes compound, Timestamp now);
  // Encrypts and sends what is queued. The participants of it are still there.
  void flush(Timestamp now);
  // Sends what is no media: a check, through the impairment as well.
  void send_plain(uint32_t who, Participant& p, Bytes datagram, Timestamp now);

  std::array<SendCounts, 2>& counts() { return counts_; }
  Histogram& lateness() { return lateness_; }

 private:
  static constexpr size_t BatchPackets = 256;
  struct Item {
    uint32_t who = 0;
    Participant* participant = nullptr;
    SendStream* stream = nullptr;  // null: RTCP
    uint32_t packet = 0;
  };

  void queue(uint32_t who, Participant& p, SendStream* stream, uint32_t packet,
             const edge::CipherJob& job, Timestamp now);
  void send_run(size_t first, size_t last, Timestamp now);
  void send_impaired(size_t i, Timestamp now);
  void record(const Item& item, size_t bytes, Fate fate, Timestamp now);

  const std::unique_ptr<edge::BatchCipher> cipher_;
  const bool segment_;
  DelayLine& delays_;
  std::array<SendCounts, 2> counts_;
  Histogram lateness_;

  size_t queued_ = 0;
  std::array<Item, BatchPackets> items_;
  std::array<edge::CipherJob, BatchPackets> jobs_;
  std::vector<std::array<uint8_t, limits::PacketBufferBytes>> space_;
};

}  // namespace viaduct::load
