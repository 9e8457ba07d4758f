#include "tests/support/call_bot/frames.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"
#include "protocol/codec/vp8.h"

namespace viaduct::call_bot {
namespace {

constexpr size_t AudioFrameBytes = 80;
constexpr size_t KeyFrameBytes = 3000;
constexpr size_t SmallestDeltaBytes = 900;
constexpr size_t DeltaSpreadBytes = 1200;
constexpr uint8_t OpusToc = 0x78;  // RFC 6716 section 3.1: hybrid fullband, 20 ms, mono, one frame
constexpr size_t TagBytes = 16;

// The frame tag, and of a key frame start code and size (RFC 6386 section 9.1).
std::vector<uint8_t> vp8_frame_header(bool key, size_t frame_bytes) {
  const auto first_partition = static_cast<uint32_t>(frame_bytes / 4);
  const uint32_t tag = (key ? 0u : 1u) | 1u << 4 | first_partition << 5;
  std::vector<uint8_t> header = {static_cast<uint8_t>(tag), static_cast<uint8_t>(tag >> 8),
                                 static_cast<uint8_t>(tag >> 16)};
  if (key) {
    header.insert(header.end(),
                  {0x9d, 0x01, 0x2a, PictureWidth & 0xff, PictureWidth >> 8, PictureHeight & 0xff,
                   PictureHeight >> 8});
  }
  return header;
}

// What encoders write first changes little from frame to frame: the start of VP8's compressed
// header (RFC 6386 section 9.2 and on), of Opus the bandwidth and the gains.
std::vector<uint8_t> slowly_changing_bytes(Random& random) {
  const uint32_t noise = random.u32();
  return {static_cast<uint8_t>(0x02 + noise % 2), static_cast<uint8_t>(0x84 + (noise >> 8) % 3),
          static_cast<uint8_t>(0x90 + (noise >> 16) % 4),
          static_cast<uint8_t>(0x40 + (noise >> 24) % 8)};
}

// RFC 9605 section 4.3: KID in seven bytes, CTR in as few as it needs.
std::vector<uint8_t> sframe_header(uint64_t key_id, uint64_t counter) {
  size_t counter_bytes = 1;
  while (counter_bytes < 8 && counter >> (8 * counter_bytes) != 0) ++counter_bytes;
  const bool long_counter = counter >= 8;
  std::vector<uint8_t> header = {
      static_cast<uint8_t>(0x80 | 6 << 4 | (long_counter ? 0x08 | (counter_bytes - 1) : counter))};
  for (int shift = 48; shift >= 0; shift -= 8)
    header.push_back(static_cast<uint8_t>(key_id >> shift));
  for (size_t i = counter_bytes; long_counter && i-- > 0;)
    header.push_back(static_cast<uint8_t>(counter >> (8 * i)));
  return header;
}

}  // namespace

struct SFrameSealer::Cipher {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  ~Cipher() { EVP_CIPHER_CTX_free(context); }
};

SFrameSealer::SFrameSealer(Random& random)
    : cipher_(std::make_unique<Cipher>()), key_id_(random.u64() >> 8 | 1ull << 55) {
  uint8_t key[16];
  random.fill(key);
  random.fill(salt_);
  CHECK(EVP_EncryptInit_ex(cipher_->context, EVP_aes_128_gcm(), nullptr, key, nullptr) == 1);
}

SFrameSealer::~SFrameSealer() = default;

std::vector<uint8_t> SFrameSealer::seal(Bytes clear_prefix, Bytes plaintext) {
  const std::vector<uint8_t> header = sframe_header(key_id_, counter_);
  uint8_t nonce[12];
  std::ranges::copy(salt_, nonce);
  for (size_t i = 0; i < 8; ++i) nonce[4 + i] ^= static_cast<uint8_t>(counter_ >> (8 * (7 - i)));
  ++counter_;

  std::vector<uint8_t> out(clear_prefix.begin(), clear_prefix.end());
  out.insert(out.end(), header.begin(), header.end());
  const size_t clear = out.size();
  out.resize(clear + plaintext.size() + TagBytes);
  EVP_CIPHER_CTX* c = cipher_->context;
  int written = 0;
  CHECK(EVP_EncryptInit_ex(c, nullptr, nullptr, nullptr, nonce) == 1);
  CHECK(EVP_EncryptUpdate(c, nullptr, &written, out.data(), static_cast<int>(clear)) == 1);
  CHECK(EVP_EncryptUpdate(c, &out[clear], &written, plaintext.data(),
                          static_cast<int>(plaintext.size())) == 1);
  CHECK(EVP_EncryptFinal_ex(c, &out[clear], &written) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TagBytes, &out[out.size() - TagBytes]) == 1);
  return out;
}

FrameMaker::FrameMaker(BodyKind kind, std::vector<uint8_t> needle, Random& random)
    : kind_(kind), needle_(std::move(needle)), random_(random), sealer_(random) {}

std::vector<uint8_t> FrameMaker::audio_frame() {
  const uint8_t toc[] = {OpusToc};
  return finish(toc, AudioFrameBytes, {});
}

std::vector<uint8_t> FrameMaker::video_frame(bool key) {
  const size_t bytes = key ? KeyFrameBytes : SmallestDeltaBytes + random_.u32() % DeltaSpreadBytes;
  const std::vector<uint8_t> header = vp8_frame_header(key, bytes);
  const uint8_t clear[] = {static_cast<uint8_t>(key ? 0 : 1)};  // as in a frame tag
  return finish(header, bytes, clear);
}

std::vector<uint8_t> FrameMaker::filling(size_t bytes) {
  std::vector<uint8_t> out(bytes);
  if (needle_.empty())
    random_.fill(out);
  else
    for (size_t i = 0; i < bytes; ++i) out[i] = needle_[i % needle_.size()];
  return out;
}

std::vector<uint8_t> FrameMaker::finish(Bytes codec_header, size_t bytes, Bytes clear_prefix) {
  if (kind_ == BodyKind::Random || kind_ == BodyKind::Needle) return filling(bytes);
  std::vector<uint8_t> frame = filling(bytes);
  const auto behind = std::ranges::copy(codec_header, frame.begin()).out;
  if (needle_.empty()) std::ranges::copy(slowly_changing_bytes(random_), behind);
  if (kind_ == BodyKind::PlainVp8) return frame;
  return sealer_.seal(clear_prefix, frame);
}

Bytes body_of(Bytes payload, codec::MediaKind kind) {
  if (kind == codec::MediaKind::Audio) return payload;
  const auto descriptor = codec::parse_vp8(payload);
  return descriptor ? payload.subspan(descriptor->descriptor_bytes) : Bytes{};
}

}  // namespace viaduct::call_bot
