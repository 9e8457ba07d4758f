// What one m-section says of its payload types, gathered line by line: a=rtpmap, a=fmtp, a=rtcp-fb (RFC 4585
// section 4.2).
//
// Lines for payload types that the m= line does not list are ignored: Firefox leaves them after
// setCodecPreferences().
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/sdp/lines.h"
#include "protocol/sdp/sdp.h"

namespace viaduct::sdp {

class PayloadTable {
 public:
  static constexpr size_t PayloadTypes = 128;  // 7 bits in the RTP header

  // Where a payload type leads: the texts of its a=rtpmap and a=fmtp lines.
  struct Mapping {
    std::string_view rtpmap;
    std::string_view fmtp;
    friend bool operator==(const Mapping& a, const Mapping& b) {
      return same_name(a.rtpmap, b.rtpmap) && a.fmtp == b.fmtp;
    }
  };

  // The payload types of the m= line. InvalidArgument for one that is no payload type, or that comes twice.
  Result<void> list(const Line& line, std::string_view format_list);
  Result<void> handle_rtpmap(const Line& line);
  Result<void> handle_fmtp(const Line& line);
  void handle_feedback(const Line& line);

  const std::vector<uint8_t>& listed() const { return order_; }
  const Mapping& mapping(uint8_t payload_type) const { return payloads_[payload_type].mapping; }

  // Those that name a format of this kind which the bridge forwards, in the order of the m= line, with their RTX
  // and RED partners.
  std::vector<PayloadFormat> formats(codec::MediaKind kind) const;

 private:
  struct Feedback {
    bool nack = false, pli = false, fir = false, transport_cc = false, remb = false, ccfb = false;
  };
  struct Payload {
    bool listed = false;
    Mapping mapping;
    Feedback feedback;
  };

  // The entry that a "payload-type rest" line is about, or null when it is not listed; `rest` is then cut to what
  // follows.
  Payload* find(std::string_view& rest);

  std::array<Payload, PayloadTypes> payloads_;
  std::vector<uint8_t> order_;
  Feedback for_all_;  // a=rtcp-fb:*
};

}  // namespace viaduct::sdp
