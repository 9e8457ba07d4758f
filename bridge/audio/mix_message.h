// What a worker and the mixing thread hand each other. Plain values: sound goes by value through
// rings of media memory.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <type_traits>

#include "base/bytes.h"
#include "base/time.h"
#include "limits.h"

namespace viaduct::audio {

// A conference and a client as the worker numbers them.
enum class ConferenceKey : uint64_t {};
enum class MemberKey : uint64_t {};

struct MixRequest {
  enum class Kind : uint8_t {
    Sound,   // a packet of somebody whose voice is mixed
    Listen,  // somebody wants the mix; said again all the time, and over when it is not
    Forget,  // the conference is mixed no longer
  };
  Kind kind{};
  ConferenceKey conference{};
  MemberKey member{};

  // Listen
  uint8_t loss_percent = 0;  // as the client reports it

  // Sound
  uint8_t stream = 0;  // which of the member's, where it sends several
  uint16_t bytes = 0;
  uint32_t ssrc = 0;
  uint32_t timestamp = 0;
  int64_t sequence = 0;  // unwrapped
  int64_t withheld = 0;  // up to here nothing that is missing was worth hearing
  Timestamp arrival;
  std::array<uint8_t, limits::SoundPacketBytes> payload;

  Bytes sound() const { return Bytes(payload).first(bytes); }
};
static_assert(std::is_trivially_copyable_v<MixRequest>);

inline constexpr uint32_t MixedFrameSamples = 960;  // at 48 kHz

// 20 ms of a mix, encoded: for one member, or for all of the conference but some.
struct MixedFrame {
  ConferenceKey conference{};
  bool is_for_one = false;
  MemberKey member{};                                   // if so
  std::array<MemberKey, limits::MixedVoices> speakers;  // else whose voices are in it
  uint8_t speaker_count = 0;

  uint64_t tick = 0;  // counts on by one every 20 ms, for all conferences
  Timestamp made;
  uint8_t level = 127;  // RFC 6464
  uint16_t bytes = 0;
  std::array<uint8_t, limits::MixedFrameBytes> payload;

  Bytes sound() const { return Bytes(payload).first(bytes); }
  std::span<const MemberKey> has_voices_of() const {
    return std::span(speakers).first(speaker_count);
  }
};
static_assert(std::is_trivially_copyable_v<MixedFrame>);

}  // namespace viaduct::audio
