#include "path/demux.h"

#include "protocol/rtcp/parse.h"
#include "protocol/stun/stun.h"

namespace viaduct::path {
namespace {

// Datagrams that the handshake thread takes from one client in a second. A handshake needs some
// twenty.
constexpr uint32_t DtlsDatagramsPerSecond = 100;

PacketKind kind_of(Bytes packet) {
  const uint8_t first = packet[0];
  if (first <= 3) return PacketKind::Stun;
  if (first >= 20 && first <= 63) return PacketKind::Dtls;
  if (first >= 128 && first <= 191)
    return rtcp::is_rtcp(packet) ? PacketKind::Rtcp : PacketKind::Rtp;
  return PacketKind::Unknown;
}

}  // namespace

void Demux::run(RxBatch& rx, Timestamp now) {
  for (RxPacket& p : rx.all()) {
    p.drop = sort(p, now);
    counters_.received[static_cast<size_t>(p.kind)].add(p.io.length);
  }
}

Drop Demux::sort(RxPacket& p, Timestamp now) {
  if (p.io.length == 0) return Drop::UnknownKind;
  p.kind = kind_of(p.datagram());
  if (p.kind == PacketKind::Unknown) return Drop::UnknownKind;
  if (p.kind == PacketKind::Stun) return answer_stun(p, now);

  p.from = addresses_.at(p.io.peer);
  Endpoint* endpoint = directory_.find(p.from);
  if (!endpoint) return Drop::UnknownAddress;
  if (p.kind == PacketKind::Dtls) return pass_to_handshakes(p, *endpoint, now);
  if (!endpoint->connected()) return Drop::NotConnected;
  if (p.kind == PacketKind::Rtcp) return Drop::None;

  const auto header = rtp::parse_header(p.datagram());
  if (!header) return Drop::RtpMalformed;
  p.header = *header;
  return Drop::None;
}

Drop Demux::answer_stun(RxPacket& p, Timestamp now) {
  const auto message = stun::parse_message(p.datagram());
  if (!message || !message->username) return Drop::StunMalformed;
  const Handle<Endpoint> who = addresses_.with_ufrag(ice::local_ufrag(*message->username));
  Endpoint* endpoint = directory_.find(who);
  if (!endpoint) return Drop::StunUnknownUser;

  // A client proves its password, not that it can receive at the address it writes from: it must
  // not take a live client's.
  const Handle<Endpoint> owner = addresses_.at(p.io.peer);
  if (owner != who) {
    const Endpoint* other = directory_.find(owner);
    if (other && other->transport.ice.has_consent(now)) return Drop::StunAddressTaken;
  }

  Packet reply;
  if (io_.allocate({&reply, 1}) == 0) return Drop::NoPacket;
  const auto outcome = endpoint->transport.ice.handle(
      *message, p.io.peer, now, {reply.buffer + reply.offset, reply.tailroom()});
  if (outcome.reply_bytes > 0) {
    reply.length = static_cast<uint32_t>(outcome.reply_bytes);
    reply.peer = p.io.peer;
    counters_.stun_replies.add(reply.length);
    io_.send({&reply, 1});
  } else {
    io_.release({&reply, 1});
  }
  if (outcome.refusal != ice::IceLite::Outcome::Refusal::None) return Drop::StunRefused;
  note_ice(who, *endpoint, p, outcome, now);
  return Drop::None;
}

void Demux::note_ice(Handle<Endpoint> who, Endpoint& endpoint, const RxPacket& p,
                     const ice::IceLite::Outcome& outcome, Timestamp now) {
  if (outcome.evicted) addresses_.remove_address(*outcome.evicted, who);
  if (outcome.retired) {
    addresses_.remove_ufrag(*outcome.retired);
    counters_.ice_restarted.add();
  }
  if (outcome.selected) counters_.ice_selected.add();
  if (addresses_.at(p.io.peer) != who) addresses_.add_address(p.io.peer, who);
  if (outcome.validated) counters_.ice_validated.add();

  conference::Transport& transport = endpoint.transport;
  if (transport.state != conference::TransportState::Checking) return;
  const auto role = endpoint.dtls_active ? dtls::Role::Client : dtls::Role::Server;
  if (!handshakes_.post(OpenSession{who, role, endpoint.expected_fingerprint})) {
    counters_.drop(Drop::DtlsQueueFull);  // the client's next check tries again
    return;
  }
  transport.state = conference::TransportState::Handshaking;
  transport.validated = now;
}

Drop Demux::pass_to_handshakes(RxPacket& p, Endpoint& endpoint, Timestamp now) {
  conference::Transport& transport = endpoint.transport;
  if (now - transport.dtls_allowance_since >= 1s) {
    transport.dtls_allowance_since = now;
    transport.dtls_allowance = DtlsDatagramsPerSecond;
  }
  if (transport.dtls_allowance == 0) return Drop::DtlsRate;
  --transport.dtls_allowance;
  const Bytes bytes = p.datagram();
  if (!handshakes_.post(SessionDatagram{p.from, {bytes.begin(), bytes.end()}}))
    return Drop::DtlsQueueFull;
  return Drop::None;
}

}  // namespace viaduct::path
