// The frames that a client sends, and how they are cut into RTP payloads.
//
// A frame is what a browser's encoder, or its encoded transform, hands to the packetizer; the
// payload descriptor of VP8 (RFC 7741) comes in front of each piece. Nothing here can be decoded to
// a picture, and nothing needs to be.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "protocol/codec/codec.h"
#include "tests/support/call_bot/options.h"

namespace viaduct::call_bot {

inline constexpr uint16_t PictureWidth = 320;
inline constexpr uint16_t PictureHeight = 180;

// Encrypts frames as RFC 9605 does with AES_128_GCM_SHA256_128, under a key that nobody else has.
class SFrameSealer {
 public:
  explicit SFrameSealer(Random& random);
  ~SFrameSealer();
  SFrameSealer(const SFrameSealer&) = delete;
  SFrameSealer& operator=(const SFrameSealer&) = delete;

  // |clear prefix|SFrame header|ciphertext|tag|: prefix and header are authenticated, not hidden.
  std::vector<uint8_t> seal(Bytes clear_prefix, Bytes plaintext);

 private:
  struct Cipher;
  std::unique_ptr<Cipher> cipher_;
  uint8_t salt_[12];
  uint64_t key_id_;
  uint64_t counter_ = 0;
};

// One sender's frames, audio and video.
class FrameMaker {
 public:
  FrameMaker(BodyKind kind, std::vector<uint8_t> needle, Random& random);

  // From now on frames hold noise where the needle was.
  void drop_needle() { needle_.clear(); }

  std::vector<uint8_t> audio_frame();
  std::vector<uint8_t> video_frame(bool key);

 private:
  // `bytes` of the needle over and over, or of noise.
  std::vector<uint8_t> filling(size_t bytes);
  std::vector<uint8_t> finish(Bytes codec_header, size_t bytes, Bytes clear_prefix);

  const BodyKind kind_;
  std::vector<uint8_t> needle_;
  Random& random_;
  SFrameSealer sealer_;
};

// The bytes of a received payload that its sender's packetizer put there: all but what the bridge
// may rewrite, which is the VP8 payload descriptor. Empty when the payload is malformed.
Bytes body_of(Bytes payload, codec::MediaKind kind);

}  // namespace viaduct::call_bot
