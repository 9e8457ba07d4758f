// One m-section of an offer while its lines are read.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/sdp/lines.h"
#include "protocol/sdp/payload_table.h"
#include "protocol/sdp/sdp.h"
#include "protocol/sdp/transport_attributes.h"

namespace viaduct::sdp {

std::optional<Direction> direction_from_name(std::string_view name);

// What a section's attributes default to (RFC 8866 section 5.13): the same lines above the first m= line.
struct SessionDefaults {
  TransportAttributes transport;
  Direction direction = Direction::SendRecv;
  bool mixed_extensions = false;
};

// What each number means in all bundled sections together, which must agree (RFC 8843 sections 9.1 and 14).
struct BundleNumbers {
  std::array<std::optional<PayloadTable::Mapping>, PayloadTable::PayloadTypes> payloads;
  std::array<std::string_view, 256> extension_uris;
  rtp::ExtensionMap extensions;
};

class SectionDraft {
 public:
  // Reads the m= line: media port protocol formats (RFC 8866 section 5.14).
  static Result<SectionDraft> start(const Line& line);

  Result<void> handle_attribute(const Line& line);

  // The section as far as it can be judged alone; errors name its m= line.
  Result<MediaSection> finish(const SessionDefaults& session, BundleNumbers& bundle);

  const TransportAttributes& transport() const { return transport_; }

 private:
  struct OfferedExtension {
    uint8_t id = 0;
    std::string_view uri;
    Direction direction = Direction::SendRecv;  // the client's
  };

  Result<void> handle_extension(const Line& line);
  Result<void> handle_ssrc_group(const Line& line);
  Result<void> handle_rid(const Line& line);
  void handle_simulcast(const Line& line);
  void settle_simulcast();
  Result<void> agree_on_payloads(BundleNumbers& bundle) const;
  Result<void> agree_on_extensions(BundleNumbers& bundle);

  Line line_;
  MediaSection section_;
  PayloadTable payloads_;
  TransportAttributes transport_;
  std::optional<Direction> direction_;
  std::vector<OfferedExtension> extensions_;
  std::vector<std::string_view> sent_rids_;  // of a=rid lines
  bool media_supported_ = false;
  bool port_is_zero_ = false;
  bool bundle_only_ = false;
  bool rtcp_mux_ = false;
};

}  // namespace viaduct::sdp
