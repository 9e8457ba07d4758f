// The attributes of an offer that describe its transport: ICE credentials (RFC 8839 section 5.4), DTLS
// fingerprint (RFC 8122 section 5) and role (RFC 8842). They stand at session level, in m-sections, or both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/sdp/lines.h"
#include "protocol/sdp/sdp.h"

namespace viaduct::sdp {

struct TransportAttributes {
  std::string_view ice_ufrag;
  std::string_view ice_pwd;
  std::string fingerprint_algorithm;  // of the first fingerprint with a hash that is still considered secure
  std::vector<uint8_t> fingerprint;
  std::optional<Setup> setup;

  // Takes the line when it is one of these attributes; other lines are left alone.
  Result<void> handle(const Line& line);
  // What the section does not say itself, the session says for it.
  void inherit(const TransportAttributes& session);
  // What is missing, in words; empty when nothing is.
  std::string_view missing() const;
};

}  // namespace viaduct::sdp
