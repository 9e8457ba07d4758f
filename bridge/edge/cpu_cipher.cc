#include "edge/cpu_cipher.h"

#include <optional>
#include <utility>

#include "edge/cpu_cipher_gcm.h"
#include "edge/cpu_cipher_sha1.h"
#include "edge/key_table.h"

namespace viaduct::edge {
namespace {

class CpuCipher final : public SessionCipher {
 public:
  CpuCipher(Direction direction, size_t max_keys, IpsecManager manager,
            std::optional<IpsecManager> narrow)
      : direction_(direction),
        manager_(std::move(manager)),
        narrow_(std::move(narrow)),
        gcm_(manager_),
        sha1_(manager_, narrow_ ? &*narrow_ : nullptr, direction),
        keys_(max_keys) {}

  Result<KeySlot> add_session_keys(srtp::SrtpProfile profile,
                                   const srtp::SessionKeys& keys) override {
    if (const auto room = keys_.check_room(); !room) return room.error();
    return keys_.add(expand_key(manager_, profile, keys));
  }
  void remove_key(KeySlot slot) override { keys_.remove(slot); }

  void submit(CipherBatch* batch) override {
    for (CipherJob& job : batch->jobs) run(job);
    sha1_.finish();
    keys_.finish(batch);
  }
  CipherBatch* poll() override { return keys_.poll(); }
  const char* name() const override { return "cpu"; }

 private:
  void run(CipherJob& job);

  const Direction direction_;
  const IpsecManager manager_;
  const std::optional<IpsecManager> narrow_;  // with SHA instructions, beside one of wide vectors
  GcmPackets gcm_;
  Sha1Packets sha1_;
  KeyTable<CpuKey> keys_;
};

// One packet: done now, or put beside others of its kind.
void CpuCipher::run(CipherJob& job) {
  const CpuKey* key = keys_.find(job.slot);
  if (key == nullptr) {
    job.verdict = Verdict::BadKey;
    return;
  }
  const StreamKey& stream = job.rtcp ? key->rtcp : key->rtp;
  Layout at;
  if (!lay_out(job, stream.profile, direction_, &at)) {
    job.verdict = Verdict::Malformed;
    return;
  }
  if (!is_gcm(stream.profile)) {
    sha1_.add(stream, job, at);
    return;
  }
  if (direction_ == Direction::Protect) {
    gcm_.protect(stream, job, at);
  } else if (!gcm_.unprotect(stream, job, at)) {
    job.verdict = Verdict::AuthFailed;
    return;
  }
  job.result_bytes = at.result_bytes;
  job.verdict = Verdict::Ok;
}

}  // namespace

Result<std::unique_ptr<SessionCipher>> make_cpu_cipher(Direction direction, size_t max_keys,
                                                       CpuFeatures features) {
  auto manager = IpsecManager::make(features);
  if (!manager) return manager.error();
  std::optional<IpsecManager> narrow;
  if (!manager->has_sha_instructions()) {
    auto made = IpsecManager::make(CpuFeatures::Sse);
    if (!made) return made.error();
    if (made->has_sha_instructions()) narrow.emplace(std::move(*made));
  }
  return std::unique_ptr<SessionCipher>(
      std::make_unique<CpuCipher>(direction, max_keys, std::move(*manager), std::move(narrow)));
}

}  // namespace viaduct::edge
