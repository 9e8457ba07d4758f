// SRTP and SRTCP for a batch of packets, each under its own key. CPU, CUDA or one packet at a time,
// behind one interface.
//
// The cipher knows keys and bytes. Packet indexes (rollover), replay windows and which SSRC belongs
// to whom are the caller's (protocol/srtp). One BatchCipher per worker and direction; it is used
// from that worker's thread alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/result.h"
#include "protocol/srtp/srtp_profile.h"

namespace viaduct::edge {

enum class Direction : uint8_t { Protect, Unprotect };

using srtp::KeySlot;

enum class Verdict : uint8_t {
  Pending,  // submitted, not finished
  Ok,
  AuthFailed,  // unprotect: the tag is wrong; the output bytes mean nothing
  BadKey,      // the slot names no key
  Malformed,   // too short, too long, or no room for the tag
};

// One packet's work.
//
// The finished packet is contiguous at `packet`; the trailer is the tag, and for SRTCP also E||index,
// in the profile's order:
//   | header: header_bytes | body | trailer |
// `header` is authenticated and sent in clear: RTP header with CSRCs and extensions, or the first 8
// bytes of RTCP.
//
// Protect. The caller has written `header` and, behind it, `prefix_bytes` bytes of the body in
// plaintext (an RTX original sequence number, a rewritten payload descriptor). The rest of the body
// is read from `payload`, which may be shared by many jobs, and written behind the prefix:
// ciphertext = E(prefix || payload). `payload` may also be the very place that it is written to (in
// place); any other overlap is forbidden. `packet` has room for header, prefix, payload and trailer.
//
// Unprotect. `payload` is the ciphertext with its trailer and stands directly behind the header;
// decryption is in place; `prefix_bytes` is 0.
//
// Afterwards `result_bytes` is the length of the whole packet: protected, or in clear without its
// trailer.
struct CipherJob {
  KeySlot slot;
  bool rtcp = false;
  Verdict verdict = Verdict::Pending;
  uint16_t header_bytes = 0;
  uint16_t prefix_bytes = 0;
  uint16_t result_bytes = 0;
  uint32_t payload_bytes = 0;
  uint32_t ssrc = 0;
  // SRTP: the 48-bit packet index, 2^16 * ROC + SEQ (RFC 3711 section 3.3.1). SRTCP: the 31-bit
  // SRTCP index when protecting; when unprotecting the cipher reads it from the packet
  // (protocol/srtp srtcp_index() gives it beforehand).
  uint64_t index = 0;
  uint8_t* packet = nullptr;
  const uint8_t* payload = nullptr;
};

// Jobs that travel together. The caller owns the batch and what it points to, and leaves both alone
// from submit() until poll() gives the batch back. Whoever needs more beside the jobs derives from
// it.
struct CipherBatch {
  std::span<CipherJob> jobs;
};

class BatchCipher {
 public:
  virtual ~BatchCipher() = default;

  // Derives the session keys (RFC 3711 section 4.3) and keeps them until remove_key().
  // ResourceExhausted when full.
  virtual Result<KeySlot> add_key(const srtp::SrtpKeys& keys) = 0;
  // Wipes the key. Jobs already submitted under it still finish, with their true verdict or BadKey.
  virtual void remove_key(KeySlot slot) = 0;

  // Takes the batch on. May finish it now or later.
  virtual void submit(CipherBatch* batch) = 0;
  // The next finished batch in the order of submission, or null. Never blocks.
  virtual CipherBatch* poll() = 0;

  // Whether batches are on their way, so that poll() is worth asking again soon.
  virtual bool has_unfinished() const { return false; }

  // Where packets will stand, for engines that have to prepare memory. Before the first submit().
  virtual void expect_packets_in(std::span<uint8_t> memory) { (void)memory; }

  // What the engine is called in metrics and logs: "reference", "cpu", "cuda".
  virtual const char* name() const = 0;
  // Numbers of the engine's own.
  virtual void visit(MetricVisitor& visitor, std::string_view worker,
                     std::string_view direction) const {
    (void)visitor, (void)worker, (void)direction;
  }
};

}  // namespace viaduct::edge
