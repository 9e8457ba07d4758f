// Writing RTCP (RFC 3550 section 6, RFC 4585, RFC 5104): appends packets to one compound packet.
//
// A packet that does not fit is left out whole: the function returns false and what was written before stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "protocol/rtcp/parse.h"

namespace viaduct::rtcp {

// The sender's part of a sender report (RFC 3550 section 6.4.1).
struct SenderInfo {
  uint32_t ssrc = 0;
  NtpTime ntp;
  uint32_t rtp_timestamp = 0;
  uint32_t packets = 0;
  uint32_t octets = 0;  // of payload, without headers and padding
};

class CompoundWriter {
 public:
  explicit CompoundWriter(MutableBytes out) : out_(out) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Bytes written() const { return out_.first(size_); }

  // At most MaxReportBlocks blocks each.
  bool sender_report(const SenderInfo& sender, std::span<const ReportBlock> blocks = {});
  bool receiver_report(uint32_t ssrc, std::span<const ReportBlock> blocks = {});
  // `cname` has at most 255 bytes.
  bool sdes_cname(uint32_t ssrc, std::string_view cname);
  // At most 31 SSRCs.
  bool bye(std::span<const uint32_t> ssrcs);
  bool pli(uint32_t sender, uint32_t media);
  // `command_sequence` grows by one with each new request and stays when a request is repeated (RFC 5104 section
  // 4.3.1.1).
  bool fir(uint32_t sender, uint32_t media, uint8_t command_sequence);
  // `sequences` ascend, across the wrap too, and are not empty.
  bool nack(uint32_t sender, uint32_t media, std::span<const uint16_t> sequences);

 private:
  ByteWriter begin(uint8_t count, uint8_t type);
  bool finish(const ByteWriter& packet);

  MutableBytes out_;
  size_t size_ = 0;
};

}  // namespace viaduct::rtcp
