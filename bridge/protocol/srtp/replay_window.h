// Which packet indexes of one SSRC have been seen (RFC 3711 section 3.3.2). One window for SRTP, another for SRTCP.
//
// A packet is tested before it is decrypted and recorded only after it has authenticated, so that a forged
// packet never moves the window. With a cipher that finishes later, two copies can both pass the test: commit()
// has the last word.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace viaduct::srtp {

class ReplayWindow {
 public:
  // RFC 3711 asks for at least 64. 256 packets are half a second of a 4 Mbit/s stream, longer than any
  // reordering that a receiver can still use, and the window with its highest index fits one cache line.
  // (Resends come on an SSRC of their own.)
  static constexpr size_t WindowPackets = 256;

  // Whether a packet of this index may be taken: it is ahead of the window, or inside it and not seen.
  bool is_new(uint64_t index) const {
    if (!started_ || index > highest_) return true;
    return highest_ - index < WindowPackets && !is_seen(index);
  }

  // Records an authenticated packet. False when it must be dropped after all: a copy of it came first, or the
  // window has moved past it since is_new().
  bool commit(uint64_t index) {
    if (!is_new(index)) return false;
    if (!started_ || index > highest_) advance(index);
    words_[word_of(index)] |= bit_of(index);
    return true;
  }

  bool started() const { return started_; }     // whether any packet was committed
  uint64_t highest() const { return highest_; }  // the highest index committed; 0 before the first

 private:
  static constexpr size_t word_of(uint64_t index) { return (index % WindowPackets) / 64; }
  static constexpr uint64_t bit_of(uint64_t index) { return uint64_t{1} << (index % 64); }
  bool is_seen(uint64_t index) const { return (words_[word_of(index)] & bit_of(index)) != 0; }

  // Moves the upper end to `index` and forgets what falls out below.
  void advance(uint64_t index) {
    if (!started_ || index - highest_ >= WindowPackets) {
      words_ = {};
    } else {
      for (uint64_t i = highest_ + 1; i <= index; ++i) words_[word_of(i)] &= ~bit_of(i);
    }
    highest_ = index;
    started_ = true;
  }

  std::array<uint64_t, WindowPackets / 64> words_{};  // bit `index % WindowPackets`
  uint64_t highest_ = 0;
  bool started_ = false;
};

}  // namespace viaduct::srtp
