// A bounded HTTP/1.1 and WebSocket server on one address, in the caller's event loop. Boost stays
// behind it.
//
// It must never hold more than the limits say for a peer: a request's head, body and duration,
// connections in total and for one address, a message's size and rate, what waits to be sent. A
// handler sees only whole, bounded requests and text messages.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/socket_address.h"
#include "control/control_metrics.h"
#include "control/gate.h"
#include "control/http.h"
#include "control/tls.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::control {

struct HttpServerSettings {
  Listener listener = Listener::Page;
  SocketAddress address;
  std::string option;  // its name in the configuration, for error sentences
  ConnectionGate::Limits connections;
  size_t message_bytes = 0;        // of one WebSocket message
  double messages_per_second = 0;  // of one WebSocket
};

class HttpServer {
 public:
  static constexpr size_t HeaderBytes = 16 * 1024;
  static constexpr size_t BodyBytes = 1024;           // no request needs one
  static constexpr size_t QueuedBytes = 1024 * 1024;  // unread by a WebSocket's peer
  static constexpr Duration RequestTimeout =
      20s;  // for a whole request to arrive, and to stay idle between two
  static constexpr Duration SocketTimeout =
      30s;  // without any frame; pings go out after half of it

  // `tls` may be null. `sockets` may be null: then nothing is upgraded. Handlers and metrics
  // outlive the event loop's last run.
  HttpServer(boost::asio::io_context& io, HttpServerSettings settings, SslContext tls,
             HttpHandler& handler, SocketHandler* sockets, ControlMetrics& metrics);
  ~HttpServer();

  // Binds and listens. The error's sentence names the address and the option.
  Result<void> start();
  // Takes no more connections; those that are open go on.
  void stop_accepting();

  SocketAddress address() const;  // with the real port
  size_t open_sockets() const;

  // Queues a text, closes after what is queued, or both. Ignored when the socket is gone; one that
  // does not read is cut.
  void send(const Outgoing& outgoing);

  struct Shared;

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace viaduct::control
