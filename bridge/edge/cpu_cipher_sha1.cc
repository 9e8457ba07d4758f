#include "edge/cpu_cipher_sha1.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/check.h"
#include "protocol/srtp/srtcp.h"

namespace viaduct::edge {
namespace {

constexpr size_t TagBytes = srtp::tag_bytes(srtp::SrtpProfile::Aes128CmHmacSha1_80);
constexpr size_t LastWordBytes = 4;  // ROC or E||index, authenticated behind the body
static_assert(LastWordBytes == srtp::SrtcpIndexBytes && LastWordBytes <= TagBytes);

// The library refuses a job that it finds wrong and says so in its status alone. None may be: the
// layout is checked.
void expect_all_done(std::span<const IMB_JOB> jobs, uint32_t done) {
  CHECK(done == jobs.size());
  CHECK(std::all_of(jobs.begin(), jobs.end(),
                    [](const IMB_JOB& job) { return job.status == IMB_STATUS_COMPLETED; }));
}

void run_hash_jobs(const IpsecManager& manager, std::span<IMB_JOB> jobs) {
  if (jobs.empty()) return;
  IMB_MGR* m = manager.get();
  expect_all_done(jobs, IMB_SUBMIT_HASH_BURST(m, jobs.data(), static_cast<uint32_t>(jobs.size()),
                                              IMB_AUTH_HMAC_SHA_1));
}

// SRTP authenticates the ROC behind the body (RFC 3711 section 4.2), where the tag goes; SRTCP's
// E||index stands there already (section 3.4).
void place_last_word(const CipherJob& job, const Layout& at) {
  if (at.srtcp_word == nullptr) store_be32(at.tag, static_cast<uint32_t>(job.index >> 16));
}

void give_verdict(CipherJob& job, const Layout& at, bool ok) {
  job.verdict = ok ? Verdict::Ok : Verdict::AuthFailed;
  if (ok) job.result_bytes = at.result_bytes;
}

}  // namespace

Sha1Packets::Sha1Packets(const IpsecManager& wide, const IpsecManager* narrow, Direction direction)
    : wide_(wide), narrow_(narrow), direction_(direction) {
  static_assert(PacketsAtATime % 16 == 0 && PacketsAtATime <= IMB_MAX_BURST_SIZE);
  for (IMB_JOB& job : cipher_jobs_) {
    job.key_len_in_bytes = IMB_KEY_128_BYTES;
    job.iv_len_in_bytes = CounterBytes;
  }
  for (IMB_JOB& job : hash_jobs_) job.auth_tag_output_len_in_bytes = HashBytes;
}

void Sha1Packets::add(const StreamKey& key, CipherJob& job, const Layout& at) {
  hashed_bytes_[count_] = static_cast<uint16_t>(at.header.size() + at.body.size() + LastWordBytes);
  Packet& packet = packets_[count_++];
  packet.key = &key;
  packet.job = &job;
  packet.at = at;
  if (count_ == PacketsAtATime) finish();
}

void Sha1Packets::finish() {
  direction_ == Direction::Protect ? protect() : unprotect();
  count_ = 0;
}

void Sha1Packets::protect() {
  for (Packet& packet : std::span(packets_).first(count_)) {
    add_cipher_job(packet);
    place_last_word(*packet.job, packet.at);
  }
  run_cipher_jobs();
  hash();
  for (const Packet& packet : std::span(packets_).first(count_)) {
    std::memcpy(packet.at.tag, packet.hash.data(), TagBytes);
    give_verdict(*packet.job, packet.at, true);
  }
}

// Nothing is decrypted that has not authenticated.
void Sha1Packets::unprotect() {
  std::array<std::array<uint8_t, TagBytes>, PacketsAtATime> tags;
  for (size_t i = 0; i < count_; ++i) {
    std::memcpy(tags[i].data(), packets_[i].at.tag, TagBytes);
    place_last_word(*packets_[i].job, packets_[i].at);
  }
  hash();
  for (size_t i = 0; i < count_; ++i) {
    Packet& packet = packets_[i];
    const bool ok = CRYPTO_memcmp(packet.hash.data(), tags[i].data(), TagBytes) == 0;
    if (ok && packet.at.encrypted) add_cipher_job(packet);
    give_verdict(*packet.job, packet.at, ok);
  }
  run_cipher_jobs();
}

// Counter mode from the payload to the body. A prefix is ciphered together with what follows: the
// payload is copied behind it first, which costs less than a second job would.
void Sha1Packets::add_cipher_job(Packet& packet) {
  const Layout& at = packet.at;
  if (at.body.empty()) return;
  uint8_t* behind_prefix = at.body.data() + at.prefix.size();
  const bool copy = !at.prefix.empty() && !at.payload.empty() && at.payload.data() != behind_prefix;
  if (copy) std::memcpy(behind_prefix, at.payload.data(), at.payload.size());
  packet.counter = initial_counter(packet.job->ssrc, packet.job->index, packet.key->salt);
  IMB_JOB& job = cipher_jobs_[cipher_count_++];
  job.enc_keys = packet.key->sha1.round_keys;
  job.src = at.prefix.empty() ? at.payload.data() : at.body.data();
  job.dst = at.body.data();
  job.msg_len_to_cipher_in_bytes = at.body.size();
  job.iv = packet.counter.data();
}

void Sha1Packets::run_cipher_jobs() {
  if (cipher_count_ == 0) return;
  const auto jobs = std::span(cipher_jobs_).first(cipher_count_);
  expect_all_done(
      jobs, IMB_SUBMIT_CIPHER_BURST(wide_.get(), jobs.data(), static_cast<uint32_t>(jobs.size()),
                                    IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES));
  cipher_count_ = 0;
}

// Of every packet, from its header to the last word behind its body; packets of like length
// together, for lanes that end at different times are filled badly.
void Sha1Packets::hash() {
  const auto order = by_length();
  for (size_t i = 0; i < count_; ++i) {
    Packet& packet = packets_[order[i]];
    IMB_JOB& job = hash_jobs_[i];
    job.src = packet.at.header.data();
    job.msg_len_to_hash_in_bytes = hashed_bytes_[order[i]];
    job.u.HMAC._hashed_auth_key_xor_ipad = packet.key->sha1.inner;
    job.u.HMAC._hashed_auth_key_xor_opad = packet.key->sha1.outer;
    job.auth_tag_output = packet.hash.data();
  }
  const auto jobs = std::span(hash_jobs_).first(count_);
  if (narrow_ == nullptr) return run_hash_jobs(wide_, jobs);
  for (size_t done = 0; done < count_;) {
    const auto group = jobs.subspan(done, std::min(wide_.hash_lanes(), count_ - done));
    run_hash_jobs(fills_wide_vectors(group) ? wide_ : *narrow_, group);
    done += group.size();
  }
}

// The numbers of the packets, the shortest first. Mostly they are in order: one payload for all.
std::array<uint8_t, Sha1Packets::PacketsAtATime> Sha1Packets::by_length() const {
  std::array<uint8_t, PacketsAtATime> order;
  for (size_t i = 0; i < count_; ++i) {
    size_t place = i;
    for (; place > 0 && hashed_bytes_[order[place - 1]] > hashed_bytes_[i]; --place) {
      order[place] = order[place - 1];
    }
    order[place] = static_cast<uint8_t>(i);
  }
  return order;
}

// Whether a wide vector is the faster place for `jobs`, in order of their length. All lanes step
// together from one packet's end to the next, and each end takes steps of its own: the padding and
// the outer hash.
bool Sha1Packets::fills_wide_vectors(std::span<const IMB_JOB> jobs) const {
  constexpr size_t StepsPerEnd = 3;
  size_t blocks = 0, ends = 0, last = 0;
  for (const IMB_JOB& job : jobs) {
    const size_t its_blocks = job.msg_len_to_hash_in_bytes / IMB_SHA1_BLOCK_SIZE;
    if (ends == 0 || its_blocks != last) ++ends;
    last = its_blocks;
    blocks += its_blocks + StepsPerEnd;
  }
  return (last + ends * StepsPerEnd) * BlocksPerWideStep <= blocks;
}

}  // namespace viaduct::edge
