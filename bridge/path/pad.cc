#include "path/pad.h"

#include <algorithm>
#include <array>

namespace viaduct::path {
namespace {

constexpr uint8_t PaddingFlag = 0x20;
// A thirty-second of a packet at most: 37 bytes of 1,200.
constexpr size_t PaddingShare = 32;
constexpr uint8_t MaxPaddingBytes = limits::MaxPacketBytes / PaddingShare;

// Padding ends with its own length, and what stands before is ignored: of the bytes 1, 2, 3 ... any
// number from the front is valid padding, so that one writing serves every receiver.
constexpr auto Ramp = [] {
  std::array<uint8_t, MaxPaddingBytes> ramp{};
  for (size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<uint8_t>(i + 1);
  return ramp;
}();

// Header, payload and padding. The tag is of one length for all packets to one receiver.
size_t size_of(const edge::CipherJob& job) {
  return size_t{job.header_bytes} + job.prefix_bytes + job.payload_bytes;
}

bool may_pad(const TxPacket& p) {
  return p.kind == TxKind::Media && p.padding_ready == MaxPaddingBytes;
}

// Where the run that begins at `first` ends: packets to one receiver that can be made of one size,
// but for the last, which may be shorter.
size_t end_of_run(const TxBatch& tx, size_t first) {
  size_t longest = size_of(tx.jobs[first]);
  size_t shortest = longest;
  size_t end = first + 1;
  for (; end < tx.size() && tx.packets[end].to == tx.packets[first].to; ++end) {
    if (!may_pad(tx.packets[end])) break;
    const size_t size = size_of(tx.jobs[end]);
    const size_t longest_then = std::max(longest, size);
    if (longest_then - shortest > longest_then / PaddingShare) break;
    if (longest - std::min(size, longest) > longest / PaddingShare) return end + 1;
    longest = longest_then;
    shortest = std::min(shortest, size);
  }
  return end;
}

}  // namespace

uint8_t prepare_padding(RxPacket& packet) {
  const size_t room = packet.room_behind_body();
  if (room < MaxPaddingBytes) return 0;
  std::ranges::copy(Ramp, packet.io.buffer + packet.io.buffer_bytes - room);
  return MaxPaddingBytes;
}

const std::vector<TxBatch*>& Pad::run(const std::vector<TxBatch*>& batches) {
  for (TxBatch* tx : batches) {
    for (size_t first = 0, end; first < tx->size(); first = end) {
      end = may_pad(tx->packets[first]) ? end_of_run(*tx, first) : first + 1;
      if (end - first > 1) even_out(*tx, first, end);
    }
  }
  return batches;
}

void Pad::even_out(TxBatch& tx, size_t first, size_t end) {
  const auto jobs = tx.jobs.subspan(first, end - first);
  const size_t longest = size_of(*std::ranges::max_element(jobs, {}, size_of));
  for (edge::CipherJob& job : jobs.first(jobs.size() - 1)) {
    const size_t missing = longest - size_of(job);
    if (missing == 0) continue;
    job.packet[0] |= PaddingFlag;
    job.payload_bytes += static_cast<uint32_t>(missing);
    counters_.padding.add(missing);
  }
}

}  // namespace viaduct::path
