// What holds for every BatchCipher that works on this CPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "protocol/srtp/key_derivation.h"
#include "protocol/srtp/packet_index.h"
#include "protocol/srtp/srtcp.h"
#include "tests/support/cipher_engines.h"
#include "tests/support/cipher_job.h"
#include "tests/support/hex.h"

namespace viaduct::edge {
namespace {

using srtp::SrtpProfile;
using testing::all_engines;
using testing::AllProfiles;
using testing::CipherEngine;
using testing::from_hex;
using testing::Outcome;
using testing::PacketKind;
using testing::run_in_place;
using testing::run_one;
using testing::TestKey;
using testing::to_hex;
using ByteVector = std::vector<uint8_t>;

// Both directions of an engine.
struct Ciphers {
  explicit Ciphers(const CipherEngine& engine)
      : protect_owner(engine.make(Direction::Protect, 16)),
        unprotect_owner(engine.make(Direction::Unprotect, 16)) {}

  std::unique_ptr<SessionCipher> protect_owner, unprotect_owner;
  SessionCipher& protect = *protect_owner;
  SessionCipher& unprotect = *unprotect_owner;
};

class EachEngine : public ::testing::TestWithParam<CipherEngine> {
 protected:
  std::unique_ptr<SessionCipher> make(Direction direction, size_t max_keys) {
    return GetParam().make(direction, max_keys);
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, EachEngine, ::testing::ValuesIn(all_engines()),
                         [](const auto& test) { return test.param.name; });

ByteVector rtp_packet(size_t payload_bytes) {
  ByteVector packet = from_hex("8060f17b 8041f8d3 5501a0b2");
  for (size_t i = 0; i < payload_bytes; ++i) packet.push_back(static_cast<uint8_t>(i * 3));
  return packet;
}

// ---- published packets ----

struct Vector {
  const char* what;
  SrtpProfile profile;
  bool rtcp;
  uint64_t index;
  const char* clear;
  const char* protected_packet;
};

// RFC 7714 sections 16 and 17; both start from session keys.
constexpr const char* GcmSalt = "51756964 2070726f 2071756f";
const char* const GcmRtp =
    "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 "
    "6573";
const char* const GcmRtcp =
    "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef "
    "deadbeef";
const Vector GcmVectors[] = {
    {"RFC 7714 section 16.1", SrtpProfile::AeadAes128Gcm, false, 0xf17b, GcmRtp,
     "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf "
     "8833"
     "899d7f27 beb16a91 52cf765e e4390cce"},
    {"RFC 7714 section 16.2", SrtpProfile::AeadAes256Gcm, false, 0xf17b, GcmRtp,
     "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 "
     "b87b"
     "7aa3db36 dfffd6b0 f9bb7878 d7a76c13"},
    {"RFC 7714 section 17.1", SrtpProfile::AeadAes128Gcm, true, 0x5d4, GcmRtcp,
     "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded"
     "0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4"},
    {"RFC 7714 section 17.2", SrtpProfile::AeadAes256Gcm, true, 0x5d4, GcmRtcp,
     "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658 c61de047"
     "6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4"},
};
// Not encrypted, only tagged: what a sender may do and we never do.
const Vector GcmTaggedOnly[] = {
    {"RFC 7714 section 17.3", SrtpProfile::AeadAes128Gcm, true, 0x5d4, GcmRtcp,
     "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef "
     "deadbeef"
     "841dd968 3dd78ec9 2ae58790 125f62b3 000005d4"},
    {"RFC 7714 section 17.4", SrtpProfile::AeadAes256Gcm, true, 0x5d4, GcmRtcp,
     "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef "
     "deadbeef"
     "91db4afb feee5a97 8fab4393 ed2615fe 000005d4"},
};

// Keys of RFC 3711 appendix B.3; the packets were made with libsrtp2, which tests/differential compares with at
// length.
constexpr const char* Sha1MasterKey = "e1f97a0d3e018be0d64fa32c06de4139";
constexpr const char* Sha1MasterSalt = "0ec675ad498afeebb6960b3aabe6";
const Vector Sha1Vectors[] = {
    {"SRTP", SrtpProfile::Aes128CmHmacSha1_80, false, 0x1234,
     "800f1234 decafbad cafebabe abababab abababab abababab abababab",
     "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb"},
    {"SRTCP", SrtpProfile::Aes128CmHmacSha1_80, true, 1, "81c8000b cafebabe abababab abababab abababab abababab",
     "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798"},
};

PacketKind kind_of(const Vector& v, KeySlot slot) {
  const ByteVector clear = from_hex(v.clear);
  return {slot, v.rtcp, static_cast<uint16_t>(v.rtcp ? 8 : 12), load_be32(&clear[v.rtcp ? 4 : 8]), v.index};
}

KeySlot add_gcm_vector_key(SessionCipher& cipher, SrtpProfile profile) {
  srtp::SessionKeys keys;
  const ByteVector salt = from_hex(GcmSalt);
  for (srtp::SessionKey* key : {&keys.rtp, &keys.rtcp}) {
    for (size_t i = 0; i < srtp::master_key_bytes(profile); ++i) key->encryption.data()[i] = static_cast<uint8_t>(i);
    std::ranges::copy(salt, key->salt.data());
  }
  return cipher.add_session_keys(profile, keys).value();
}

void expect_both_ways(Ciphers& ciphers, const Vector& v, KeySlot protect_slot, KeySlot unprotect_slot) {
  const Outcome sealed =
      run_in_place(ciphers.protect, Direction::Protect, kind_of(v, protect_slot), from_hex(v.clear));
  EXPECT_EQ(sealed.verdict, Verdict::Ok) << v.what;
  EXPECT_EQ(to_hex(sealed.packet), to_hex(from_hex(v.protected_packet))) << v.what;

  const Outcome opened =
      run_in_place(ciphers.unprotect, Direction::Unprotect, kind_of(v, unprotect_slot), from_hex(v.protected_packet));
  EXPECT_EQ(opened.verdict, Verdict::Ok) << v.what;
  EXPECT_EQ(to_hex(opened.packet), to_hex(from_hex(v.clear))) << v.what;
  EXPECT_EQ(opened.index, v.index) << v.what;
}

TEST_P(EachEngine, MakesAndReadsThePacketsOfRfc7714) {
  Ciphers ciphers(GetParam());
  for (const Vector& v : GcmVectors) {
    expect_both_ways(ciphers, v, add_gcm_vector_key(ciphers.protect, v.profile),
                     add_gcm_vector_key(ciphers.unprotect, v.profile));
  }
}

// What AES itself is published with: SSRC and index are 0, so that the salt is the IV.
struct BareVector {
  const char* what;
  SrtpProfile profile;
  const char* key;
  const char* salt;
  const char* header;
  const char* clear;
  const char* encrypted;  // with the tag, where one is published
};
constexpr const char* GcmSpecHeader = "feedface deadbeef feedface deadbeef abaddad2";
constexpr const char* GcmSpecClear =
    "d9313225 f88406e5 a55909c5 aff5269a 86a7a953 1534f7da 2e4c303d 8a318a72 1c3c0c95 95680953 2fcf0e24 49a6b525 "
    "b16aedf5 aa0de657 ba637b39";
const BareVector BareVectors[] = {
    {"GCM specification (NIST), test case 4", SrtpProfile::AeadAes128Gcm, "feffe992 8665731c 6d6a8f94 67308308",
     "cafebabe facedbad decaf888", GcmSpecHeader, GcmSpecClear,
     "42831ec2 21777424 4b7221b7 84d0d49c e3aa212f 2c02a4e0 35c17e23 29aca12e 21d514b2 5466931c 7d8f6a5a ac84aa05 "
     "1ba30b39 6a0aac97 3d58e091 5bc94fbc 3221a5db 94fae95a e7121a47"},
    {"GCM specification (NIST), test case 16", SrtpProfile::AeadAes256Gcm,
     "feffe992 8665731c 6d6a8f94 67308308 feffe992 8665731c 6d6a8f94 67308308", "cafebabe facedbad decaf888",
     GcmSpecHeader, GcmSpecClear,
     "522dc1f0 99567d07 f47f37a3 2a84427d 643a8cdc bfe5c0c9 7598a2bd 2555d1aa 8cb08e48 590dbb3d a7b08b10 56828838 "
     "c5f61e63 93ba7a0a bcc9f662 76fc6ece 0f4e1768 cddf8853 bb2d551b"},
    {"RFC 3711 appendix B.2", SrtpProfile::Aes128CmHmacSha1_80, "2b7e1516 28aed2a6 abf71588 09cf4f3c",
     "f0f1f2f3 f4f5f6f7 f8f9fafb fcfd", "80000000 00000000 00000000",
     "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000",
     "e03ead09 35c95e80 e166b16d d92b4eb4 d2351316 2b02d0f7 2a43a2fe 4a5f97ab 41e95b3b b0a2e8dd 477901e4 fca894c0"},
};

TEST_P(EachEngine, EncryptsAsAesIsPublishedWith) {
  const auto cipher = make(Direction::Protect, 4);
  for (const BareVector& v : BareVectors) {
    srtp::SessionKeys keys;
    std::ranges::copy(from_hex(v.key), keys.rtp.encryption.data());
    std::ranges::copy(from_hex(v.salt), keys.rtp.salt.data());
    const KeySlot slot = cipher->add_session_keys(v.profile, keys).value();
    const std::string packet = std::string(v.header) + v.clear;
    const PacketKind kind{slot, false, static_cast<uint16_t>(from_hex(v.header).size()), 0, 0};
    const Outcome sealed = run_in_place(*cipher, Direction::Protect, kind, from_hex(packet));
    ASSERT_EQ(sealed.verdict, Verdict::Ok) << v.what;
    const std::string wanted = to_hex(from_hex(std::string(v.header) + v.encrypted));
    EXPECT_EQ(to_hex(sealed.packet).substr(0, wanted.size()), wanted) << v.what;
  }
}

TEST_P(EachEngine, ReadsSrtcpThatIsTaggedButNotEncrypted) {
  Ciphers ciphers(GetParam());
  for (const Vector& v : GcmTaggedOnly) {
    const PacketKind kind = kind_of(v, add_gcm_vector_key(ciphers.unprotect, v.profile));
    ByteVector packet = from_hex(v.protected_packet);
    const Outcome opened = run_in_place(ciphers.unprotect, Direction::Unprotect, kind, packet);
    EXPECT_EQ(opened.verdict, Verdict::Ok) << v.what;
    EXPECT_EQ(to_hex(opened.packet), to_hex(from_hex(v.clear))) << v.what;
    packet[20] ^= 1;
    EXPECT_EQ(run_in_place(ciphers.unprotect, Direction::Unprotect, kind, packet).verdict, Verdict::AuthFailed)
        << v.what;
  }
}

// RFC 3711 section 3.4 lets E be 0 for this profile, too.
TEST_P(EachEngine, ReadsSha1SrtcpThatIsTaggedButNotEncrypted) {
  Ciphers ciphers(GetParam());
  const TestKey key(SrtpProfile::Aes128CmHmacSha1_80);
  const auto session = srtp::derive_session_keys(key.keys());
  ASSERT_TRUE(session);
  const ByteVector clear = from_hex("81c8000b cafebabe abababab abababab abababab abababab");
  ByteVector packet = clear;
  packet.insert(packet.end(), {0, 0, 0, 7});  // E is 0, the index 7
  std::array<uint8_t, 20> tag;
  const Bytes tag_key = session->rtcp.authentication.first(srtp::AuthenticationKeyBytes);
  HMAC(EVP_sha1(), tag_key.data(), static_cast<int>(tag_key.size()), packet.data(), packet.size(), tag.data(),
       nullptr);
  packet.insert(packet.end(), tag.begin(), tag.begin() + 10);

  const PacketKind kind{ciphers.unprotect.add_key(key.keys()).value(), true, 8, 0xcafebabe, 0};
  const Outcome opened = run_in_place(ciphers.unprotect, Direction::Unprotect, kind, packet);
  EXPECT_EQ(opened.verdict, Verdict::Ok);
  EXPECT_EQ(to_hex(opened.packet), to_hex(clear));
  EXPECT_EQ(opened.index, 7u);
  packet[10] ^= 1;
  EXPECT_EQ(run_in_place(ciphers.unprotect, Direction::Unprotect, kind, packet).verdict, Verdict::AuthFailed);
}

TEST_P(EachEngine, MakesAndReadsPacketsUnderTheKeysOfRfc3711) {
  Ciphers ciphers(GetParam());
  const ByteVector key = from_hex(Sha1MasterKey), salt = from_hex(Sha1MasterSalt);
  const srtp::SrtpKeys master{SrtpProfile::Aes128CmHmacSha1_80, key, salt};
  for (const Vector& v : Sha1Vectors) {
    expect_both_ways(ciphers, v, ciphers.protect.add_key(master).value(), ciphers.unprotect.add_key(master).value());
  }
}

// ---- every profile ----

class EachProfile : public ::testing::TestWithParam<std::tuple<CipherEngine, SrtpProfile>> {
 protected:
  static SrtpProfile profile() { return std::get<SrtpProfile>(GetParam()); }
  KeySlot add_to(SessionCipher& cipher, uint8_t seed = 1) {
    return cipher.add_key(TestKey(profile(), seed).keys()).value();
  }
  PacketKind rtp(KeySlot slot, uint64_t index = 0xf17b) const { return {slot, false, 12, 0x5501a0b2, index}; }
  PacketKind rtcp(KeySlot slot, uint64_t index = 9) const { return {slot, true, 8, 0x5501a0b2, index}; }

  Ciphers ciphers_{std::get<CipherEngine>(GetParam())};
};

INSTANTIATE_TEST_SUITE_P(Engines, EachProfile,
                         ::testing::Combine(::testing::ValuesIn(all_engines()),
                                            ::testing::ValuesIn(AllProfiles)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" +
                                  srtp::to_string(std::get<1>(test.param));
                         });

TEST_P(EachProfile, WritesOneSharedPayloadBehindManyReceiversHeadersAndPrefixes) {
  const ByteVector payload = rtp_packet(333);  // any bytes
  const ByteVector payload_before = payload;
  for (const uint16_t prefix_bytes : std::initializer_list<uint16_t>{0, 2, 15, 16, 17}) {
    constexpr size_t Receivers = 5;
    std::vector<ByteVector> buffers(Receivers);
    std::vector<CipherJob> jobs(Receivers);
    for (size_t i = 0; i < Receivers; ++i) {
      buffers[i] = rtp_packet(prefix_bytes);
      buffers[i][11] = static_cast<uint8_t>(i);
      buffers[i].resize(12u + prefix_bytes + payload.size() + srtp::tag_bytes(profile()));
      jobs[i] = {.slot = add_to(ciphers_.protect, static_cast<uint8_t>(i + 1)),
                 .header_bytes = 12,
                 .prefix_bytes = prefix_bytes,
                 .payload_bytes = static_cast<uint32_t>(payload.size()),
                 .ssrc = load_be32(&buffers[i][8]),
                 .index = 0x1'0000'0000u + i,
                 .packet = buffers[i].data(),
                 .payload = payload.data()};
    }
    CipherBatch batch{jobs};
    ciphers_.protect.submit(&batch);
    while (ciphers_.protect.poll() != &batch) {}

    for (size_t i = 0; i < Receivers; ++i) {
      // The same packet, assembled first and protected in place.
      ByteVector clear = rtp_packet(prefix_bytes);
      clear[11] = static_cast<uint8_t>(i);
      clear.insert(clear.end(), payload.begin(), payload.end());
      const PacketKind kind{jobs[i].slot, false, 12, jobs[i].ssrc, jobs[i].index};
      const Outcome expected = run_in_place(ciphers_.protect, Direction::Protect, kind, clear);
      EXPECT_EQ(jobs[i].verdict, Verdict::Ok);
      EXPECT_EQ(jobs[i].result_bytes, buffers[i].size());
      EXPECT_EQ(to_hex(buffers[i]), to_hex(expected.packet)) << "receiver " << i << ", prefix " << prefix_bytes;
      ciphers_.protect.remove_key(jobs[i].slot);
    }
    EXPECT_EQ(payload, payload_before);
  }
}

TEST_P(EachProfile, RefusesAnyFlippedBit) {
  const KeySlot out = add_to(ciphers_.protect), in = add_to(ciphers_.unprotect);
  for (bool is_rtcp : {false, true}) {
    const PacketKind sent = is_rtcp ? rtcp(out) : rtp(out);
    const PacketKind received = is_rtcp ? rtcp(in) : rtp(in);
    const ByteVector sealed = run_in_place(ciphers_.protect, Direction::Protect, sent, rtp_packet(37)).packet;
    ASSERT_EQ(run_in_place(ciphers_.unprotect, Direction::Unprotect, received, sealed).verdict, Verdict::Ok);
    for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
      ByteVector forged = sealed;
      forged[bit / 8] = static_cast<uint8_t>(forged[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_EQ(run_in_place(ciphers_.unprotect, Direction::Unprotect, received, forged).verdict, Verdict::AuthFailed)
          << "bit " << bit << (is_rtcp ? " of SRTCP" : " of SRTP");
    }
  }
}

TEST_P(EachProfile, RefusesAnotherKeyAnotherIndexAndAnotherSsrc) {
  const ByteVector sealed =
      run_in_place(ciphers_.protect, Direction::Protect, rtp(add_to(ciphers_.protect)), rtp_packet(99)).packet;
  const auto verdict = [&](const PacketKind& kind) {
    return run_in_place(ciphers_.unprotect, Direction::Unprotect, kind, sealed).verdict;
  };
  const KeySlot right = add_to(ciphers_.unprotect, 1), wrong = add_to(ciphers_.unprotect, 2);
  EXPECT_EQ(verdict(rtp(right)), Verdict::Ok);
  EXPECT_EQ(verdict(rtp(wrong)), Verdict::AuthFailed);
  EXPECT_EQ(verdict(rtp(right, 0xf17b + 0x10000)), Verdict::AuthFailed);  // another rollover count
  if (profile() != SrtpProfile::Aes128CmHmacSha1_80) {  // where the SSRC enters the tag by the IV alone
    PacketKind other = rtp(right);
    other.ssrc ^= 1;
    EXPECT_EQ(verdict(other), Verdict::AuthFailed);
  }
}

TEST_P(EachProfile, LeavesNoPlaintextOfAPacketThatFails) {
  const ByteVector clear = rtp_packet(64);
  ByteVector forged = run_in_place(ciphers_.protect, Direction::Protect, rtp(add_to(ciphers_.protect)), clear).packet;
  forged.back() ^= 1;
  const Outcome opened =
      run_in_place(ciphers_.unprotect, Direction::Unprotect, rtp(add_to(ciphers_.unprotect)), forged);
  ASSERT_EQ(opened.verdict, Verdict::AuthFailed);
  for (size_t at = 12; at + 8 <= 12 + 64; ++at) {
    EXPECT_NE(0, std::memcmp(&opened.packet[at], &clear[at], 8)) << at;
  }
}

// S05.
TEST_P(EachProfile, CallsEveryShortPacketMalformedOrForged) {
  const KeySlot in = add_to(ciphers_.unprotect);
  for (size_t n = 0; n <= 40; ++n) {
    for (int first = 128; first < 192; ++first) {
      ByteVector packet(n, 0x55);
      if (n > 0) packet[0] = static_cast<uint8_t>(first);
      for (bool is_rtcp : {false, true}) {
        const size_t header = is_rtcp ? 8 : 12;
        const size_t trailer = is_rtcp ? srtp::srtcp_trailer_bytes(profile()) : srtp::srtp_trailer_bytes(profile());
        const Outcome opened =
            run_in_place(ciphers_.unprotect, Direction::Unprotect, is_rtcp ? rtcp(in) : rtp(in), packet);
        EXPECT_EQ(opened.verdict, n < header + trailer ? Verdict::Malformed : Verdict::AuthFailed) << n << " bytes";
      }
    }
  }
}

TEST_P(EachProfile, ProtectsAnEmptyPayload) {
  const KeySlot out = add_to(ciphers_.protect), in = add_to(ciphers_.unprotect);
  const ByteVector clear = rtp_packet(0);
  const ByteVector sealed = run_in_place(ciphers_.protect, Direction::Protect, rtp(out), clear).packet;
  EXPECT_EQ(sealed.size(), 12 + srtp::tag_bytes(profile()));
  EXPECT_EQ(run_in_place(ciphers_.unprotect, Direction::Unprotect, rtp(in), sealed).packet, clear);
}

TEST_P(EachProfile, RefusesAnIndexBeyondTheKeysLife) {
  const KeySlot out = add_to(ciphers_.protect);
  const auto verdict = [&](const PacketKind& kind) {
    return run_in_place(ciphers_.protect, Direction::Protect, kind, rtp_packet(20)).verdict;
  };
  EXPECT_EQ(verdict(rtp(out, srtp::MaxPacketIndex)), Verdict::Ok);
  EXPECT_EQ(verdict(rtp(out, srtp::MaxPacketIndex + 1)), Verdict::Malformed);
  EXPECT_EQ(verdict(rtcp(out, srtp::MaxSrtcpIndex)), Verdict::Ok);
  EXPECT_EQ(verdict(rtcp(out, uint64_t{srtp::MaxSrtcpIndex} + 1)), Verdict::Malformed);
}

TEST_P(EachProfile, RefusesAJobThatIsNotAPacketInPlace) {
  const KeySlot in = add_to(ciphers_.unprotect);
  ByteVector buffer(100), elsewhere(88);
  const CipherJob good{
      .slot = in, .header_bytes = 12, .payload_bytes = 88, .packet = buffer.data(), .payload = &buffer[12]};
  const auto verdict = [&](auto change) {
    CipherJob job = good;
    change(job);
    return run_one(ciphers_.unprotect, job);
  };
  EXPECT_EQ(verdict([](CipherJob&) {}), Verdict::AuthFailed);
  EXPECT_EQ(verdict([&](CipherJob& job) { job.payload = elsewhere.data(); }), Verdict::Malformed);
  EXPECT_EQ(verdict([](CipherJob& job) { job.prefix_bytes = 2; }), Verdict::Malformed);
  EXPECT_EQ(verdict([](CipherJob& job) { job.packet = nullptr; }), Verdict::Malformed);
  EXPECT_EQ(verdict([](CipherJob& job) { job.header_bytes = 11; }), Verdict::Malformed);
  EXPECT_EQ(verdict([](CipherJob& job) { job.rtcp = true; }), Verdict::Malformed);  // its header is 8 bytes long
  EXPECT_EQ(verdict([](CipherJob& job) { job.payload_bytes = 0xffffffffu; }), Verdict::Malformed);
}

// ---- keys and batches ----

TEST_P(EachEngine, AnswersBadKeyForASlotThatNamesNoKey) {
  const auto owner = make(Direction::Protect, 2);
  SessionCipher& cipher = *owner;
  const KeySlot slot = cipher.add_key(TestKey(SrtpProfile::AeadAes128Gcm).keys()).value();
  const auto verdict = [&](KeySlot s) {
    return run_in_place(cipher, Direction::Protect, {s, false, 12, 1, 1}, rtp_packet(10)).verdict;
  };
  EXPECT_EQ(verdict(slot), Verdict::Ok);
  EXPECT_EQ(verdict(KeySlot{}), Verdict::BadKey);
  EXPECT_EQ(verdict(KeySlot{1 - slot.value}), Verdict::BadKey);
  EXPECT_EQ(verdict(KeySlot{2}), Verdict::BadKey);
  cipher.remove_key(slot);
  cipher.remove_key(slot);  // twice is once
  EXPECT_EQ(verdict(slot), Verdict::BadKey);
}

TEST_P(EachEngine, IsFullAtItsLimitAndHasRoomAgainAfterARemoval) {
  const auto owner = make(Direction::Protect, 2);
  SessionCipher& cipher = *owner;
  const TestKey key(SrtpProfile::AeadAes256Gcm);
  const KeySlot first = cipher.add_key(key.keys()).value();
  const KeySlot second = cipher.add_key(key.keys()).value();
  EXPECT_NE(first, second);
  const auto full = cipher.add_key(key.keys());
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::ResourceExhausted);
  cipher.remove_key(first);
  EXPECT_EQ(cipher.add_key(key.keys()).value(), first);
}

TEST_P(EachEngine, KeepsASlotOutOfUseWhileABatchThatNamesItIsInFlight) {
  const auto owner = make(Direction::Protect, 1);
  SessionCipher& cipher = *owner;
  const TestKey key(SrtpProfile::AeadAes128Gcm);
  const KeySlot slot = cipher.add_key(key.keys()).value();
  ByteVector buffer(100);
  CipherJob job{
      .slot = slot, .header_bytes = 12, .payload_bytes = 20, .packet = buffer.data(), .payload = &buffer[12]};
  CipherBatch batch{{&job, 1}};
  cipher.submit(&batch);
  cipher.remove_key(slot);
  EXPECT_FALSE(cipher.add_key(key.keys()).ok());
  EXPECT_EQ(cipher.poll(), &batch);
  EXPECT_EQ(job.verdict, Verdict::Ok);
  EXPECT_EQ(cipher.add_key(key.keys()).value(), slot);
}

TEST_P(EachEngine, RefusesAKeyOfTheWrongSize) {
  const auto owner = make(Direction::Protect, 1);
  SessionCipher& cipher = *owner;
  const ByteVector bytes(32);
  const auto refused = cipher.add_key({SrtpProfile::AeadAes128Gcm, bytes, Bytes(bytes).first(12)});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
}

TEST_P(EachEngine, GivesBatchesBackInTheOrderTheyCame) {
  const auto owner = make(Direction::Protect, 1);
  SessionCipher& cipher = *owner;
  EXPECT_EQ(cipher.poll(), nullptr);
  CipherBatch a, b, c;
  for (CipherBatch* batch : {&a, &b, &c}) cipher.submit(batch);
  EXPECT_EQ(cipher.poll(), &a);
  EXPECT_EQ(cipher.poll(), &b);
  EXPECT_EQ(cipher.poll(), &c);
  EXPECT_EQ(cipher.poll(), nullptr);
}

}  // namespace
}  // namespace viaduct::edge
