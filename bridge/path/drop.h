// Why a packet went no further. Every early return of the path has a reason here, and every reason
// is a counter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace viaduct::path {

enum class Drop : uint8_t {
  None,
  // demux
  UnknownKind,     // the first byte belongs to no protocol of RFC 7983
  UnknownAddress,  // not STUN, and no client has proved to own the address
  StunMalformed,
  StunUnknownUser,   // the ufrag is nobody's
  StunRefused,       // integrity, user name or role
  StunAddressTaken,  // another client with live consent sends from there
  DtlsRate,
  DtlsQueueFull,
  NotConnected,  // media before the keys are there
  RtpMalformed,
  RtcpMalformed,
  // unprotect
  UnknownSsrc,  // belongs to no source that the client negotiated
  Replayed,
  IndexOutOfRange,
  Silence,  // an audio level that says silence, beyond the first few
  // observe
  AuthFailed,
  TooManySsrcs,
  UnknownPayloadType,
  BadPadding,
  PaddingOnly,  // probes for bandwidth carry nothing to forward
  RtxMalformed,
  Duplicate,  // came before, by itself or by RTX
  Muted,
  // route
  HeldBack,  // the conference requires end-to-end encryption, and this source has none
  // relay: counted once for each worker that it did not reach, or here when its source is unknown
  RelayFull,
  RelayUnknown,
  // mix: counted when it does not reach the mixing thread
  MixFull,
  MixTooLong,  // for a packet of Opus
  // rewrite, pace, resend, transmit
  NotNegotiated,  // the receiver has no payload type for the format
  RedUnreadable,  // the receiver takes no RED, and what else there is in it may not or cannot be read
  BeforeStream,   // older than what the slot began with, or sent already
  AwaitsKeyFrame,
  OtherLayer,     // the receiver gets another layer of the picture
  HeaderTooLong,  // its extensions do not fit a header of the receiver's
  NoPacket,       // the pool ran dry
  NoBatch,        // the cipher has not finished earlier batches
  PaceOverflow,   // too many packets wait for the receiver's network
  PacedTooLong,   // it has waited so long that it is of no use, or may not go out any more
  NoConsent,      // the receiver's consent ran out, or it is gone
  SealFailed,
  ResendUnknown,  // a NACK for a packet that is no longer kept
  ResendTooSoon,
  ResendBudget,
  ResendUnneeded,  // it is of a layer that the receiver does not get any more
};
inline constexpr size_t Drops = static_cast<size_t>(Drop::ResendUnneeded) + 1;

struct DropName {
  const char* stage;
  const char* reason;
};

inline constexpr std::array<DropName, Drops> DropNames = {{
    {"", ""},
    {"demux", "unknown_kind"},
    {"demux", "unknown_address"},
    {"demux", "stun_malformed"},
    {"demux", "stun_unknown_user"},
    {"demux", "stun_refused"},
    {"demux", "stun_address_taken"},
    {"demux", "dtls_rate"},
    {"demux", "dtls_queue_full"},
    {"demux", "not_connected"},
    {"demux", "rtp_malformed"},
    {"demux", "rtcp_malformed"},
    {"unprotect", "unknown_ssrc"},
    {"unprotect", "replayed"},
    {"unprotect", "index_out_of_range"},
    {"unprotect", "silence"},
    {"observe", "auth_failed"},
    {"observe", "too_many_ssrcs"},
    {"observe", "unknown_payload_type"},
    {"observe", "bad_padding"},
    {"observe", "padding_only"},
    {"observe", "rtx_malformed"},
    {"observe", "duplicate"},
    {"observe", "muted"},
    {"route", "held_back"},
    {"relay", "ring_full"},
    {"relay", "unknown_source"},
    {"mix", "ring_full"},
    {"mix", "too_long"},
    {"rewrite", "not_negotiated"},
    {"rewrite", "red_unreadable"},
    {"rewrite", "before_stream"},
    {"rewrite", "awaits_key_frame"},
    {"rewrite", "other_layer"},
    {"rewrite", "header_too_long"},
    {"rewrite", "no_packet"},
    {"rewrite", "no_batch"},
    {"pace", "overflow"},
    {"pace", "too_long"},
    {"transmit", "no_consent"},
    {"transmit", "seal_failed"},
    {"feedback", "resend_unknown"},
    {"feedback", "resend_too_soon"},
    {"feedback", "resend_budget"},
    {"feedback", "resend_unneeded"},
}};

}  // namespace viaduct::path
