// Where steps put packets that are to leave: it fills one TxBatch after another, in the order in
// which they should be sent.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "edge/packet_io.h"
#include "path/batch.h"

namespace viaduct::path {

class TxQueue {
 public:
  explicit TxQueue(edge::PacketIo& io) : io_(io) {}

  // A blank packet of the edge with its cipher job, both to be filled in.
  struct Blank {
    TxPacket* packet = nullptr;
    edge::CipherJob* job = nullptr;
    Drop missing = Drop::None;  // why there is none
    explicit operator bool() const { return packet != nullptr; }
  };
  // `reads` is the batch whose payload the job will read, or null.
  Blank next(RxBatch* reads);
  // Puts the newest blank back unused.
  void undo();

  // The batches filled since the last call, for the cipher.
  const std::vector<TxBatch*>& take();
  void give_back(TxBatch* batch) { pool_.give_back(batch); }

 private:
  static constexpr size_t BlanksAtOnce = 32;

  edge::PacketIo& io_;
  std::array<Packet, BlanksAtOnce> blanks_;  // taken from the edge, and given back by take()
  size_t blank_count_ = 0;
  BatchPool<TxBatch> pool_{limits::TxBatchesInFlight};
  std::vector<TxBatch*> filled_;  // since the last take(), the newest is being filled
  std::vector<TxBatch*> taken_;
};

}  // namespace viaduct::path
