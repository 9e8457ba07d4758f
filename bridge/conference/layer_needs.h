// Which encodings of a video source anybody needs, so that its sender can save itself the others.
//
// What is needed follows from how large receivers want the picture, not from what their networks take: a sender cannot
// know when there will be room. What is needed more is told at once, what is needed less after a while.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "conference/layer.h"
#include "conference/wishes.h"
#include "limits.h"

namespace viaduct::conference {

struct LayerNeed {
  uint8_t encodings = 0;  // bit i is Source::encodings[i]
  int max_height = 0;     // less than 0: no limit; 0: nobody needs anything

  static constexpr LayerNeed everything(size_t encoding_count) {
    return {static_cast<uint8_t>((1u << encoding_count) - 1), ReceiverWishes::NoLimit};
  }
  void add(const LayerNeed& other);
  friend bool operator==(const LayerNeed&, const LayerNeed&) = default;
};

class LayerNeeds {
 public:
  static constexpr Duration LessAfter = 5s;

  explicit LayerNeeds(size_t encoding_count)
      : everything_(LayerNeed::everything(encoding_count)), told_(everything_) {}

  // How high each encoding is, as far as it is sent now; what is not keeps the height that it had.
  void note_heights(const LayerLadder& ladder);
  // What a receiver needs that wants no more than this height.
  LayerNeed need_of(int max_height) const;

  // What all people of this worker need, for the worker that the source arrives at.
  LayerNeed here;
  // The same of another worker.
  void set_elsewhere(uint32_t worker, const LayerNeed& need);

  // On the worker that the source arrives at: true when its sender should be told `told()`. Of workers that have not
  // said anything everything counts as needed, as it does before the source is sent.
  bool settle(uint64_t other_workers, bool is_sent, Timestamp now);
  const LayerNeed& told() const { return told_; }

 private:
  struct Elsewhere {
    uint32_t worker = 0;
    LayerNeed need;
  };
  LayerNeed all(uint64_t other_workers);

  const LayerNeed everything_;
  std::array<uint16_t, limits::EncodingsPerSource> heights_{};  // 0: not known
  std::vector<Elsewhere> elsewhere_;
  LayerNeed told_;
  std::optional<Timestamp> less_since_;
};

}  // namespace viaduct::conference
