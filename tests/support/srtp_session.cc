#include "tests/support/srtp_session.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "protocol/srtp/packet_index.h"
#include "protocol/srtp/srtcp.h"

namespace viaduct::testing {
namespace {

constexpr size_t RtpFixedHeaderBytes = 12;

// The length of an RTP header with CSRCs and extension (RFC 3550 section 5.1); nothing when the packet is shorter.
std::optional<uint16_t> rtp_header_bytes(Bytes packet) {
  if (packet.size() < RtpFixedHeaderBytes || packet[0] >> 6 != 2) return std::nullopt;
  size_t bytes = RtpFixedHeaderBytes + size_t{4} * (packet[0] & 0x0f);
  if ((packet[0] & 0x10) != 0) {
    if (packet.size() < bytes + 4) return std::nullopt;
    bytes += 4 + size_t{4} * load_be16(&packet[bytes + 2]);
  }
  if (packet.size() < bytes) return std::nullopt;
  return static_cast<uint16_t>(bytes);
}

template <typename T>
T required(std::optional<T> value, const char* why) {
  if (!value) throw std::invalid_argument(why);
  return *std::move(value);
}

edge::KeySlot slot_for(edge::BatchCipher& cipher, const srtp::SrtpKeys& keys) { return cipher.add_key(keys).value(); }

}  // namespace

SrtpSession::SrtpSession(const srtp::SrtpKeys& local, const srtp::SrtpKeys& remote)
    : profile_(local.profile), local_(slot_for(protector_, local)), remote_(slot_for(unprotector_, remote)) {}

std::vector<uint8_t> SrtpSession::protect_rtp(Bytes packet) {
  const uint16_t header = required(rtp_header_bytes(packet), "not an RTP packet");
  const uint16_t seq = load_be16(&packet[2]);
  const uint32_t ssrc = load_be32(&packet[8]);
  const auto [highest, first] = sent_.try_emplace(ssrc, seq);
  const uint64_t index =
      first ? seq : required(srtp::estimate_index(highest->second, seq), "before the first packet");
  highest->second = std::max(highest->second, index);

  edge::CipherJob job{.slot = local_, .header_bytes = header, .ssrc = ssrc, .index = index};
  return required(run(protector_, job, packet), "the cipher refuses the RTP packet");
}

std::vector<uint8_t> SrtpSession::protect_rtcp(Bytes packet) {
  if (packet.size() < srtp::RtcpHeaderBytes) throw std::invalid_argument("not an RTCP packet");
  const uint32_t ssrc = load_be32(&packet[4]);
  edge::CipherJob job{
      .slot = local_, .rtcp = true, .header_bytes = srtp::RtcpHeaderBytes, .ssrc = ssrc, .index = sent_rtcp_[ssrc]++};
  return required(run(protector_, job, packet), "the cipher refuses the RTCP packet");
}

std::optional<std::vector<uint8_t>> SrtpSession::unprotect_rtp(Bytes packet) {
  const auto header = rtp_header_bytes(packet);
  if (!header) return std::nullopt;
  const uint16_t seq = load_be16(&packet[2]);
  const uint32_t ssrc = load_be32(&packet[8]);
  const auto known = seen_.find(ssrc);
  const auto index = known == seen_.end() ? seq : srtp::estimate_index(known->second.highest(), seq);
  if (!index || (known != seen_.end() && !known->second.is_new(*index))) return std::nullopt;

  edge::CipherJob job{.slot = remote_, .header_bytes = *header, .ssrc = ssrc, .index = *index};
  auto clear = run(unprotector_, job, packet);
  if (!clear || !seen_[ssrc].commit(*index)) return std::nullopt;  // no state for an SSRC before it authenticates
  return clear;
}

std::optional<std::vector<uint8_t>> SrtpSession::unprotect_rtcp(Bytes packet) {
  const auto index = srtp::srtcp_index(packet, profile_);
  if (!index) return std::nullopt;
  const uint32_t ssrc = load_be32(&packet[4]);
  const auto known = seen_rtcp_.find(ssrc);
  if (known != seen_rtcp_.end() && !known->second.is_new(*index)) return std::nullopt;

  edge::CipherJob job{.slot = remote_, .rtcp = true, .header_bytes = srtp::RtcpHeaderBytes, .ssrc = ssrc};
  auto clear = run(unprotector_, job, packet);
  if (!clear || !seen_rtcp_[ssrc].commit(*index)) return std::nullopt;
  return clear;
}

// Runs one job over a copy of `packet`, in place. Nothing unless the verdict is Ok.
std::optional<std::vector<uint8_t>> SrtpSession::run(edge::BatchCipher& cipher, edge::CipherJob job, Bytes packet) {
  std::vector<uint8_t> buffer(packet.begin(), packet.end());
  buffer.resize(packet.size() + srtp::MaxTrailerBytes);
  job.packet = buffer.data();
  job.payload = buffer.data() + job.header_bytes;
  job.payload_bytes = static_cast<uint32_t>(packet.size() - job.header_bytes);
  edge::CipherBatch batch{{&job, 1}};
  cipher.submit(&batch);
  cipher.poll();
  if (job.verdict != edge::Verdict::Ok) return std::nullopt;
  buffer.resize(job.result_bytes);
  return buffer;
}

}  // namespace viaduct::testing
