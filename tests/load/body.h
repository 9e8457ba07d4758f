// What the packets of the load tester hold, so that whoever receives one can tell from its bytes
// alone who sent it, which of its packets it is, when it was due, and that no bit of it has
// changed.
//
//   | codec header: prefix | nonce: 8 | stamp: 20, masked | filling from a table |
//
// Nonce, mask and place in the table follow from the run's seed and the packet, so the same seed
// gives the same bytes. All of it but the codec header looks random, and none of it parses as codec
// data.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "protocol/codec/codec.h"

namespace viaduct::load {

// What the frames of a conference look like to whoever looks into them.
enum class BodyShape : uint8_t {
  Plain,   // headers that a decoder would take, then noise
  Sealed,  // as end-to-end encryption leaves them (RFC 9605): an SFrame header, then noise
};

struct Stamp {
  uint32_t stream = 0;  // which of the run's streams
  uint32_t packet = 0;  // which of that stream's packets, from 0
  Duration due{};       // when it was to be sent, after the start of its stream
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

class BodyMaker {
 public:
  explicit BodyMaker(uint64_t seed);

  // Bytes that a body needs to carry a stamp behind its prefix; shorter ones are noise.
  static constexpr size_t StampBytes = 28;

  // Fills `out`, which has no prefix.
  void write(MutableBytes out, const Stamp& stamp) const;
  // The stamp of a body without its prefix; nothing when a byte of it is not what its sender wrote.
  std::optional<Stamp> read(Bytes body) const;

 private:
  Bytes filling(uint64_t nonce, size_t bytes) const;
  uint64_t nonce_of(const Stamp& stamp) const;

  const uint64_t seed_;
  std::vector<uint8_t> table_;
};

// What comes before the body of the first packet of a frame, at most MaxPrefixBytes.
inline constexpr size_t MaxPrefixBytes = 16;
size_t prefix_bytes(BodyShape shape, codec::MediaKind kind, bool key);
void write_prefix(MutableBytes out, BodyShape shape, codec::MediaKind kind, bool key,
                  uint32_t frame, size_t frame_bytes);

}  // namespace viaduct::load
