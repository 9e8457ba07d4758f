#include "path/handshakes.h"

#include <cstring>

#include "base/log.h"

namespace viaduct::path {

const std::vector<Handshakes::Ended>& Handshakes::run(Timestamp now) {
  ended_.clear();
  while (!unposted_.empty() && port_.post(CloseSession{unposted_.back()})) unposted_.pop_back();
  while (auto reply = port_.take_reply()) {
    std::visit([&](auto&& message) { handle(std::move(message), now); }, std::move(*reply));
  }
  return ended_;
}

void Handshakes::narrow_path(Handle<Endpoint> who, uint16_t bytes) {
  [[maybe_unused]] const bool posted = port_.post(NarrowPath{who, bytes});
}

void Handshakes::close(Handle<Endpoint> who, Endpoint& endpoint) {
  opener_.remove_key(endpoint.transport.unprotect_key);
  sealer_.remove_key(endpoint.transport.protect_key);
  if (endpoint.transport.state == conference::TransportState::Checking)
    return;  // no session was opened
  if (!port_.post(CloseSession{who})) unposted_.push_back(who);
}

void Handshakes::handle(SessionDatagram&& datagram, Timestamp now) {
  Endpoint* endpoint = directory_.find(datagram.endpoint);
  if (!endpoint || !endpoint->transport.may_send(now)) return;
  Packet packet;
  if (io_.allocate({&packet, 1}) == 0) {
    counters_.drop(Drop::NoPacket);
    return;
  }
  CHECK(datagram.bytes.size() <= packet.tailroom());
  std::memcpy(packet.buffer + packet.offset, datagram.bytes.data(), datagram.bytes.size());
  packet.length = static_cast<uint32_t>(datagram.bytes.size());
  packet.peer = *endpoint->transport.ice.destination();
  counters_.dtls_sent.add(packet.length);
  io_.send({&packet, 1});
}

void Handshakes::handle(SessionConnected&& connected, Timestamp now) {
  Endpoint* endpoint = directory_.find(connected.endpoint);
  if (!endpoint) return;
  const auto unprotect = opener_.add_key(connected.keys.remote());
  const auto protect = sealer_.add_key(connected.keys.local());
  conference::Transport& transport = endpoint->transport;
  if (unprotect) transport.unprotect_key = *unprotect;
  if (protect) transport.protect_key = *protect;
  if (!unprotect || !protect) {
    log::error("a client's SRTP keys were refused: {}",
               (unprotect ? protect : unprotect).error().text);
    ended_.push_back({connected.endpoint, conference::GoneReason::Refused});
    return;
  }
  transport.profile = connected.info.profile;
  transport.dtls = std::move(connected.info);
  transport.state = conference::TransportState::Connected;
  counters_.dtls_connected.add();
  directory_.reports.push_back(conference::EndpointConnected{
      endpoint->id, transport.validated - transport.created, now - transport.validated});
}

void Handshakes::handle(SessionFailed&& failed, Timestamp) {
  if (!directory_.find(failed.endpoint)) return;
  log::warn("a DTLS handshake failed: {}", failed.reason);
  (failed.timed_out ? counters_.dtls_timed_out : counters_.dtls_failed).add();
  ended_.push_back({failed.endpoint, failed.timed_out ? conference::GoneReason::HandshakeTimeout
                                                      : conference::GoneReason::HandshakeFailed});
}

void Handshakes::handle(SessionClosed&& closed, Timestamp) {
  if (directory_.find(closed.endpoint))
    ended_.push_back({closed.endpoint, conference::GoneReason::PeerClosed});
}

}  // namespace viaduct::path
