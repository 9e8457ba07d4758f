// Runs the SRTP kernels over buffers of exact size and compares with OpenSSL: silent, unless a
// sanitizer or the comparison has something to say.
#include "kernels/srtp/srtp_kernels.cuh"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <vector>

#include "kernels/emulation/kernel_registry.h"

using namespace viaduct::emulation;
using namespace viaduct::kernels;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t Keys = 4;  // by number: GCM with 128 and 256 bits, counter mode with the same
constexpr uint32_t HeaderBytes = 20;

void expect(bool right, const char* what) {
  if (!right) std::printf("differs from OpenSSL: %s\n", what);
}

bool is_gcm(uint32_t key) { return key < 2; }

void append_word(Bytes& bytes, uint32_t word) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(word >> shift));
}

// One packet for one receiver: what the job says, and what must come out.
struct Packet {
  uint32_t key = 0;
  uint32_t ssrc = 0;
  uint64_t index = 0;
  bool rtcp = false;
  Bytes head;  // header and prefix
  Bytes payload;
  Bytes sealed;
};

// RFC 7714 section 8.1 and 9.1, RFC 3711 section 4.1.1: the parts at their bytes, XOR the salt.
std::array<uint8_t, 16> counter_of(const Packet& packet, const SrtpSessionKey& session) {
  std::array<uint8_t, 16> counter{};
  const size_t ssrc_at = is_gcm(packet.key) ? 2 : 4;
  const size_t index_at = is_gcm(packet.key) ? 6 : 8;
  for (size_t i = 0; i < 4; ++i) {
    counter[ssrc_at + i] = static_cast<uint8_t>(packet.ssrc >> (24 - 8 * i));
  }
  for (size_t i = 0; i < 6; ++i) {
    counter[index_at + i] = static_cast<uint8_t>(packet.index >> (40 - 8 * i));
  }
  for (size_t i = 0; i < 14; ++i) counter[i] ^= session.salt[i];
  return counter;
}

const SrtpSessionKey& session_of(const std::vector<SrtpKeyUpload>& uploads, const Packet& packet) {
  return packet.rtcp ? uploads[packet.key].rtcp : uploads[packet.key].rtp;
}

void seal_gcm(Packet& packet, const SrtpKeyUpload& upload, const SrtpSessionKey& session,
              const Bytes& plain, uint32_t last_word) {
  EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(cipher, upload.key_bytes == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(),
                     nullptr, session.encryption, counter_of(packet, session).data());
  Bytes additional(packet.head.begin(), packet.head.begin() + HeaderBytes);
  if (packet.rtcp) append_word(additional, last_word);
  int size = 0;
  EVP_EncryptUpdate(cipher, nullptr, &size, additional.data(), static_cast<int>(additional.size()));
  Bytes body(plain.size() + 16);
  EVP_EncryptUpdate(cipher, body.data(), &size, plain.data(), static_cast<int>(plain.size()));
  EVP_EncryptFinal_ex(cipher, body.data() + size, &size);
  EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, 16, body.data() + plain.size());
  EVP_CIPHER_CTX_free(cipher);
  packet.sealed.insert(packet.sealed.end(), body.begin(), body.end());
  if (packet.rtcp) append_word(packet.sealed, last_word);
}

void seal_counter_mode(Packet& packet, const SrtpKeyUpload& upload, const SrtpSessionKey& session,
                       const Bytes& plain, uint32_t last_word) {
  EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(cipher, upload.key_bytes == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr(),
                     nullptr, session.encryption, counter_of(packet, session).data());
  int size = 0;
  Bytes body(plain.size() + 1);
  EVP_EncryptUpdate(cipher, body.data(), &size, plain.data(), static_cast<int>(plain.size()));
  EVP_CIPHER_CTX_free(cipher);
  packet.sealed.insert(packet.sealed.end(), body.begin(), body.end() - 1);
  Bytes text = packet.sealed;
  append_word(text, last_word);
  if (packet.rtcp) packet.sealed = text;
  uint8_t tag[20];
  HMAC(EVP_sha1(), session.authentication, 20, text.data(), text.size(), tag, nullptr);
  packet.sealed.insert(packet.sealed.end(), tag, tag + 10);
}

void seal(Packet& packet, const std::vector<SrtpKeyUpload>& uploads) {
  const SrtpSessionKey& session = session_of(uploads, packet);
  const SrtpKeyUpload& upload = uploads[packet.key];
  const uint32_t last_word = packet.rtcp ? 0x80000000u | static_cast<uint32_t>(packet.index)
                                         : static_cast<uint32_t>(packet.index >> 16);
  Bytes plain(packet.head.begin() + HeaderBytes, packet.head.end());
  plain.insert(plain.end(), packet.payload.begin(), packet.payload.end());
  packet.sealed.assign(packet.head.begin(), packet.head.begin() + HeaderBytes);
  if (is_gcm(packet.key)) {
    seal_gcm(packet, upload, session, plain, last_word);
  } else {
    seal_counter_mode(packet, upload, session, plain, last_word);
  }
}

class Check {
 public:
  Check() {
    make_keys();
    for (const size_t size : {0, 1, 15, 16, 17, 200, 900}) {
      add_receivers(size, false);
    }
    add_receivers(60, true);
    for (Packet& packet : packets_) seal(packet, uploads_);
  }

  void run(Schedule schedule) {
    schedule_ = schedule;
    launch<viaduct_srtp_expand_keys>(Keys, 64, uploads_.data(), slots_.data());
    protect();
    unprotect();
  }

 private:
  template <auto Kernel, class... Values>
  void launch(uint32_t blocks, uint32_t threads, Values... values) {
    uint32_t* finished = &finished_blocks_;
    uint64_t* done = &completion_;
    uint64_t batch = completion_ + 1;
    std::array<void*, sizeof...(values) + 3> parameters{&values..., &finished, &done, &batch};
    emulator_.launch({blocks}, {threads}, invoke<Kernel>, parameters.data(), schedule_);
    expect(completion_ == batch, "the kernel says that it is done");
  }

  uint32_t word() { return static_cast<uint32_t>(random_()); }

  Bytes random_bytes(size_t size) {
    Bytes bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
    return bytes;
  }

  void make_keys() {
    for (uint32_t slot = 0; slot < Keys; ++slot) {
      SrtpKeyUpload upload{slot, slot % 2 == 0 ? 16u : 32u, {}, {}};
      for (SrtpSessionKey* session : {&upload.rtp, &upload.rtcp}) {
        std::ranges::copy(random_bytes(upload.key_bytes), session->encryption);
        std::ranges::copy(random_bytes(is_gcm(slot) ? 12 : 14), session->salt);
        std::ranges::copy(random_bytes(20), session->authentication);
      }
      uploads_.push_back(upload);
    }
  }

  // One payload for three receivers of each kind.
  void add_receivers(size_t payload_bytes, bool rtcp) {
    const Bytes payload = random_bytes(payload_bytes);
    for (const uint32_t key : {0u, 1u, 0u, 2u, 3u, 2u}) {
      Packet packet;
      packet.key = key;
      packet.ssrc = word();
      packet.index = rtcp ? word() >> 1 : uint64_t{word()} << 16 | packets_.size();
      packet.rtcp = rtcp;
      packet.head = random_bytes(HeaderBytes + (rtcp ? 0 : packets_.size() % 3));
      packet.payload = payload;
      packets_.push_back(packet);
    }
  }

  SrtpJob job_of(const Packet& packet) const {
    SrtpJob job{};
    job.task.index = packet.index;
    job.task.key = packet.key;
    job.task.ssrc = packet.ssrc;
    job.task.header_bytes = HeaderBytes;
    job.task.rtcp = packet.rtcp ? 1 : 0;
    job.task.encrypted = 1;
    std::ranges::copy(packet.head, job.head);
    return job;
  }

  // Three jobs each, as add_receivers made them.
  std::vector<SrtpGroup> make_groups() const {
    std::vector<SrtpGroup> groups;
    for (size_t first = 0; first < packets_.size(); first += 3) {
      SrtpGroup group{};
      group.payload = reinterpret_cast<uint64_t>(packets_[first].payload.data());
      group.payload_bytes = static_cast<uint16_t>(packets_[first].payload.size());
      group.is_gcm = is_gcm(packets_[first].key) ? 1 : 0;
      group.job_count = 3;
      for (uint16_t i = 0; i < 3; ++i) group.jobs[i] = static_cast<uint16_t>(first + i);
      groups.push_back(group);
    }
    return groups;
  }

  void protect() {
    std::vector<SrtpJob> jobs;
    std::vector<Bytes> outputs;
    for (const Packet& packet : packets_) {
      SrtpJob job = job_of(packet);
      job.task.prefix_bytes = static_cast<uint16_t>(packet.head.size() - HeaderBytes);
      job.task.payload_bytes = static_cast<uint16_t>(packet.payload.size());
      outputs.emplace_back(packet.sealed.size());
      job.task.output = reinterpret_cast<uint64_t>(outputs.back().data());
      jobs.push_back(job);
    }
    const std::vector<SrtpGroup> groups = make_groups();
    Bytes results(jobs.size(), SrtpPending);
    launch<viaduct_srtp_protect>(3, 256, groups.data(), static_cast<uint32_t>(groups.size()),
                                 jobs.data(), slots_.data(), results.data());
    for (size_t i = 0; i < packets_.size(); ++i) {
      expect(results[i] == SrtpOk && outputs[i] == packets_[i].sealed, "a sealed packet");
    }
  }

  // Every fifth packet has been tampered with.
  void unprotect() {
    std::vector<SrtpJob> jobs;
    std::vector<Bytes> inputs;
    std::vector<Bytes> outputs;
    for (size_t i = 0; i < packets_.size(); ++i) {
      const Packet& packet = packets_[i];
      SrtpJob job = job_of(packet);
      const size_t body = packet.head.size() - HeaderBytes + packet.payload.size();
      job.task.payload_bytes = static_cast<uint16_t>(body);
      inputs.emplace_back(packet.sealed.begin() + HeaderBytes, packet.sealed.end());
      if (i % 5 == 0) inputs.back()[body + 5] ^= 1;  // in every tag
      outputs.emplace_back(body);
      job.task.payload = reinterpret_cast<uint64_t>(inputs.back().data());
      job.task.output = reinterpret_cast<uint64_t>(outputs.back().data());
      jobs.push_back(job);
    }
    const std::vector<SrtpGroup> groups = make_groups();
    Bytes results(jobs.size(), SrtpPending);
    launch<viaduct_srtp_unprotect>(3, 256, groups.data(), static_cast<uint32_t>(groups.size()),
                                   jobs.data(), slots_.data(), results.data());
    for (size_t i = 0; i < packets_.size(); ++i) {
      Bytes plain(packets_[i].head.begin() + HeaderBytes, packets_[i].head.end());
      plain.insert(plain.end(), packets_[i].payload.begin(), packets_[i].payload.end());
      if (i % 5 == 0) std::ranges::fill(plain, uint8_t{0});  // nothing is written
      expect(results[i] == (i % 5 == 0 ? SrtpAuthFailed : SrtpOk), "a verdict");
      expect(outputs[i] == plain, "an opened packet");
    }
  }

  std::mt19937 random_{17};
  Emulator emulator_;
  Schedule schedule_;
  uint32_t finished_blocks_ = 0;
  uint64_t completion_ = 0;
  std::vector<SrtpKeyUpload> uploads_;
  std::vector<SrtpKeySlot> slots_{Keys};
  std::vector<Packet> packets_;
};

}  // namespace

int main() {
  Check check;
  for (const Order order : {Order::Forward, Order::Reverse, Order::Shuffled}) {
    check.run({order, 3});
  }
  std::puts("ran to its end");
}
