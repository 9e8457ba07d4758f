// Step 8. Who gets this packet? A list of (packet, receive slot), each receiver's together and in
// the order of arrival. A source that is held back gets no further.
#pragma once

#include <span>
#include <vector>

#include "conference/directory.h"
#include "path/batch.h"

namespace viaduct::path {

// One copy to make.
struct Forward {
  uint8_t packet = 0;  // index in the RxBatch
  conference::SlotRef to;
};

class Route {
 public:
  explicit Route(conference::Directory& directory) : directory_(directory) {}

  // Valid until the next call.
  std::span<const Forward> run(RxBatch& rx);

 private:
  conference::Directory& directory_;
  std::vector<Forward> forwards_;
};

}  // namespace viaduct::path
