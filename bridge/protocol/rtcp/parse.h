// Reading RTCP: compound and reduced-size packets (RFC 3550 section 6, RFC 5506) as checked views of the feedback a
// bridge acts on (RFC 4585, RFC 5104, REMB).
//
// Nothing is trusted: all lengths of a compound packet are checked before its first part is handed out, each parse_
// function checks what it needs of the body, and the views read only what was checked. Views point into the caller's
// bytes. Feedback on arrivals has files of its own: transport_feedback.h and congestion_feedback.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/time.h"
#include "base/units.h"

namespace viaduct::rtcp {

// RFC 5761 section 4: a datagram whose second byte is 192 to 223 is RTCP, not RTP.
constexpr bool is_rtcp(Bytes datagram) { return datagram.size() >= 2 && datagram[1] >= 192 && datagram[1] <= 223; }

enum class Kind : uint8_t {
  SenderReport,
  ReceiverReport,
  Sdes,
  Bye,
  Nack,                // RFC 4585 section 6.2.1
  CongestionFeedback,  // RFC 8888 section 3.1
  TransportFeedback,   // draft-holmer-rmcat-transport-wide-cc-extensions-01
  Pli,                 // RFC 4585 section 6.3.1
  Fir,                 // RFC 5104 section 4.3.1
  Remb,                // draft-alvestrand-rmcat-remb-03
  Unknown,             // APP, XR, other feedback: skipped
};

// One packet of a compound packet.
struct Packet {
  Kind kind = Kind::Unknown;
  uint8_t type = 0;   // PT
  uint8_t count = 0;  // RC, SC or FMT: the low five bits of the first byte
  Bytes body;         // after the four-byte header, without padding
};

// Takes packets off the front of a compound packet.
class CompoundReader {
 public:
  explicit CompoundReader(Bytes compound) : rest_(compound) {}
  // False at the end, and at the first malformed packet.
  bool next(Packet& packet);
  bool at_end() const { return rest_.empty(); }

 private:
  Bytes rest_;
};

// Whether the whole of a compound or reduced-size packet is well-formed (RFC 3550 appendix A.2, with RFC 5506's leave
// to begin with any type). Empty input is not.
bool is_well_formed(Bytes compound);

// Calls f(const Packet&) for each packet, in order. False, without a call, when any of them is malformed.
template <typename F>
bool for_each_packet(Bytes compound, F&& f) {
  if (!is_well_formed(compound)) return false;
  CompoundReader reader(compound);
  for (Packet packet; reader.next(packet);) f(static_cast<const Packet&>(packet));
  return true;
}

// RFC 3550 section 6.4.1.
struct ReportBlock {
  uint32_t ssrc = 0;
  uint8_t fraction_lost = 0;                    // in 1/256
  int32_t cumulative_lost = 0;                  // 24 bits on the wire; the writer saturates
  uint32_t extended_highest_sequence = 0;
  uint32_t jitter = 0;                          // in units of the RTP timestamp
  uint32_t last_sender_report = 0;              // middle 32 bits of its NTP time; 0 when none has come
  uint32_t delay_since_last_sender_report = 0;  // in 1/65536 s
  friend bool operator==(const ReportBlock&, const ReportBlock&) = default;
};
inline constexpr size_t ReportBlockBytes = 24;
inline constexpr size_t MaxReportBlocks = 31;

class ReportBlocks {
 public:
  ReportBlocks() = default;
  explicit ReportBlocks(Bytes checked) : bytes_(checked) {}  // a multiple of ReportBlockBytes
  size_t size() const { return bytes_.size() / ReportBlockBytes; }
  ReportBlock operator[](size_t i) const;  // i < size()

 private:
  Bytes bytes_;
};

// A list of SSRCs within a packet.
class SsrcList {
 public:
  SsrcList() = default;
  explicit SsrcList(Bytes checked) : bytes_(checked) {}  // a multiple of 4
  size_t size() const { return bytes_.size() / 4; }
  uint32_t operator[](size_t i) const { return load_be32(bytes_.data() + 4 * i); }  // i < size()

 private:
  Bytes bytes_;
};

struct SenderReport {
  uint32_t ssrc = 0;
  NtpTime ntp;
  uint32_t rtp_timestamp = 0;
  uint32_t packets = 0;
  uint32_t octets = 0;
  ReportBlocks blocks;
};

struct ReceiverReport {
  uint32_t ssrc = 0;
  ReportBlocks blocks;
};

struct Bye {
  SsrcList ssrcs;
};

struct Nack {
  uint32_t sender = 0;
  uint32_t media = 0;
  Bytes items;  // pairs of packet identifier and bit mask, four bytes each, checked

  // Calls f(uint16_t sequence) for each packet asked for, at most 17 for each item.
  template <typename F>
  void for_each_lost(F&& f) const {
    for (size_t at = 0; at + 4 <= items.size(); at += 4) {
      const uint16_t first = load_be16(items.data() + at);
      const uint16_t mask = load_be16(items.data() + at + 2);
      f(first);
      for (int bit = 0; bit < 16; ++bit) {
        if ((mask >> bit) & 1) f(static_cast<uint16_t>(first + 1 + bit));
      }
    }
  }
};

struct Pli {
  uint32_t sender = 0;
  uint32_t media = 0;
};

struct Fir {
  uint32_t sender = 0;
  Bytes entries;  // eight bytes each, checked

  size_t size() const { return entries.size() / 8; }
  // Calls f(uint32_t ssrc, uint8_t command_sequence) for each entry. A repeated command sequence is a repeated request.
  template <typename F>
  void for_each(F&& f) const {
    for (size_t at = 0; at + 8 <= entries.size(); at += 8) f(load_be32(entries.data() + at), entries[at + 4]);
  }
};

struct Remb {
  uint32_t sender = 0;
  DataRate bitrate;  // saturated at the largest DataRate
  SsrcList ssrcs;
};

// Each reads a packet of its kind; nothing when the body is malformed or of another kind.
std::optional<SenderReport> parse_sender_report(const Packet& packet);
std::optional<ReceiverReport> parse_receiver_report(const Packet& packet);
std::optional<Bye> parse_bye(const Packet& packet);
std::optional<Nack> parse_nack(const Packet& packet);
std::optional<Pli> parse_pli(const Packet& packet);
std::optional<Fir> parse_fir(const Packet& packet);
std::optional<Remb> parse_remb(const Packet& packet);
// Whether the chunks and items of an SDES packet (RFC 3550 section 6.5) are well-formed. The bridge has no use for what
// they say.
bool is_valid_sdes(const Packet& packet);

}  // namespace viaduct::rtcp
