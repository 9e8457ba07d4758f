#include "tests/load/media_sender.h"

#include <cstring>

#include "base/check.h"
#include "edge/reference_cipher.h"
#include "protocol/srtp/srtcp.h"

namespace viaduct::load {

MediaSender::MediaSender(size_t max_keys, bool segment, DelayLine& delays)
    : cipher_(std::make_unique<edge::ReferenceCipher>(edge::Direction::Protect, max_keys)),
      segment_(segment),
      delays_(delays),
      space_(BatchPackets) {}

size_t MediaSender::send_frame(uint32_t who, Participant& p, size_t n, Timestamp now) {
  SendStream& stream = *p.sends[n];
  const Frame& frame = stream.source().take();
  if (p.muted[n]) return 0;
  const Duration lateness = now - (p.send_began[n] + frame.due);
  for (size_t i = 0; i < frame.packet_bytes.size(); ++i) {
    uint8_t* packet = space_[queued_].data();
    const auto written =
        stream.write(frame, i, p.transport_sequence++, {packet, limits::MaxPacketBytes});
    edge::CipherJob job;
    job.slot = p.protect;
    job.header_bytes = written.header_bytes;
    job.payload_bytes = static_cast<uint32_t>(written.packet_bytes - written.header_bytes);
    job.ssrc = stream.ssrc();
    job.index = written.index;
    lateness_.add(lateness);
    queue(who, p, &stream, written.packet, job, now);
  }
  return frame.packet_bytes.size();
}

void MediaSender::send_rtcp(uint32_t who, Participant& p, Bytes compound, Timestamp now) {
  std::memcpy(space_[queued_].data(), compound.data(), compound.size());
  edge::CipherJob job;
  job.slot = p.protect;
  job.rtcp = true;
  job.header_bytes = srtp::RtcpHeaderBytes;
  job.payload_bytes = static_cast<uint32_t>(compound.size() - srtp::RtcpHeaderBytes);
  job.ssrc = load_be32(&compound[4]);
  job.index = p.rtcp_index++;
  queue(who, p, nullptr, 0, job, now);
}

void MediaSender::queue(uint32_t who, Participant& p, SendStream* stream, uint32_t packet,
                        const edge::CipherJob& job, Timestamp now) {
  items_[queued_] = {who, &p, stream, packet};
  jobs_[queued_] = job;
  jobs_[queued_].packet = space_[queued_].data();
  jobs_[queued_].payload = space_[queued_].data() + job.header_bytes;
  if (++queued_ == BatchPackets) flush(now);
}

void MediaSender::flush(Timestamp now) {
  if (queued_ == 0) return;
  edge::CipherBatch batch{{jobs_.data(), queued_}};
  cipher_->submit(&batch);
  while (cipher_->poll() == nullptr) {}
  for (size_t first = 0; first < queued_;) {
    size_t last = first + 1;
    while (last < queued_ && items_[last].participant == items_[first].participant) ++last;
    if (items_[first].participant->up) {
      for (size_t i = first; i < last; ++i) send_impaired(i, now);
    } else {
      send_run(first, last, now);
    }
    first = last;
  }
  queued_ = 0;
}

void MediaSender::send_run(size_t first, size_t last, Timestamp now) {
  std::array<iovec, BatchPackets> datagrams;
  for (size_t i = first; i < last; ++i) {
    CHECK(jobs_[i].verdict == edge::Verdict::Ok);
    datagrams[i - first] = {jobs_[i].packet, jobs_[i].result_bytes};
    // Before it leaves: it may come back before the call does.
    record(items_[i], jobs_[i].result_bytes, Fate::Sent, now);
  }
  const int fd = items_[first].participant->port->fd();
  for (size_t done = first; done < last;) {
    const std::span rest(&datagrams[done - first], last - done);
    done += send_datagrams(fd, rest, segment_);
    if (done < last) record(items_[done], jobs_[done].result_bytes, Fate::Refused, now), ++done;
  }
}

void MediaSender::send_impaired(size_t i, Timestamp now) {
  CHECK(jobs_[i].verdict == edge::Verdict::Ok);
  Participant& p = *items_[i].participant;
  const Bytes datagram(jobs_[i].packet, jobs_[i].result_bytes);
  const auto due = p.up->pass(datagram.size(), now);
  record(items_[i], datagram.size(), due ? Fate::Sent : Fate::Impaired, now);
  if (due) delays_.hold(*due, items_[i].who, p.attempt, p.port, datagram);
}

void MediaSender::send_plain(uint32_t who, Participant& p, Bytes datagram, Timestamp now) {
  if (p.up) {
    if (const auto due = p.up->pass(datagram.size(), now))
      delays_.hold(*due, who, p.attempt, p.port, datagram);
    return;
  }
  // A datagram that the kernel does not take is one that the network lost.
  send(p.port->fd(), datagram.data(), datagram.size(), 0);
}

// A packet may be recorded twice: as sent, and then as refused.
void MediaSender::record(const Item& item, size_t bytes, Fate fate, Timestamp now) {
  if (item.stream == nullptr) return;
  SendCounts& counts = counts_[index_of(item.stream->kind())];
  if (fate == Fate::Sent) {
    ++counts.packets;
    ++item.participant->sent_packets;
    counts.bytes += bytes;
  } else if (fate == Fate::Impaired) {
    ++counts.impaired;
  } else {
    ++counts.refused;
    --counts.packets;
    --item.participant->sent_packets;
    counts.bytes -= bytes;
  }
  item.stream->sent().record(item.packet, fate, now);
}

}  // namespace viaduct::load
