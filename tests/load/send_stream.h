// One stream that a participant sends: turns frames of a source into RTP packets in clear, and
// remembers of each when it left and whether it did, so that receivers can tell a loss on the way
// from one that the load tester caused itself.
//
// Sans-IO: bytes out, no sockets and no keys.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/time.h"
#include "protocol/codec/codec.h"
#include "tests/load/body.h"
#include "tests/load/media_source.h"

namespace viaduct::load {

// What became of a packet on the sender's side.
enum class Fate : uint8_t {
  Unknown,   // not written yet, or too long ago to be remembered
  Sent,      // the kernel took it
  Refused,   // the kernel did not
  Impaired,  // the impairment lost it
};

// The last packets of a stream, by their number.
class SentPackets {
 public:
  // Remembers at least `packets`.
  explicit SentPackets(size_t packets);

  void record(uint32_t packet, Fate fate, Timestamp sent);
  Fate fate(uint32_t packet) const;
  // When it left; nothing unless its fate is Sent.
  std::optional<Timestamp> sent_at(uint32_t packet) const;

 private:
  struct Entry {
    int64_t sent_ns = 0;
    uint32_t packet = 0;
    Fate fate = Fate::Unknown;
  };
  std::vector<Entry> entries_;
};

class SendStream {
 public:
  struct Settings {
    uint32_t number = 0;  // among all streams of the run: the stamp's
    codec::MediaKind kind{};
    BodyShape shape{};
    std::string mid;
    size_t remembered_packets = 512;
    uint16_t width = 1280, height = 720;
  };

  // `bodies` outlives it.
  SendStream(const Settings& settings, std::unique_ptr<MediaSource> source, const BodyMaker& bodies,
             uint64_t seed);

  codec::MediaKind kind() const { return settings_.kind; }
  const std::string& mid() const { return settings_.mid; }
  uint32_t number() const { return settings_.number; }
  uint32_t ssrc() const { return ssrc_; }
  uint32_t rtx_ssrc() const { return settings_.kind == codec::MediaKind::Video ? rtx_ssrc_ : 0; }
  uint32_t packets_written() const { return packets_; }
  uint32_t octets_written() const { return octets_; }
  uint32_t rtp_time(Duration since_start) const;

  MediaSource& source() { return *source_; }
  SentPackets& sent() { return sent_; }
  const SentPackets& sent() const { return sent_; }

  struct Written {
    uint16_t header_bytes = 0;
    uint16_t packet_bytes = 0;
    uint64_t index = 0;   // SRTP's
    uint32_t packet = 0;  // number
  };
  // Writes packet `i` of `frame`, which came from source(). `out` has limits::MaxPacketBytes;
  // `transport_sequence` is the participant's next.
  Written write(const Frame& frame, size_t i, uint16_t transport_sequence, MutableBytes out);

 private:
  size_t write_payload(const Frame& frame, size_t i, size_t wanted, MutableBytes out);

  const Settings settings_;
  const std::unique_ptr<MediaSource> source_;
  const BodyMaker& bodies_;
  SentPackets sent_;
  uint32_t ssrc_, rtx_ssrc_;
  uint64_t next_index_;
  uint32_t first_rtp_time_;
  uint16_t picture_id_;
  uint16_t frame_number_ = 0;
  uint32_t packets_ = 0;
  uint32_t octets_ = 0;
  uint32_t frames_ = 0;
};

}  // namespace viaduct::load
