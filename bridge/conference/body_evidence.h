// What the bodies of one source look like: plain codec data, ciphertext, or neither clearly.
// Evidence for people, not proof: plaintext can be dressed up as noise.
//
// Fed with samples, one of each frame's front, it counts three things: how many fit the codec, how
// many continue a row of SFrame headers (RFC 9605), and how the four bytes behind whatever a format
// leaves in clear are spread (a histogram of each of their eight half bytes). Codecs put headers
// there, whose histograms have high peaks; ciphertext has none. A look ends with a verdict or after
// MaxSamples; the next one comes LookInterval later.
//
// Plain: 7 of 8 samples fit and a histogram has a peak (chi-square of 15 degrees of freedom over
// 140). A stream whose front alone is in clear fits, but has no peak: 24 uniform half bytes make
// one with probability 1e-12, so with 8 histograms and 29 judgements a look goes wrong once in 4e9;
// a stream that is encrypted from its first byte must also fit by chance, as 1 in 5 (Opus, H.264)
// or fewer than 1 in 30 (VP8, VP9) random fronts do: never. Plain VP8, VP9 and AV1 have a peak at
// 24 samples, 1.6 s at 15 frames a second; plain Opus within 64. Ciphertext: 7 of 8 samples name
// the key of the one before and count on in small steps, and what is behind the header has no peak.
// A random byte counts on with probability 1/4: 21 of 24 do once in 1e9. Or: of 96 at most a third
// fits and all histograms are flat (under 50, which uniform bytes exceed in one look of 1e4); codec
// data fits nearly always. A format that leaves codec headers in clear and encrypts the rest stays
// undecided.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/time.h"
#include "conference/snapshot.h"

namespace viaduct::conference {

using ProbeBytes = std::array<uint8_t, 4>;

// What the front of one frame has shown.
struct BodySample {
  bool fits = false;         // parses as a frame of the codec
  uint8_t shape = 0;         // plain frames of a stream have the same one after another
  uint32_t frame_bytes = 0;  // a plain frame has at least so many
  ProbeBytes probe{};        // behind what formats leave in clear
  struct Sframe {
    uint64_t key_id = 0;
    uint64_t counter = 0;
    uint8_t counter_bytes = 0;  // 0: three bits
    ProbeBytes probe{};         // behind the header
  };
  std::optional<Sframe> sframe;
};

// Histograms of the half bytes of probes.
class ProbeSpread {
 public:
  void add(const ProbeBytes& probe);
  size_t samples() const { return samples_; }
  // The largest chi-square statistic of the eight histograms, against a uniform distribution.
  uint32_t peak() const;

 private:
  static constexpr size_t Halves = 8, Values = 16;
  std::array<std::array<uint8_t, Values>, Halves> counts_{};
  uint8_t samples_ = 0;
};

class BodyEvidence {
 public:
  static constexpr uint32_t MinSamples = 24;   // for a verdict on plain data or SFrame
  static constexpr uint32_t MaxSamples = 248;  // of one look
  static constexpr Duration LookInterval = 10s;

  ObservedBodies verdict() const { return verdict_; }
  // Whether samples are wanted now; else nothing of a packet is looked at.
  bool looking(Timestamp now) const { return now >= next_look_; }
  // True when the verdict has changed.
  bool add(const BodySample& sample, Timestamp now);
  // What the worker that the stream arrives at has found. True when the verdict has changed.
  bool adopt(ObservedBodies verdict) { return std::exchange(verdict_, verdict) != verdict; }
  // The stream begins anew, or in another format: what was counted means nothing, the verdict stays
  // until there is another.
  void look_anew();
  // The sender says that its bodies are different from now on. True when the verdict has changed.
  bool forget();

  // The frame whose packets are arriving: where it began, how long it is so far, and its sample.
  struct Frame {
    int64_t sequence = -1;  // of its newest packet
    uint32_t timestamp = 0;
    uint32_t bytes = 0;
    std::optional<BodySample> sample;
  };
  Frame frame;

 private:
  bool continues_row(const BodySample::Sframe& mark, Timestamp now) const;
  std::optional<ObservedBodies> judge() const;
  bool decide(ObservedBodies verdict, Timestamp now);

  ObservedBodies verdict_{};
  Timestamp next_look_{};
  uint32_t samples_ = 0;
  uint32_t fitting_ = 0;
  uint32_t in_row_ = 0;
  std::optional<uint8_t> last_shape_;
  std::optional<BodySample::Sframe> last_mark_;
  Timestamp last_sample_{};
  ProbeSpread spread_;
  ProbeSpread spread_behind_marks_;
};

}  // namespace viaduct::conference
