// One client of a conference: its transport, the sources it sends and the slots it receives in.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/slot_map.h"
#include "conference/bitrate_allocator.h"
#include "conference/held_packets.h"
#include "conference/messages.h"
#include "conference/payload_map.h"
#include "conference/source.h"
#include "conference/subscription.h"
#include "conference/transport.h"
#include "protocol/congestion/controller.h"
#include "protocol/congestion/pacer.h"
#include "protocol/rtcp/transport_feedback.h"

namespace viaduct::conference {

class Conference;

class Endpoint {
 public:
  Endpoint(const EndpointDescription& d, Handle<Conference> where, Random& random, Timestamp now)
      : id(d.id),
        name(d.name),
        cname(d.cname),
        feedback_ssrc(d.feedback_ssrc),
        conference(where),
        payloads(d.formats),
        extensions(d.extensions),
        slot_extensions(d.slot_extensions),
        dtls_active(d.dtls_active),
        expected_fingerprint{d.fingerprint_algorithm, d.fingerprint},
        mixed(d.mixed),
        relayed_from(d.relayed_from),
        transport({d.local_ufrag, d.local_pwd}, {d.remote_ufrag, d.remote_pwd}, now),
        congestion(d.reporting) {
    for (const SourceDescription& s : d.sources) sources.emplace_back(s);
    for (const SlotDescription& s : d.slots) slots.emplace_back(s, random);
  }

  const EndpointId id;
  const std::string name;
  const std::string cname;
  const uint32_t feedback_ssrc;
  const Handle<Conference> conference;
  const PayloadMap payloads;
  const rtp::ExtensionMap extensions;       // in what the client sends
  const rtp::ExtensionMap slot_extensions;  // in what it receives
  const bool dtls_active;                   // the bridge is the DTLS client
  const dtls::Fingerprint expected_fingerprint;
  const bool mixed;  // hears one mix, in its first audio slot, instead of single voices
  const std::optional<uint32_t> relayed_from;  // the worker whose client it is, if not this one's

  bool declares_e2ee = false;  // the client says that its frames are encrypted end to end

  Transport transport;
  std::vector<Source> sources;
  std::vector<Subscription> slots;
  std::vector<UndecodableSource> undecodable;  // what this client misses, as last reported

  ReceiverWishes wishes;                // what it wants to see
  bool slots_due = false;               // they have changed
  std::vector<uint16_t> picture_order;  // slots that carry pictures, the most wanted first
  BitrateAllocator layers;              // what it gets of them
  bool pictures_changed = false;        // they have to be shared out anew
  congestion::Controller congestion;          // what its network takes of what is sent to it,
  std::optional<DataRate> available;          // as it was last said; nothing: nobody measures
  DataRate pictures_rate;                     // what pictures take of it
  DataRate demand;                            // that would be sent if there were room for it
  bool has_room_to_repeat = true;             // sound may be said again beside them (redundant_sound.h),
  RedundancySwitch redundancy;                // as it should be where so much is lost, in any slot
  congestion::Pacer pacer;
  HeldPackets held;                           // that wait for the pacer
  bool in_pace = false;                       // it holds packets or is being probed (path/pace.h)
  uint16_t next_transport_sequence = 1;       // of what is sent to it
  struct NetworkTold {                  // of what is available and demanded, to the client
    std::optional<DataRate> available;
    DataRate wanted;
    Timestamp at;
  } network_told;

  rtcp::TransportFeedbackBuilder arrivals;     // for transport-wide congestion feedback
  Timestamp next_report;                       // RTCP SR and RR
  Timestamp next_ladders;                      // of what it sends
  Timestamp next_mix_request;                  // while it hears a mix
  size_t next_slot_reported = 0;               // where SRs begin, since not all may fit one packet
  int64_t resend_allowance_bytes = 64 * 1024;  // what NACKs may still make the bridge send
  // The bridge's NTP clock minus the client's, over the shortest way seen.
  std::optional<Duration> clock_ahead;

  bool is_relayed() const { return relayed_from.has_value(); }
  bool connected() const { return transport.state == TransportState::Connected; }

  // Whose media SSRC or RTX SSRC this is, as negotiated or learned.
  struct StreamOwner {
    uint16_t source = 0;
    uint8_t encoding = 0;
    bool rtx = false;
  };
  std::optional<StreamOwner> owner_of(uint32_t ssrc) const {
    for (uint16_t i = 0; i < sources.size(); ++i) {
      for (uint8_t k = 0; k < sources[i].encodings.size(); ++k) {
        if (sources[i].encodings[k].ssrc == ssrc) return StreamOwner{i, k, false};
        if (sources[i].encodings[k].rtx_ssrc == ssrc) return StreamOwner{i, k, true};
      }
    }
    return std::nullopt;
  }
  std::optional<uint16_t> source_with_mid(std::string_view mid) const {
    for (uint16_t i = 0; i < sources.size(); ++i) {
      if (sources[i].mid == mid) return i;
    }
    return std::nullopt;
  }
  // Where a mix goes; null when the client receives no sound.
  Subscription* mix_slot() {
    const auto slot = std::ranges::find(slots, codec::MediaKind::Audio, &Subscription::kind);
    return mixed && slot != slots.end() ? &*slot : nullptr;
  }
  std::optional<uint16_t> slot_with_ssrc(uint32_t ssrc) const {
    for (uint16_t i = 0; i < slots.size(); ++i) {
      if (slots[i].ssrc == ssrc || (slots[i].rtx_ssrc == ssrc && ssrc != 0)) return i;
    }
    return std::nullopt;
  }
};

}  // namespace viaduct::conference
