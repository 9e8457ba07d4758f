// From what is measured of a source's encodings to the ladder of what can be received of it.
#pragma once

#include "base/time.h"

namespace viaduct::conference {

class Source;

// Looks again at what comes. Encodings of which nothing comes now keep their rungs, with no rate, so that their heights
// stay known.
void measure_ladder(Source& source, Timestamp now);

}  // namespace viaduct::conference
