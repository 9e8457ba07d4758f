// The keys of a BatchCipher by slot, and the batches that it has finished: the two together decide
// when the slot of a removed key may name another one.
//
// A key is wiped by its destructor at removal. Its slot stays out of use until every batch that was
// submitted before has been polled, so that no job meets a key it does not mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "edge/batch_cipher.h"
#include "edge/fifo.h"
#include "limits.h"

namespace viaduct::edge {

template <typename Key>
class KeyTable {
 public:
  explicit KeyTable(size_t max_keys) : keys_(max_keys) {
    free_slots_.reserve(max_keys);
    for (size_t slot = max_keys; slot > 0; --slot) {
      free_slots_.push_back(static_cast<uint32_t>(slot - 1));
    }
  }

  // ResourceExhausted when no slot is free.
  Result<void> check_room() {
    free_retired_slots();
    if (!free_slots_.empty()) return {};
    return Error{ErrorCode::ResourceExhausted,
                 "The cipher holds as many keys as it may (" + std::to_string(keys_.size()) + ")."};
  }
  // Only after check_room().
  KeySlot add(std::unique_ptr<Key> key) {
    CHECK(!free_slots_.empty());
    const uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    keys_[slot] = std::move(key);
    return KeySlot{slot};
  }
  void remove(KeySlot slot) {
    if (find(slot) == nullptr) return;
    keys_[slot.value].reset();
    retired_slots_.push_back({slot.value, batches_submitted_});
  }
  // Null when the slot names no key.
  const Key* find(KeySlot slot) const {
    return slot.value < keys_.size() ? keys_[slot.value].get() : nullptr;
  }

  // For ciphers that finish a batch when it is submitted.
  void finish(CipherBatch* batch) {
    note_submitted();
    finished_.push(batch);
  }
  CipherBatch* poll() {
    if (finished_.empty()) return nullptr;
    note_polled();
    return finished_.pop();
  }
  // For others, which keep their batches themselves.
  void note_submitted() { ++batches_submitted_; }
  void note_polled() { ++batches_polled_; }

 private:
  struct RetiredSlot {
    uint32_t slot;
    uint64_t batches_submitted;  // at its removal; the slot is free once as many have been polled
  };

  void free_retired_slots() {
    while (!retired_slots_.empty() && retired_slots_.front().batches_submitted <= batches_polled_) {
      free_slots_.push_back(retired_slots_.front().slot);
      retired_slots_.pop_front();
    }
  }

  std::vector<std::unique_ptr<Key>> keys_;
  std::vector<uint32_t> free_slots_;
  std::deque<RetiredSlot> retired_slots_;
  // As many as the packet path has under way (limits.h).
  Fifo<CipherBatch*> finished_{limits::TxBatchesInFlight + limits::RxBatchesInFlight};
  uint64_t batches_submitted_ = 0;
  uint64_t batches_polled_ = 0;
};

}  // namespace viaduct::edge
