#include "path/handshake_service.h"

#include <algorithm>

namespace viaduct::path {
namespace {

constexpr int RequestsPerTurn = 64;  // of one worker, so that no worker starves another

}  // namespace

bool HandshakeService::turn(Timestamp now) {
  bool more = false;
  for (Port& port : ports_) {
    run_timers(port, now);
    for (int taken = 0; flush(port); ++taken) {
      if (taken == RequestsPerTurn) {
        more = true;
        break;
      }
      auto request = port.port->take_request();
      if (!request) break;
      std::visit([&](auto&& message) { handle(port, std::move(message), now); },
                 std::move(*request));
    }
  }
  return more;
}

Timestamp HandshakeService::next_deadline() const {
  Timestamp next = Never;
  for (const Port& port : ports_) {
    for (const auto& [who, client] : port.clients)
      next = std::min(next, client.session->next_deadline());
  }
  return next;
}

void HandshakeService::handle(Port& port, OpenSession&& open, Timestamp now) {
  if (in_progress() >= limits::HandshakesInFlight) {
    reply(port, SessionFailed{open.endpoint, "too many handshakes are in progress", false});
    return;
  }
  Client& client = port.clients[open.endpoint];
  client.session =
      std::make_unique<dtls::Session>(context_, open.role, std::move(open.expected), now);
  if (settle(port, open.endpoint, client)) port.clients.erase(open.endpoint);
}

void HandshakeService::handle(Port& port, SessionDatagram&& datagram, Timestamp now) {
  const auto it = port.clients.find(datagram.endpoint);
  if (it == port.clients.end()) return;
  it->second.session->handle(datagram.bytes, now);
  if (settle(port, it->first, it->second)) port.clients.erase(it);
}

void HandshakeService::handle(Port& port, NarrowPath&& path, Timestamp) {
  const auto it = port.clients.find(path.endpoint);
  if (it != port.clients.end()) it->second.session->narrow_path(path.bytes);
}

void HandshakeService::handle(Port& port, CloseSession&& close, Timestamp) {
  const auto it = port.clients.find(close.endpoint);
  if (it == port.clients.end()) return;
  it->second.session->close();
  std::vector<uint8_t> datagram;
  while (it->second.session->poll_output(&datagram))
    reply(port, SessionDatagram{it->first, std::move(datagram)});
  port.clients.erase(it);
}

void HandshakeService::run_timers(Port& port, Timestamp now) {
  for (auto it = port.clients.begin(); it != port.clients.end();) {
    Client& client = it->second;
    bool over = false;
    if (client.session->next_deadline() <= now) {
      client.session->handle_timeout(now);
      over = settle(port, it->first, client, true);
    }
    it = over ? port.clients.erase(it) : std::next(it);
  }
}

// Tells the worker what has become of the session. True when it is over.
bool HandshakeService::settle(Port& port, Handle<Endpoint> who, Client& client, bool on_timer) {
  dtls::Session& session = *client.session;
  std::vector<uint8_t> datagram;
  while (session.poll_output(&datagram)) reply(port, SessionDatagram{who, std::move(datagram)});
  switch (session.state()) {
    case dtls::Session::State::Handshaking:
      return false;
    case dtls::Session::State::Connected:
      if (!client.reported)
        reply(port, SessionConnected{who, session.export_keys(), session.info()});
      client.reported = true;
      return false;
    case dtls::Session::State::Failed:
      reply(port, SessionFailed{who, session.failure(), on_timer});
      return true;
    case dtls::Session::State::Closed:
      reply(port, SessionClosed{who});
      return true;
  }
  return true;
}

void HandshakeService::reply(Port& port, HandshakeReply&& message) {
  port.backlog.push_back(std::move(message));
  flush(port);
}

bool HandshakeService::flush(Port& port) {
  while (!port.backlog.empty() && port.port->reply(std::move(port.backlog.front())))
    port.backlog.pop_front();
  return port.backlog.empty();
}

size_t HandshakeService::in_progress() const {
  size_t count = 0;
  for (const Port& port : ports_) {
    count += static_cast<size_t>(
        std::ranges::count_if(port.clients, [](const auto& c) { return !c.second.reported; }));
  }
  return count;
}

}  // namespace viaduct::path
