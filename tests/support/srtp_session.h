// SRTP and SRTCP as a client runs them: one key each way, rollover and replay per SSRC. For fake endpoints in
// tests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "edge/reference_cipher.h"
#include "protocol/srtp/replay_window.h"
#include "protocol/srtp/srtp_profile.h"

namespace viaduct::testing {

class SrtpSession {
 public:
  // `local` is what this side sends with, `remote` what it receives with; dtls::KeyingMaterial has both.
  SrtpSession(const srtp::SrtpKeys& local, const srtp::SrtpKeys& remote);

  // A whole RTP packet, or RTCP compound packet, in clear -> protected. Throws std::invalid_argument when it is
  // none.
  std::vector<uint8_t> protect_rtp(Bytes packet);
  std::vector<uint8_t> protect_rtcp(Bytes packet);

  // Protected -> in clear. Nothing for what a client drops: malformed, wrong tag, or a replay.
  std::optional<std::vector<uint8_t>> unprotect_rtp(Bytes packet);
  std::optional<std::vector<uint8_t>> unprotect_rtcp(Bytes packet);

 private:
  std::optional<std::vector<uint8_t>> run(edge::BatchCipher& cipher, edge::CipherJob job, Bytes packet);

  srtp::SrtpProfile profile_;
  edge::ReferenceCipher protector_{edge::Direction::Protect, 1};
  edge::ReferenceCipher unprotector_{edge::Direction::Unprotect, 1};
  edge::KeySlot local_;
  edge::KeySlot remote_;
  std::map<uint32_t, uint64_t> sent_;              // SSRC -> highest packet index sent
  std::map<uint32_t, uint32_t> sent_rtcp_;         // SSRC -> next SRTCP index
  std::map<uint32_t, srtp::ReplayWindow> seen_;
  std::map<uint32_t, srtp::ReplayWindow> seen_rtcp_;
};

}  // namespace viaduct::testing
