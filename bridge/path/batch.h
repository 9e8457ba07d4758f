// What travels down the path: packets by the batch, with what each step has learned about them.
//
// A batch may outlive the turn that made it (a cipher may finish later), so packets name endpoints
// by handle.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/packet.h"
#include "base/slot_map.h"
#include "conference/endpoint.h"
#include "edge/batch_cipher.h"
#include "limits.h"
#include "path/body.h"
#include "path/drop.h"
#include "protocol/codec/payload_front.h"
#include "protocol/rtp/frame_info.h"
#include "protocol/rtp/packet.h"

namespace viaduct::path {

using conference::Endpoint;

enum class PacketKind : uint8_t { Unknown, Stun, Dtls, Rtp, Rtcp };
inline constexpr size_t PacketKinds = 5;
constexpr const char* to_string(PacketKind k) {
  constexpr const char* Names[] = {"unknown", "stun", "dtls", "rtp", "rtcp"};
  return Names[static_cast<size_t>(k)];
}

// A packet on its way in. Each step fills in its part and reads those above.
struct RxPacket {
  Packet io;
  Drop drop = Drop::None;  // anything else: later steps pass over it

  // demux
  PacketKind kind = PacketKind::Unknown;
  Handle<Endpoint> from;
  rtp::HeaderView header;  // RTP

  // unprotect
  uint64_t index = 0;   // SRTP or SRTCP packet index
  uint16_t source = 0;   // index in Endpoint::sources
  uint8_t encoding = 0;  // index in Source::encodings
  bool rtx = false;      // came on the encoding's RTX stream

  // observe
  int64_t sequence = 0;        // unwrapped by the encoding
  uint16_t payload_bytes = 0;  // media behind the header, without padding
  codec::CodecType codec{};
  rtp::FrameInfo frame;        // video
  bool in_silence = false;
  std::optional<uint8_t> red_block_type;  // came as RED (RFC 2198), whose blocks have this payload type

  // read_payload: more of `frame`, and
  std::optional<codec::PayloadFront> front;  // the numbers of the picture
  uint16_t red_front = 0;                    // bytes in front of RED's primary block; 0: not known

  // route
  bool routed = false;  // somebody gets it

  Bytes datagram() const { return io.bytes(); }
  // RTP: what SRTP leaves in clear, and what follows it.
  Bytes head() const { return datagram().first(header.header_bytes); }
  Body body() const { return Body(datagram().subspan(header.header_bytes, payload_bytes)); }
  // What of the body is this packet's own: without RED in front, as far as that may be read.
  Body own_body() const { return body().without_front(red_front); }
  bool has_own_body() const { return !red_block_type || red_front != 0; }
  // Bytes of the buffer behind the body, where a trailer or padding may have been.
  size_t room_behind_body() const {
    return io.buffer_bytes - io.offset - header.header_bytes - payload_bytes;
  }
};

// Some packets of a batch.
class PacketList {
 public:
  void add(RxPacket& packet) { packets_[size_++] = &packet; }
  void clear() { size_ = 0; }
  std::span<RxPacket* const> all() const { return std::span(packets_).first(size_); }

 private:
  std::array<RxPacket*, limits::RxBatchPackets> packets_{};
  size_t size_ = 0;
};

struct RxBatch : edge::CipherBatch {
  std::array<RxPacket, limits::RxBatchPackets> packets;
  size_t size = 0;
  std::array<edge::CipherJob, limits::RxBatchPackets> job_storage;
  std::array<uint8_t, limits::RxBatchPackets> packet_of_job{};
  // Video and RED whose payload may be read: those of conferences which are not end-to-end encrypted.
  // Observe puts it here, and read_payload sees nothing else of the batch.
  PacketList in_clear;
  size_t readers = 0;  // the path, and TxBatches whose jobs read payloads of this batch

  std::span<RxPacket> all() { return std::span(packets).first(size); }
  RxPacket& packet_of(const edge::CipherJob& job) {
    return packets[packet_of_job[static_cast<size_t>(&job - job_storage.data())]];
  }
  // The packet's job, to be filled in.
  edge::CipherJob& add_job(const RxPacket& packet) {
    packet_of_job[jobs.size()] = static_cast<uint8_t>(&packet - packets.data());
    jobs = std::span(job_storage).first(jobs.size() + 1);
    return jobs.back() = {};
  }
  void clear() {
    size = 0;
    jobs = {};
    in_clear.clear();
  }
};
static_assert(limits::RxBatchPackets <= 256, "packet_of_job counts in bytes");

enum class TxKind : uint8_t { Media, Resent, Rtcp, Mixed, Probe };
inline constexpr size_t TxKinds = 5;

// A packet on its way out, to one receiver.
struct TxPacket {
  Packet io;
  Handle<Endpoint> to;
  TxKind kind = TxKind::Media;
  uint8_t padding_ready = 0;  // bytes of padding that stand behind the payload, for `pad`
  std::optional<uint16_t> transport_sequence;  // its number towards the receiver, whose reports name it;
  std::optional<int32_t> probe;                // and the probe that it is part of
  Timestamp arrival;  // of the packet it was made from; zero for RTCP
};

struct TxBatch : edge::CipherBatch {
  std::array<TxPacket, limits::TxBatchPackets> packets;
  std::array<edge::CipherJob, limits::TxBatchPackets> job_storage;  // job i is packet i's
  RxBatch* reads = nullptr;  // whose payloads the jobs read; null when they read none

  size_t size() const { return jobs.size(); }
  bool full() const { return jobs.size() == limits::TxBatchPackets; }
};

// Batches of one type, made when first needed, up to a bound, and used again.
template <typename Batch>
class BatchPool {
 public:
  explicit BatchPool(size_t capacity) : capacity_(capacity) {}
  // Null when all are in flight.
  Batch* take() {
    if (free_.empty()) {
      if (all_.size() == capacity_) return nullptr;
      all_.push_back(std::make_unique<Batch>());
      return all_.back().get();
    }
    Batch* b = free_.back();
    free_.pop_back();
    return b;
  }
  void give_back(Batch* b) { free_.push_back(b); }
  size_t in_flight() const { return all_.size() - free_.size(); }

 private:
  size_t capacity_;
  std::vector<std::unique_ptr<Batch>> all_;
  std::vector<Batch*> free_;
};

}  // namespace viaduct::path
