#include "edge/cpu_cipher_keys.h"

#include <cstring>

namespace viaduct::edge {
namespace {

constexpr uint8_t InnerPad = 0x36;  // RFC 2104 section 2
constexpr uint8_t OuterPad = 0x5c;

// What it takes to expand a key and must not stay behind.
struct Scratch : secrecy::AlignedInSecretMemory<64> {
  alignas(64) uint8_t unused_round_keys[Sha1Key::RoundKeyBytes];  // for decryption, which CTR lacks
  uint8_t block[IMB_SHA1_BLOCK_SIZE];
};

void hash_padded_key(IMB_MGR* manager, Bytes key, uint8_t pad, Scratch& scratch, uint8_t* state) {
  std::memset(scratch.block, pad, sizeof scratch.block);
  for (size_t i = 0; i < key.size(); ++i) scratch.block[i] ^= key[i];
  IMB_SHA1_ONE_BLOCK(manager, scratch.block, state);
}

void expand(IMB_MGR* manager, srtp::SrtpProfile profile, const srtp::SessionKey& from,
            Scratch& scratch, StreamKey* to) {
  to->profile = profile;
  std::memcpy(to->salt, from.salt.data(), sizeof to->salt);
  const uint8_t* key = from.encryption.data();
  switch (profile) {
    case srtp::SrtpProfile::AeadAes128Gcm:
      IMB_AES128_GCM_PRE(manager, key, &to->gcm);
      return;
    case srtp::SrtpProfile::AeadAes256Gcm:
      IMB_AES256_GCM_PRE(manager, key, &to->gcm);
      return;
    case srtp::SrtpProfile::Aes128CmHmacSha1_80:
      break;
  }
  IMB_AES_KEYEXP_128(manager, key, to->sha1.round_keys, scratch.unused_round_keys);
  const Bytes authentication = from.authentication.first(srtp::AuthenticationKeyBytes);
  hash_padded_key(manager, authentication, InnerPad, scratch, to->sha1.inner);
  hash_padded_key(manager, authentication, OuterPad, scratch, to->sha1.outer);
}

}  // namespace

std::unique_ptr<CpuKey> expand_key(const IpsecManager& manager, srtp::SrtpProfile profile,
                                   const srtp::SessionKeys& keys) {
  auto key = std::make_unique<CpuKey>();
  const auto scratch = std::make_unique<Scratch>();
  expand(manager.get(), profile, keys.rtp, *scratch, &key->rtp);
  expand(manager.get(), profile, keys.rtcp, *scratch, &key->rtcp);
  return key;
}

}  // namespace viaduct::edge
