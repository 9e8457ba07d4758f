#include "edge/cipher_layout.h"

#include "limits.h"
#include "protocol/srtp/packet_index.h"
#include "protocol/srtp/srtcp.h"

namespace viaduct::edge {
namespace {

using srtp::SrtpProfile;

constexpr size_t RtpHeaderBytes = 12;

size_t trailer_bytes(SrtpProfile profile, bool rtcp) {
  return rtcp ? srtp::srtcp_trailer_bytes(profile) : srtp::srtp_trailer_bytes(profile);
}

bool header_fits(const CipherJob& job) {
  return job.rtcp ? job.header_bytes == srtp::RtcpHeaderBytes : job.header_bytes >= RtpHeaderBytes;
}

// Where everything stands, or false when it does not fit.
bool place(const CipherJob& job, SrtpProfile profile, Direction direction, Layout* at) {
  if (!header_fits(job) || job.packet == nullptr) return false;
  if (job.payload == nullptr && job.payload_bytes > 0) return false;
  if (job.payload_bytes > limits::PacketBufferBytes) return false;

  const size_t trailer = trailer_bytes(profile, job.rtcp);
  size_t payload_bytes = job.payload_bytes;
  if (direction == Direction::Unprotect) {
    const bool in_place = job.payload == job.packet + job.header_bytes && job.prefix_bytes == 0;
    if (payload_bytes < trailer || !in_place) return false;
    payload_bytes -= trailer;
  }
  const size_t body_bytes = job.prefix_bytes + payload_bytes;
  const size_t clear_bytes = job.header_bytes + body_bytes;
  if (clear_bytes + trailer > limits::PacketBufferBytes) return false;

  uint8_t* body = job.packet + job.header_bytes;
  at->header = {job.packet, job.header_bytes};
  at->prefix = {body, job.prefix_bytes};
  at->payload = {job.payload, payload_bytes};
  at->body = {body, body_bytes};
  const bool word_first = !is_gcm(profile);
  uint8_t* end = body + body_bytes;
  at->tag = job.rtcp && word_first ? end + srtp::SrtcpIndexBytes : end;
  if (job.rtcp) at->srtcp_word = word_first ? end : end + srtp::tag_bytes(profile);
  at->result_bytes =
      static_cast<uint16_t>(direction == Direction::Protect ? clear_bytes + trailer : clear_bytes);
  return true;
}

}  // namespace

bool lay_out(CipherJob& job, SrtpProfile profile, Direction direction, Layout* at) {
  if (!place(job, profile, direction, at)) return false;
  if (!job.rtcp) return job.index <= srtp::MaxPacketIndex;
  if (direction == Direction::Unprotect) {
    const uint32_t word = load_be32(at->srtcp_word);
    job.index = word & srtp::MaxSrtcpIndex;
    at->encrypted = (word & srtp::SrtcpEncryptedFlag) != 0;
    return true;
  }
  if (job.index > srtp::MaxSrtcpIndex) return false;
  store_be32(at->srtcp_word, srtp::SrtcpEncryptedFlag | static_cast<uint32_t>(job.index));
  return true;
}

}  // namespace viaduct::edge
