// All DTLS sessions of the process, driven by one thread of their own. Sans-IO too: datagrams come
// from and go to workers through their HandshakePorts, and time is an argument, so a simulation
// turns it by hand.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/counters.h"
#include "path/handshake_port.h"
#include "protocol/dtls/context.h"

namespace viaduct::path {

class HandshakeService {
 public:
  explicit HandshakeService(dtls::Context context) : context_(std::move(context)) {}

  // All ports are known before the first turn().
  void serve(HandshakePort& port) { ports_.push_back({&port, {}, {}}); }

  // Takes what the workers ask for, runs timers that are due, and answers. True when there may be
  // more to do at once.
  bool turn(Timestamp now);
  // The earliest timer of a handshake in progress.
  Timestamp next_deadline() const;

 private:
  struct Client {
    std::unique_ptr<dtls::Session> session;
    bool reported = false;  // connected, and the worker has its keys
  };
  using Clients = std::map<Handle<Endpoint>, Client>;
  struct Port {
    HandshakePort* port;
    Clients clients;
    std::deque<HandshakeReply> backlog;  // replies for which the ring had no room; while there are
                                         // some, no request is taken
  };

  void handle(Port& port, OpenSession&& open, Timestamp now);
  void handle(Port& port, SessionDatagram&& datagram, Timestamp now);
  void handle(Port& port, NarrowPath&& path, Timestamp now);
  void handle(Port& port, CloseSession&& close, Timestamp now);
  void run_timers(Port& port, Timestamp now);
  bool settle(Port& port, Handle<Endpoint> who, Client& client, bool on_timer = false);
  void reply(Port& port, HandshakeReply&& message);
  bool flush(Port& port);
  size_t in_progress() const;

  dtls::Context context_;
  std::deque<Port> ports_;
};

}  // namespace viaduct::path
