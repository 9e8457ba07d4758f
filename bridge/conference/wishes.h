// What a client wants to receive of pictures: what its page shows, how large (`receive` in deploy/docs/signalling.md).
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "conference/snapshot.h"

namespace viaduct::conference {

// A picture as people name it: whose, and which.
struct PictureName {
  EndpointId endpoint{};
  Content content{};
  friend auto operator<=>(const PictureName&, const PictureName&) = default;
};

// In JVB's terms: on-stage pictures come first and get what they can be given, selected ones next, then those of people
// who spoke lately; beyond last-N there are none.
struct ReceiverWishes {
  // Of a height in pixels: less than 0 is no limit, 0 is nothing at all, and more is a limit, above which the next
  // better is still taken when there is none below.
  static constexpr int NoLimit = -1;

  std::optional<uint32_t> last_n;  // nothing: as many as there are slots
  std::vector<PictureName> on_stage;
  std::vector<PictureName> selected;
  int max_height = NoLimit;                                // of all others
  std::vector<std::pair<PictureName, int>> max_heights{};  // of these
  friend bool operator==(const ReceiverWishes&, const ReceiverWishes&) = default;

  // Call once they are complete: `max_heights` is searched.
  void sort() { std::ranges::sort(max_heights); }
  int max_height_of(const PictureName& picture) const {
    const auto found = std::ranges::lower_bound(max_heights, picture, {}, &std::pair<PictureName, int>::first);
    return found != max_heights.end() && found->first == picture ? found->second : max_height;
  }
  bool is_on_stage(const PictureName& picture) const {
    return std::ranges::find(on_stage, picture) != on_stage.end();
  }
};

}  // namespace viaduct::conference
