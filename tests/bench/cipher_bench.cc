// SRTP for a batch of 1,200-byte packets, under one key or under as many as a fan-out has receivers.
//
// The reference cipher is the yardstick: tests/bench/run gives every other engine as a ratio to it from the same run.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "edge/cpu_cipher.h"
#include "edge/reference_cipher.h"
#include "limits.h"

namespace viaduct::edge {
namespace {

constexpr size_t HeaderBytes = 12;
constexpr size_t PayloadBytes = 1200;
constexpr uint32_t Ssrc = 0x1234;
using MakeCipher = std::unique_ptr<BatchCipher> (*)(Direction, size_t max_keys);

// A batch of packets that take turns with the keys, ready to be submitted again and again.
class Fixture {
 public:
  Fixture(BatchCipher& cipher, srtp::SrtpProfile profile, size_t packets, size_t keys)
      : jobs_(packets), payload_(PayloadBytes, 0x5a) {
    buffers_.resize(packets, std::vector<uint8_t>(limits::PacketBufferBytes));
    for (size_t i = 0; i < packets; ++i) {
      const std::vector<uint8_t> key(srtp::master_key_bytes(profile), static_cast<uint8_t>(i));
      const std::vector<uint8_t> salt(srtp::master_salt_bytes(profile), static_cast<uint8_t>(i + 1));
      jobs_[i].slot = i < keys ? cipher.add_key({profile, key, salt}).value() : jobs_[i - keys].slot;
      jobs_[i].header_bytes = HeaderBytes;
      jobs_[i].ssrc = Ssrc;
      jobs_[i].packet = buffers_[i].data();
      jobs_[i].packet[0] = 0x80;  // RTP version 2, no CSRC, no extension
    }
  }

  // One payload for all packets, written out of place.
  void aim_at_shared_payload(uint64_t index) {
    for (CipherJob& job : jobs_) {
      job.payload = payload_.data();
      job.payload_bytes = PayloadBytes;
      job.index = index;
    }
  }
  void keep_ciphertext() {
    for (const CipherJob& job : jobs_) ciphertext_.emplace_back(job.packet, job.packet + job.result_bytes);
  }
  // The packets that keep_ciphertext() saw, as they arrive.
  void aim_at_ciphertext(const std::vector<CipherJob>& inbound_slots) {
    for (size_t i = 0; i < jobs_.size(); ++i) {
      std::memcpy(jobs_[i].packet, ciphertext_[i].data(), ciphertext_[i].size());
      jobs_[i].slot = inbound_slots[i].slot;
      jobs_[i].payload = jobs_[i].packet + HeaderBytes;
      jobs_[i].payload_bytes = static_cast<uint32_t>(ciphertext_[i].size() - HeaderBytes);
    }
  }

  bool run(BatchCipher& cipher) {
    CipherBatch batch{jobs_};
    cipher.submit(&batch);
    while (cipher.poll() == nullptr) {
    }
    return jobs_.front().verdict == Verdict::Ok && jobs_.back().verdict == Verdict::Ok;
  }
  const std::vector<CipherJob>& jobs() const { return jobs_; }

 private:
  std::vector<CipherJob> jobs_;
  std::vector<uint8_t> payload_;
  std::vector<std::vector<uint8_t>> buffers_;
  std::vector<std::vector<uint8_t>> ciphertext_;
};

void count_packets(benchmark::State& state, size_t packets) {
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(packets));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(packets * PayloadBytes));
}

void protect(benchmark::State& state, MakeCipher make, srtp::SrtpProfile profile) {
  const auto packets = static_cast<size_t>(state.range(0));
  const auto keys = static_cast<size_t>(state.range(1));
  const auto cipher = make(Direction::Protect, keys);
  Fixture fixture(*cipher, profile, packets, keys);
  uint64_t index = 1;
  for (auto _ : state) {
    fixture.aim_at_shared_payload(index++);
    if (!fixture.run(*cipher)) state.SkipWithError("a packet was not protected");
  }
  count_packets(state, packets);
}

// Decryption is in place, so each round first copies the ciphertext back: a few tens of nanoseconds a packet.
void unprotect(benchmark::State& state, MakeCipher make, srtp::SrtpProfile profile) {
  const auto packets = static_cast<size_t>(state.range(0));
  const auto keys = static_cast<size_t>(state.range(1));
  const auto sender = make(Direction::Protect, keys);
  Fixture fixture(*sender, profile, packets, keys);
  fixture.aim_at_shared_payload(1);
  if (!fixture.run(*sender)) state.SkipWithError("a packet was not protected");
  fixture.keep_ciphertext();
  const auto receiver = make(Direction::Unprotect, keys);
  const Fixture inbound(*receiver, profile, packets, keys);  // for its keys
  for (auto _ : state) {
    fixture.aim_at_ciphertext(inbound.jobs());
    if (!fixture.run(*receiver)) state.SkipWithError("a packet was not authentic");
  }
  count_packets(state, packets);
}

void register_engine(const std::string& engine, MakeCipher make) {
  for (const auto profile : {srtp::SrtpProfile::AeadAes128Gcm, srtp::SrtpProfile::AeadAes256Gcm,
                             srtp::SrtpProfile::Aes128CmHmacSha1_80}) {
    const std::string kind = std::string("/") + srtp::to_string(profile);
    for (const auto& [what, run] :
         {std::pair{std::string("protect/"), &protect}, {std::string("unprotect/"), &unprotect}}) {
      benchmark::RegisterBenchmark((what + engine + kind).c_str(), run, make, profile)
          ->ArgNames({"packets", "keys"})
          ->Args({1, 1})
          ->Args({4, 1})
          ->Args({32, 1})
          ->Args({32, 32})
          ->Args({256, 1})
          ->Args({256, 100});
    }
  }
}

std::unique_ptr<BatchCipher> make_reference(Direction direction, size_t max_keys) {
  return std::make_unique<ReferenceCipher>(direction, max_keys);
}

std::unique_ptr<BatchCipher> make_cpu(Direction direction, size_t max_keys) {
  auto made = make_cpu_cipher(direction, max_keys);
  return made ? std::move(*made) : nullptr;
}

const bool Registered = [] {
  register_engine("reference", make_reference);
  if (make_cpu(Direction::Protect, 1) != nullptr) register_engine("cpu", make_cpu);
  return true;
}();

}  // namespace
}  // namespace viaduct::edge
