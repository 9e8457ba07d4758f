// Step 10. Is it of the layer that the receiver gets, and what are its numbers there? The receiver's own header in
// front of the shared payload: SSRC, sequence number, timestamp, payload type, picture id, header extensions.
//
// RED is stripped for receivers without it, and added for those who lose much (rewrite_sound.cc).
//
// The payload itself is not copied: the cipher reads it from the incoming packet. Only bytes that differ between
// receivers (the front of a VP8 or VP9 payload, the original sequence number of a resent packet, sound that is said
// again) are written here, behind the header. What has to wait (path/pace.h) or is sent again (rewrite_kept.cc) is
// copied from what is kept.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "conference/directory.h"
#include "path/batch.h"
#include "path/counters.h"
#include "path/original.h"
#include "path/pace.h"
#include "path/route.h"
#include "path/tx_queue.h"

namespace viaduct::path {

class Rewrite {
 public:
  Rewrite(conference::Directory& directory, TxQueue& queue, Pace& pace, PathCounters& counters);

  // Puts one packet into the queue for each Forward that can be made and may leave now. What is the same for all
  // receivers of a packet is found once, and kept until forget().
  void run(RxBatch& rx, std::span<const Forward> forwards, Timestamp now);
  void forget(const RxBatch& rx);

  // Puts a packet that the slot has sent before into the queue again, as RTX (RFC 4588).
  Drop resend(const conference::SlotRef& to, uint8_t encoding, const conference::StoredPacket& stored, Timestamp now,
              TxKind kind = TxKind::Resent);
  // Puts a packet that has waited into the queue.
  Drop write_held(Handle<Endpoint> to, Endpoint& receiver, const conference::HeldPacket& held,
                  const conference::StoredPacket& stored, Timestamp now);
  // Puts a packet into the queue that fills up a probe: the `nth` from the newest that the receiver was sent, as RTX,
  // or padding alone. Anything but Drop::None when there is no stream that it could be of.
  Drop write_padding(Handle<Endpoint> to, Endpoint& receiver, size_t nth, Timestamp now);

 private:
  using Originals = std::array<Original, limits::RxBatchPackets>;

  // A packet of sound that the receiver should have had before.
  struct SaidAgain {
    Bytes bytes;
    uint32_t age = 0;  // in ticks
    uint8_t payload_type = 0;
  };
  // One packet to write: to whom, and with which numbers.
  struct Copy {
    Handle<Endpoint> to;
    Endpoint& receiver;
    conference::Subscription& slot;
    TxKind kind = TxKind::Media;
    uint8_t payload_type = 0;
    conference::Projection::Out numbers;
    std::optional<rtp::TargetMask> active_targets;  // for its dependency descriptor; nothing: the sender's own
    bool marker = false;
    std::optional<uint64_t> rtx_index;  // on the slot's RTX stream
    size_t skipped_bytes = 0;           // of the payload's front, which the receiver does not get
    std::optional<SaidAgain> again;     // goes in front of the payload, as RED
    bool copies_payload = false;        // of what may be gone before the cipher is done
    Timestamp arrival;
  };

  Drop forward(RxBatch& rx, const RxPacket& packet, const Original& original, Endpoint& sender,
               const conference::SlotRef& to, Timestamp now);
  Drop number_sound(const RxPacket& packet, const Original& original, conference::Encoding& stream, Copy& copy,
                    Timestamp now);
  void keep_sound(const RxPacket& packet, Endpoint& sender, Timestamp now);
  void say_again(const RxPacket& packet, conference::Encoding& stream, Copy& copy, Timestamp now) const;
  Drop number_picture(const Original& original, conference::Source& source, Copy& copy, Timestamp now);
  Drop hold(const RxPacket& packet, const conference::SlotRef& to, const Copy& copy, Timestamp now);
  Drop write(RxBatch* reads, const Original& original, const Copy& copy, Timestamp now);
  void fill_hole(uint64_t index, const conference::Projection::In& in, const Copy& copy, Timestamp now);
  Drop write_padding_alone(const Copy& copy, Timestamp now);

  conference::Directory& directory_;
  TxQueue& queue_;
  Pace& pace_;
  PathCounters& counters_;
  std::unique_ptr<Originals> originals_;  // by packet of the batch in hand; no header: not yet made
};

}  // namespace viaduct::path
