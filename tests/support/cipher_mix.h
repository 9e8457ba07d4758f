// Random batches for two BatchCiphers that must do the same: all profiles, SRTP and SRTCP, header
// extensions and CSRCs, prefixes, payloads in place, of a job's own and shared, forged and
// malformed jobs, keys that come, go and go while a batch is in flight.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "limits.h"
#include "protocol/srtp/packet_index.h"
#include "protocol/srtp/srtcp.h"
#include "tests/support/cipher_job.h"

namespace viaduct::testing {

// A job and what it works on, so that it can be run again on a copy.
struct MixedJob {
  edge::CipherJob job;          // its pointers are set for each run
  std::vector<uint8_t> packet;  // no byte longer than the job may use; empty: the pointer is null
  std::shared_ptr<const std::vector<uint8_t>> payload;  // null: in place
  std::vector<uint8_t>
      clear;  // what has to come out when unprotecting; empty: whatever the twin says
};

struct MixedOutcome {
  edge::CipherJob job;
  std::vector<uint8_t> packet;
};

// Submits a copy of the jobs; finish() polls it.
class MixedRun {
 public:
  MixedRun(edge::BatchCipher& cipher, std::span<const MixedJob> mixed) : cipher_(cipher) {
    for (const MixedJob& m : mixed) {
      outcomes_.push_back({m.job, m.packet});
      MixedOutcome& o = outcomes_.back();
      o.packet.shrink_to_fit();  // where AddressSanitizer sees a step too far
      if (!o.packet.empty()) {
        o.job.packet = o.packet.data();
        o.job.payload = o.packet.data() + m.job.header_bytes + m.job.prefix_bytes;
      }
      if (m.payload) o.job.payload = m.payload->data();
      jobs_.push_back(o.job);
    }
    batch_.jobs = jobs_;
    cipher_.submit(&batch_);
  }
  std::vector<MixedOutcome> finish() {
    while (cipher_.poll() != &batch_) {}
    for (size_t i = 0; i < jobs_.size(); ++i) outcomes_[i].job = jobs_[i];
    return std::move(outcomes_);
  }

 private:
  edge::BatchCipher& cipher_;
  std::vector<MixedOutcome> outcomes_;
  std::vector<edge::CipherJob> jobs_;
  edge::CipherBatch batch_;
};

// Nothing when two runs of a job agree, else how they do not.
inline std::optional<std::string> difference(const MixedOutcome& a, const MixedOutcome& b) {
  if (a.job.verdict != b.job.verdict) {
    return "verdicts " + std::to_string(static_cast<int>(a.job.verdict)) + " and " +
           std::to_string(static_cast<int>(b.job.verdict));
  }
  if (a.job.index != b.job.index) return "indexes";
  size_t same = std::min(a.packet.size(), b.packet.size());  // neither has touched a refused job
  if (a.job.verdict == edge::Verdict::Ok) {
    if (a.job.result_bytes != b.job.result_bytes) return "lengths";
    same = a.job.result_bytes;
  } else if (a.job.verdict == edge::Verdict::AuthFailed) {
    same = a.job.header_bytes;  // the rest means nothing
  }
  for (size_t i = 0; i < same; ++i) {
    if (a.packet[i] != b.packet[i]) return "bytes at " + std::to_string(i);
  }
  return std::nullopt;
}

class CipherMix {
 public:
  static constexpr size_t MostKeys = 12;
  struct Twins {
    edge::BatchCipher &protect_a, &protect_b, &unprotect_a, &unprotect_b;
  };

  CipherMix(Random& random, const Twins& twins) : random_(random), twins_(twins) {}
  ~CipherMix() {
    for (Key& key : keys_) remove(key);
  }
  CipherMix(const CipherMix&) = delete;
  CipherMix& operator=(const CipherMix&) = delete;

  // Protects a batch of `packets` and unprotects what came of it, changed here and there. Nothing
  // when the twins agree all along, else how they do not.
  std::optional<std::string> step(size_t packets) {
    if (keys_.empty() || chance(2)) add_key();
    if (chance(6)) remove_key();
    auto shared = std::make_shared<const std::vector<uint8_t>>(bytes(pick_bytes()));
    std::vector<MixedJob> jobs;
    for (size_t i = 0; i < packets; ++i) jobs.push_back(protect_job(shared));
    std::vector<MixedOutcome> sealed;
    if (auto differs = run(twins_.protect_a, twins_.protect_b, jobs, &sealed)) return differs;

    std::vector<MixedJob> received;
    for (size_t i = 0; i < packets; ++i) {
      if (sealed[i].job.verdict == edge::Verdict::Ok) {
        received.push_back(unprotect_job(jobs[i], sealed[i]));
      }
    }
    std::vector<MixedOutcome> opened;
    if (auto differs = run(twins_.unprotect_a, twins_.unprotect_b, received, &opened)) {
      return differs;
    }
    return check_plaintext(received, opened);
  }

  size_t opened() const { return opened_; }  // packets that came back as they were
  size_t refused() const { return refused_; }

 private:
  struct Key {
    srtp::SrtpProfile profile;
    edge::KeySlot out;
    edge::KeySlot in;
    bool removed = false;
  };

  uint32_t below(size_t bound) { return random_.u32() % static_cast<uint32_t>(bound); }
  bool chance(size_t one_in) { return below(one_in) == 0; }
  std::vector<uint8_t> bytes(size_t n) {
    std::vector<uint8_t> out(n);
    SeededRandom(random_.u32()).fill(out);
    return out;
  }
  size_t pick_bytes() {
    switch (below(4)) {
      case 0:
        return 1150 + below(100);
      case 1:
        return below(1500);
      default:
        return below(301);
    }
  }

  void add_key() {
    const srtp::SrtpProfile profile = AllProfiles[below(3)];
    const auto master = bytes(srtp::master_key_bytes(profile));
    const auto salt = bytes(srtp::master_salt_bytes(profile));
    const srtp::SrtpKeys keys{profile, master, salt};
    const auto out = twins_.protect_a.add_key(keys), out_b = twins_.protect_b.add_key(keys);
    const auto in = twins_.unprotect_a.add_key(keys), in_b = twins_.unprotect_b.add_key(keys);
    CHECK(out.ok() == out_b.ok() && in.ok() == in_b.ok() && out.ok() == in.ok());
    if (!out) return;
    CHECK(*out == *out_b && *in == *in_b);
    std::erase_if(keys_, [&](const Key& key) { return key.removed && key.out == *out; });
    keys_.push_back({profile, *out, *in});
  }
  void remove_key() { remove(keys_[below(keys_.size())]); }
  void remove(Key& key) {
    if (key.removed) return;
    key.removed = true;
    for (auto* cipher : {&twins_.protect_a, &twins_.protect_b}) cipher->remove_key(key.out);
    for (auto* cipher : {&twins_.unprotect_a, &twins_.unprotect_b}) cipher->remove_key(key.in);
  }

  std::optional<std::string> run(edge::BatchCipher& a, edge::BatchCipher& b,
                                 std::span<const MixedJob> jobs,
                                 std::vector<MixedOutcome>* outcomes) {
    MixedRun run_a(a, jobs), run_b(b, jobs);
    if (chance(4)) remove_key();
    *outcomes = run_a.finish();
    const std::vector<MixedOutcome> others = run_b.finish();
    for (size_t i = 0; i < jobs.size(); ++i) {
      if (auto differs = difference((*outcomes)[i], others[i])) {
        return "job " + std::to_string(i) + " of " + std::to_string(jobs.size()) + ": " + *differs;
      }
    }
    return std::nullopt;
  }

  // RFC 3550 section 5.1: up to 15 CSRCs and an extension. Its words do not matter to a cipher.
  uint16_t pick_header_bytes(bool rtcp) {
    if (rtcp) return srtp::RtcpHeaderBytes;
    const size_t csrcs = chance(3) ? below(16) : 0;
    return static_cast<uint16_t>(12 + 4 * csrcs + (chance(2) ? 4 + 4 * below(20) : 0));
  }
  uint64_t pick_index(bool rtcp) {
    if (rtcp) return chance(8) ? uint64_t{srtp::MaxSrtcpIndex} - below(2) : below(1u << 20);
    switch (below(4)) {
      case 0:
        return 65'530 + below(12);  // around a rollover
      case 1:
        return srtp::MaxPacketIndex - below(3);
      default:
        return random_.u64() & srtp::MaxPacketIndex;
    }
  }

  MixedJob protect_job(const std::shared_ptr<const std::vector<uint8_t>>& shared) {
    const Key& key = keys_[below(keys_.size())];
    MixedJob m;
    m.job.slot = key.out;
    m.job.rtcp = chance(5);
    m.job.header_bytes = pick_header_bytes(m.job.rtcp);
    m.job.prefix_bytes = static_cast<uint16_t>(chance(2) ? below(21) : 0);
    m.job.ssrc = random_.u32();
    m.job.index = pick_index(m.job.rtcp);
    switch (below(3)) {
      case 0:
        m.payload = shared;
        break;
      case 1:
        m.payload = std::make_shared<const std::vector<uint8_t>>(bytes(pick_bytes()));
        break;
      default:
        break;
    }
    const size_t payload_bytes = m.payload ? m.payload->size() : pick_bytes();
    m.job.payload_bytes = static_cast<uint32_t>(payload_bytes);
    const size_t trailer =
        m.job.rtcp ? srtp::srtcp_trailer_bytes(key.profile) : srtp::srtp_trailer_bytes(key.profile);
    m.packet = bytes(m.job.header_bytes + m.job.prefix_bytes + payload_bytes + trailer);
    if (chance(16)) spoil(m);
    return m;
  }

  // Makes a job that no cipher may take.
  void spoil(MixedJob& m) {
    switch (below(7)) {
      case 0:
        m.job.slot = edge::KeySlot{below(2 * MostKeys)};
        break;  // perhaps another's
      case 1:
        m.job.slot = {};
        break;
      case 2:
        m.packet.clear();
        break;
      case 3:
        m.job.header_bytes = static_cast<uint16_t>(below(12));
        break;
      case 4:
        m.job.payload_bytes = static_cast<uint32_t>(limits::PacketBufferBytes - below(3));
        break;
      case 5:
        m.job.payload_bytes = random_.u32() | 0x10000u;
        break;
      default:
        m.job.index = srtp::MaxPacketIndex + 1 + below(3);
        break;
    }
    // Where the job may be taken all the same, under another key, there has to be room for it.
    if (!m.packet.empty()) m.packet.resize(m.packet.size() + srtp::MaxTrailerBytes);
    m.clear.clear();
  }

  MixedJob unprotect_job(const MixedJob& sent, const MixedOutcome& sealed) {
    MixedJob m;
    m.job = sent.job;
    const auto key = std::ranges::find(keys_, sent.job.slot, &Key::out);
    if (key != keys_.end()) m.job.slot = key->in;
    m.job.prefix_bytes = 0;
    m.packet.assign(sealed.packet.begin(), sealed.packet.begin() + sealed.job.result_bytes);
    m.job.payload_bytes = static_cast<uint32_t>(m.packet.size() - m.job.header_bytes);
    if (m.job.rtcp) m.job.index = below(100);  // read from the packet
    if (chance(4)) {
      forge(m);
    } else if (key != keys_.end() && !key->removed && m.job.slot == key->in) {
      m.clear = clear_of(sent);
    }
    return m;
  }
  // Header, prefix and payload as they were before protection.
  static std::vector<uint8_t> clear_of(const MixedJob& sent) {
    const size_t before = sent.job.header_bytes + sent.job.prefix_bytes;
    std::vector<uint8_t> clear(sent.packet.begin(),
                               sent.packet.begin() + static_cast<ptrdiff_t>(before));
    const uint8_t* payload = sent.payload ? sent.payload->data() : sent.packet.data() + before;
    clear.insert(clear.end(), payload, payload + sent.job.payload_bytes);
    return clear;
  }
  void forge(MixedJob& m) {
    switch (below(6)) {
      case 0:
        m.job.slot = keys_[below(keys_.size())].in;
        break;
      case 1:
        m.job.index ^= uint64_t{1} << below(48);
        break;
      case 2:
        m.job.ssrc ^= 1u << below(32);
        break;
      case 3:
        m.job.payload_bytes = below(m.job.payload_bytes + 1);
        break;
      case 4:
        m.job.prefix_bytes = static_cast<uint16_t>(1 + below(20));
        break;
      default:
        m.packet[below(m.packet.size())] ^= static_cast<uint8_t>(1u << below(8));
        break;
    }
  }

  std::optional<std::string> check_plaintext(std::span<const MixedJob> received,
                                             std::span<const MixedOutcome> opened) {
    for (size_t i = 0; i < received.size(); ++i) {
      const bool ok = opened[i].job.verdict == edge::Verdict::Ok;
      ++(ok ? opened_ : refused_);
      const std::vector<uint8_t>& clear = received[i].clear;
      if (clear.empty()) continue;
      if (!ok) return "packet " + std::to_string(i) + " is not opened";
      if (opened[i].job.result_bytes != clear.size() ||
          !std::equal(clear.begin(), clear.end(), opened[i].packet.begin())) {
        return "packet " + std::to_string(i) + " is opened to something else";
      }
    }
    return std::nullopt;
  }

  Random& random_;
  const Twins twins_;
  std::vector<Key> keys_;
  size_t opened_ = 0;
  size_t refused_ = 0;
};

}  // namespace viaduct::testing
