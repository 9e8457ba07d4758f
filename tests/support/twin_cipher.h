// A cipher under test with the reference beside it: every batch is done by both, and each packet that
// comes out is compared byte for byte. The engine's result is the one that goes on.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "edge/reference_cipher.h"
#include "tests/support/cipher_mix.h"

namespace viaduct::testing {

struct TwinCounts {
  size_t compared = 0;
  size_t different = 0;
};

class TwinCipher final : public edge::SessionCipher {
 public:
  TwinCipher(edge::Direction direction, size_t max_keys,
             std::unique_ptr<edge::SessionCipher> engine, TwinCounts& counts)
      : engine_(std::move(engine)), reference_(direction, max_keys), counts_(counts) {}

  Result<edge::KeySlot> add_session_keys(srtp::SrtpProfile profile,
                                         const srtp::SessionKeys& keys) override {
    auto slot = engine_->add_session_keys(profile, keys);
    if (slot) reference_slots_[slot->value] = reference_.add_session_keys(profile, keys).value();
    return slot;
  }
  void remove_key(edge::KeySlot slot) override {
    engine_->remove_key(slot);
    if (const auto found = reference_slots_.find(slot.value); found != reference_slots_.end())
      reference_.remove_key(found->second);
  }

  // The reference does a copy at once, whatever becomes of the keys until the engine is done.
  void submit(edge::CipherBatch* batch) override {
    std::vector<MixedJob> copies;
    for (const edge::CipherJob& job : batch->jobs) copies.push_back(copy_of(job));
    expected_.push_back(MixedRun(reference_, copies).finish());
    engine_->submit(batch);
  }
  edge::CipherBatch* poll() override {
    edge::CipherBatch* const batch = engine_->poll();
    if (batch == nullptr) return nullptr;
    const std::vector<MixedOutcome> expected = std::move(expected_.front());
    expected_.pop_front();
    for (size_t i = 0; i < batch->jobs.size(); ++i) compare(expected[i], batch->jobs[i]);
    return batch;
  }
  bool has_unfinished() const override { return engine_->has_unfinished(); }
  const char* name() const override { return engine_->name(); }

 private:
  MixedJob copy_of(const edge::CipherJob& job) const {
    MixedJob copy{.job = job};
    if (const auto found = reference_slots_.find(job.slot.value); found != reference_slots_.end())
      copy.job.slot = found->second;
    const size_t head = size_t{job.header_bytes} + job.prefix_bytes;
    const bool in_place = job.payload == job.packet + head;
    copy.packet.assign(job.packet, job.packet + head + (in_place ? job.payload_bytes : 0));
    copy.packet.resize(head + job.payload_bytes + srtp::MaxTrailerBytes);
    if (!in_place)
      copy.payload = std::make_shared<const std::vector<uint8_t>>(job.payload, job.payload + job.payload_bytes);
    return copy;
  }
  void compare(const MixedOutcome& expected, const edge::CipherJob& job) {
    ++counts_.compared;
    MixedOutcome got{job, {}};
    const size_t bytes = job.verdict == edge::Verdict::Ok ? job.result_bytes : job.header_bytes;
    got.packet.assign(job.packet, job.packet + bytes);
    if (difference(expected, got)) ++counts_.different;
  }

  const std::unique_ptr<edge::SessionCipher> engine_;
  edge::ReferenceCipher reference_;
  TwinCounts& counts_;
  std::unordered_map<uint32_t, edge::KeySlot> reference_slots_;
  std::deque<std::vector<MixedOutcome>> expected_;
};

}  // namespace viaduct::testing
