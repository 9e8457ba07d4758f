#include "tests/load/body.h"

#include <array>
#include <cstring>

#include "base/check.h"
#include "base/random.h"
#include "limits.h"

namespace viaduct::load {
namespace {

constexpr size_t NonceBytes = 8;
constexpr size_t MaskedBytes = BodyMaker::StampBytes - NonceBytes;
constexpr size_t TableBytes = size_t{1} << 16;

constexpr uint16_t Width = 1280, Height = 720;
constexpr uint8_t OpusToc = 0x78;  // RFC 6716 section 3.1: hybrid fullband, 20 ms, mono, one frame
constexpr size_t SealedHeaderBytes = 12;

// The finaliser of splitmix64: spreads every bit over all.
uint64_t mix(uint64_t v) {
  v += 0x9e3779b97f4a7c15;
  v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
  v = (v ^ v >> 27) * 0x94d049bb133111eb;
  return v ^ v >> 31;
}

std::array<uint8_t, 24> mask_of(uint64_t seed, uint64_t nonce) {
  std::array<uint8_t, 24> mask;
  for (uint64_t i = 0; i < 3; ++i) store_be64(&mask[8 * i], mix(seed ^ mix(nonce + i)));
  return mask;
}

// Ties the stamp to the length, which nothing else in it does.
uint32_t check_of(uint64_t seed, const uint8_t* clear, size_t body_bytes) {
  return static_cast<uint32_t>(
      mix(seed ^ mix(load_be64(clear) ^ mix(load_be64(clear + 8) + body_bytes))));
}

}  // namespace

BodyMaker::BodyMaker(uint64_t seed)
    : seed_(mix(seed)), table_(TableBytes + limits::MaxPacketBytes) {
  SeededRandom(seed_).fill(table_);
}

void BodyMaker::write(MutableBytes out, const Stamp& stamp) const {
  const uint64_t nonce = nonce_of(stamp);
  if (out.size() < StampBytes) {
    const Bytes noise = filling(nonce, out.size());
    if (!out.empty()) std::memcpy(out.data(), noise.data(), noise.size());
    return;
  }
  std::array<uint8_t, MaskedBytes> clear;
  store_be32(&clear[0], stamp.stream);
  store_be32(&clear[4], stamp.packet);
  store_be64(&clear[8], static_cast<uint64_t>(stamp.due.count()));
  store_be32(&clear[16], check_of(seed_, clear.data(), out.size()));

  store_be64(out.data(), nonce);
  const auto mask = mask_of(seed_, nonce);
  for (size_t i = 0; i < MaskedBytes; ++i)
    out[NonceBytes + i] = static_cast<uint8_t>(clear[i] ^ mask[i]);
  const Bytes rest = filling(nonce, out.size() - StampBytes);
  if (!rest.empty()) std::memcpy(out.data() + StampBytes, rest.data(), rest.size());
}

std::optional<Stamp> BodyMaker::read(Bytes body) const {
  if (body.size() < StampBytes || body.size() > limits::MaxPacketBytes) return std::nullopt;
  const uint64_t nonce = load_be64(body.data());
  const auto mask = mask_of(seed_, nonce);
  std::array<uint8_t, MaskedBytes> clear;
  for (size_t i = 0; i < MaskedBytes; ++i)
    clear[i] = static_cast<uint8_t>(body[NonceBytes + i] ^ mask[i]);
  const Stamp stamp{load_be32(&clear[0]), load_be32(&clear[4]),
                    Duration(static_cast<int64_t>(load_be64(&clear[8])))};
  if (nonce != nonce_of(stamp)) return std::nullopt;
  if (load_be32(&clear[16]) != check_of(seed_, clear.data(), body.size())) return std::nullopt;
  const Bytes rest = body.subspan(StampBytes);
  if (!rest.empty() &&
      std::memcmp(rest.data(), filling(nonce, rest.size()).data(), rest.size()) != 0)
    return std::nullopt;
  return stamp;
}

Bytes BodyMaker::filling(uint64_t nonce, size_t bytes) const {
  CHECK(bytes <= limits::MaxPacketBytes);
  return Bytes(table_).subspan(nonce % TableBytes, bytes);
}

uint64_t BodyMaker::nonce_of(const Stamp& stamp) const {
  return mix(seed_ ^ (uint64_t{stamp.stream} << 32 | stamp.packet));
}

size_t prefix_bytes(BodyShape shape, codec::MediaKind kind, bool key) {
  const bool audio = kind == codec::MediaKind::Audio;
  if (shape == BodyShape::Sealed) return SealedHeaderBytes + (audio ? 0 : 1);
  return audio ? 1 : key ? 10 : 3;
}

void write_prefix(MutableBytes out, BodyShape shape, codec::MediaKind kind, bool key,
                  uint32_t frame, size_t frame_bytes) {
  ByteWriter to(out);
  const bool audio = kind == codec::MediaKind::Audio;
  if (shape == BodyShape::Sealed) {
    if (!audio) to.u8(key ? 0 : 1);   // what the packetizer sees, as in a frame tag
    to.u8(0x80 | 6 << 4 | 0x08 | 3);  // RFC 9605 section 4.3: KID in 7 bytes, CTR in 4
    to.be24(0x80a5c3);
    to.be32(0x1f2e3d4c);
    to.be32(frame | 0x80000000u);
  } else if (audio) {
    to.u8(OpusToc);
  } else {  // RFC 6386 section 9.1: frame tag, and of a key frame start code and size
    const auto first_partition = static_cast<uint32_t>(frame_bytes / 4);
    const uint32_t tag = (key ? 0u : 1u) | 1u << 4 | first_partition << 5;
    to.u8(static_cast<uint8_t>(tag));
    to.u8(static_cast<uint8_t>(tag >> 8));
    to.u8(static_cast<uint8_t>(tag >> 16));
    if (key) {
      to.be24(0x9d012a);
      to.be16(static_cast<uint16_t>((Width & 0xff) << 8 | Width >> 8));
      to.be16(static_cast<uint16_t>((Height & 0xff) << 8 | Height >> 8));
    }
  }
  CHECK(to.ok());
}

}  // namespace viaduct::load
