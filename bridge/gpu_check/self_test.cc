// Every kernel against what it is held to: published packets, OpenSSL, and the CPU's own code for sound.
#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "base/clock.h"
#include "base/random.h"
#include "edge/cuda_cipher.h"
#include "edge/reference_cipher.h"
#include "gpu_check/gpu_check.h"
#include "gpu_check/sound_test.h"
#include "protocol/srtp/srtcp.h"

namespace viaduct::gpu_check {
namespace {

using edge::CipherBatch;
using edge::CipherJob;
using edge::Direction;
using edge::KeySlot;
using edge::Verdict;
using srtp::SrtpProfile;
using ByteVector = std::vector<uint8_t>;

constexpr size_t Keys = 8;
constexpr size_t Packets = 256;

void run(edge::BatchCipher& cipher, std::span<CipherJob> jobs) {
  CipherBatch batch{jobs};
  cipher.submit(&batch);
  while (cipher.poll() != &batch) {}
}

// Counts the packets that the device did.
class DonePackets final : public MetricVisitor {
 public:
  static size_t of(const edge::BatchCipher& cipher) {
    DonePackets packets;
    cipher.visit(packets, "", "");
    return packets.count_;
  }
  void counter(std::string_view name, std::string_view, MetricLabels labels, double value) override {
    if (name != "viaduct_cipher_packets_total") return;
    for (const auto& [label, text] : labels) {
      if (label == "reason" && text == "device") count_ = static_cast<size_t>(value);
    }
  }
  void gauge(std::string_view, std::string_view, MetricLabels, double) override {}
  void histogram(std::string_view, std::string_view, MetricLabels, std::span<const double>,
                 std::span<const uint64_t>, double) override {}

 private:
  size_t count_ = 0;
};

// The kernels' cipher. OpenSSL would do the work of a device that fails, and be compared with itself: that is
// noticed.
class DeviceCipher {
 public:
  DeviceCipher(const std::shared_ptr<kernels::Gpu>& gpu, Direction direction)
      : cipher_(edge::make_cuda_cipher(
            direction, Keys, gpu, std::make_unique<edge::ReferenceCipher>(direction, Keys),
            {.use = edge::CudaUse::Always,
             .slot_packets = Packets,
             .clock = monotonic_now,
             .on_failure = [this](const std::string& why) { failure_ = why; }})) {
    if (!cipher_) failure_ = cipher_.error().text;
  }
  DeviceCipher(const DeviceCipher&) = delete;
  DeviceCipher& operator=(const DeviceCipher&) = delete;

  bool is_open() const { return cipher_.ok(); }
  edge::SessionCipher& get() { return **cipher_; }
  // Why `packets` packets, all there were, were not done by the device; empty when they were.
  std::string failure(size_t packets) const {
    if (!failure_.empty() || DonePackets::of(**cipher_) == packets) return failure_;
    return "the CPU did the work";
  }

 private:
  std::string failure_;
  Result<std::unique_ptr<edge::SessionCipher>> cipher_;
};

// Random packets of one profile: SRTP and SRTCP, all sizes, several keys.
class Packet {
 public:
  Packet(SeededRandom& random, SrtpProfile profile, KeySlot slot)
      : rtcp_(random.chance(0.2)),
        header_bytes_(rtcp_ ? srtp::RtcpHeaderBytes : 12 + 4 * random.below(20)),
        slot_(slot),
        ssrc_(random.u32()),
        index_(rtcp_ ? random.below(1u << 31) : random.u64() >> 16),
        clear_(header_bytes_ + random.below(1400)),
        room_(clear_.size() + (rtcp_ ? srtp::srtcp_trailer_bytes(profile)
                                     : srtp::srtp_trailer_bytes(profile))) {
    random.fill(clear_);
  }
  const ByteVector& clear() const { return clear_; }
  ByteVector buffer() const {
    ByteVector bytes = clear_;
    bytes.resize(room_);
    return bytes;
  }
  // To seal `bytes`, a buffer(), or to open what a cipher has made of it.
  CipherJob job(ByteVector& bytes, bool open) const {
    return {.slot = slot_,
            .rtcp = rtcp_,
            .header_bytes = static_cast<uint16_t>(header_bytes_),
            .payload_bytes = static_cast<uint32_t>((open ? bytes.size() : clear_.size()) - header_bytes_),
            .ssrc = ssrc_,
            .index = index_,
            .packet = bytes.data(),
            .payload = bytes.data() + header_bytes_};
  }

 private:
  bool rtcp_;
  size_t header_bytes_;
  KeySlot slot_;
  uint32_t ssrc_;
  uint64_t index_;
  ByteVector clear_;
  size_t room_;
};

// The same keys in the same slots of all ciphers.
std::vector<KeySlot> add_keys(SeededRandom& random, SrtpProfile profile,
                              std::initializer_list<edge::BatchCipher*> ciphers) {
  std::vector<KeySlot> slots;
  for (size_t i = 0; i < Keys; ++i) {
    ByteVector key(srtp::master_key_bytes(profile)), salt(srtp::master_salt_bytes(profile));
    random.fill(key);
    random.fill(salt);
    for (edge::BatchCipher* cipher : ciphers) {
      const auto slot = cipher->add_key({profile, key, salt});
      CHECK(slot.ok());
      if (slots.size() == i) slots.push_back(*slot);
      CHECK(*slot == slots[i]);
    }
  }
  return slots;
}

// Seals by the kernels what OpenSSL seals too, and opens what OpenSSL has sealed, every fourth packet forged.
void test_profile(const std::shared_ptr<kernels::Gpu>& gpu, SrtpProfile profile,
                  std::vector<SelfTest>& tests) {
  const std::string name = srtp::to_string(profile);
  SelfTest protect{"protect, " + name, "OpenSSL"};
  SelfTest unprotect{"unprotect, " + name, "OpenSSL"};
  SeededRandom random(static_cast<uint64_t>(profile) + 1);
  DeviceCipher sealer(gpu, Direction::Protect);
  DeviceCipher opener(gpu, Direction::Unprotect);
  if (sealer.is_open() && opener.is_open()) {
    edge::ReferenceCipher reference(Direction::Protect, Keys);
    const auto slots = add_keys(random, profile, {&reference, &sealer.get(), &opener.get()});
    std::vector<Packet> packets;
    for (size_t i = 0; i < Packets; ++i) packets.emplace_back(random, profile, slots[i % Keys]);

    std::vector<ByteVector> wanted(Packets), sealed(Packets);
    std::vector<CipherJob> wanted_jobs, sealed_jobs, opened_jobs;
    for (size_t i = 0; i < Packets; ++i) {
      wanted[i] = sealed[i] = packets[i].buffer();
      wanted_jobs.push_back(packets[i].job(wanted[i], false));
      sealed_jobs.push_back(packets[i].job(sealed[i], false));
    }
    run(reference, wanted_jobs);
    run(sealer.get(), sealed_jobs);
    for (size_t i = 0; i < Packets; ++i) {
      ++protect.compared;
      protect.wrong += sealed_jobs[i].verdict != Verdict::Ok || sealed[i] != wanted[i];
    }
    for (size_t i = 0; i < Packets; ++i) {
      if (i % 4 == 3) wanted[i].back() ^= 1;
      opened_jobs.push_back(packets[i].job(wanted[i], true));
    }
    run(opener.get(), opened_jobs);
    for (size_t i = 0; i < Packets; ++i) {
      const ByteVector& clear = packets[i].clear();
      const bool opened = opened_jobs[i].verdict == Verdict::Ok &&
                          std::equal(clear.begin(), clear.end(), wanted[i].begin());
      ++unprotect.compared;
      unprotect.wrong += i % 4 == 3 ? opened_jobs[i].verdict == Verdict::Ok : !opened;
    }
  }
  protect.failure = sealer.failure(Packets);
  unprotect.failure = opener.failure(Packets);
  tests.push_back(protect);
  tests.push_back(unprotect);
}

// RFC 7714 sections 16.1 and 16.2: the key counts up from 0.
struct PublishedPacket {
  const char* section;
  SrtpProfile profile;
  std::array<uint8_t, 38> encrypted;
  std::array<uint8_t, 16> tag;
};
constexpr std::array<uint8_t, 12> PublishedHeader = {0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41,
                                                     0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2};
constexpr const char* PublishedText = "Gallia est omnis divisa in partes tres";
constexpr const char* PublishedSalt = "Quid pro quo";
constexpr PublishedPacket Published[] = {
    {"RFC 7714 section 16.1",
     SrtpProfile::AeadAes128Gcm,
     {0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86, 0x1c, 0x9d,
      0x7e, 0x4b, 0xca, 0xbe, 0x63, 0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5,
      0xf4, 0x7a, 0x51, 0xc7, 0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf, 0x88, 0x33},
     {0x89, 0x9d, 0x7f, 0x27, 0xbe, 0xb1, 0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce}},
    {"RFC 7714 section 16.2",
     SrtpProfile::AeadAes256Gcm,
     {0x32, 0xb1, 0xde, 0x78, 0xa8, 0x22, 0xfe, 0x12, 0xef, 0x9f, 0x78, 0xfa, 0x33,
      0x2e, 0x33, 0xaa, 0xb1, 0x80, 0x12, 0x38, 0x9a, 0x58, 0xe2, 0xf3, 0xb5, 0x0b,
      0x2a, 0x02, 0x76, 0xff, 0xae, 0x0f, 0x1b, 0xa6, 0x37, 0x99, 0xb8, 0x7b},
     {0x7a, 0xa3, 0xdb, 0x36, 0xdf, 0xff, 0xd6, 0xb0, 0xf9, 0xbb, 0x78, 0x78, 0xd7, 0xa7, 0x6c, 0x13}}};

SelfTest test_published(const std::shared_ptr<kernels::Gpu>& gpu, const PublishedPacket& published) {
  SelfTest test{std::string("protect, ") + srtp::to_string(published.profile), published.section};
  DeviceCipher sealer(gpu, Direction::Protect);
  test.failure = sealer.failure(0);
  if (!sealer.is_open()) return test;
  srtp::SessionKeys keys;
  for (srtp::SessionKey* key : {&keys.rtp, &keys.rtcp}) {
    for (size_t i = 0; i < srtp::master_key_bytes(published.profile); ++i)
      key->encryption.data()[i] = static_cast<uint8_t>(i);
    std::memcpy(key->salt.data(), PublishedSalt, 12);
  }
  const auto slot = sealer.get().add_session_keys(published.profile, keys);
  CHECK(slot.ok());
  ByteVector packet(PublishedHeader.begin(), PublishedHeader.end());
  packet.insert(packet.end(), PublishedText, PublishedText + published.encrypted.size());
  packet.resize(packet.size() + published.tag.size());
  CipherJob job{.slot = *slot,
                .header_bytes = PublishedHeader.size(),
                .payload_bytes = static_cast<uint32_t>(published.encrypted.size()),
                .ssrc = 0x5501a0b2,
                .index = 0xf17b,
                .packet = packet.data(),
                .payload = packet.data() + PublishedHeader.size()};
  run(sealer.get(), {&job, 1});
  ByteVector wanted(PublishedHeader.begin(), PublishedHeader.end());
  wanted.insert(wanted.end(), published.encrypted.begin(), published.encrypted.end());
  wanted.insert(wanted.end(), published.tag.begin(), published.tag.end());
  test.failure = sealer.failure(1);
  test.compared = 1;
  test.wrong = job.verdict != Verdict::Ok || packet != wanted;
  return test;
}

}  // namespace

std::vector<SelfTest> run_self_tests(const std::shared_ptr<kernels::Gpu>& gpu) {
  std::vector<SelfTest> tests;
  for (const PublishedPacket& published : Published) tests.push_back(test_published(gpu, published));
  for (const SrtpProfile profile : {SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm,
                                    SrtpProfile::Aes128CmHmacSha1_80}) {
    test_profile(gpu, profile, tests);
  }
  test_sound(gpu, tests);
  return tests;
}

}  // namespace viaduct::gpu_check
