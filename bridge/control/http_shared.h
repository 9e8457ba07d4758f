// What the connections of one HttpServer have in common. Internal to the server.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <unordered_map>

#include "control/http_server.h"

namespace viaduct::control {

class WebSocketConnection;

// Lives as long as the last connection: an event loop may destroy pending work after the server is
// gone.
struct HttpServer::Shared : std::enable_shared_from_this<HttpServer::Shared> {
  Shared(boost::asio::io_context& loop, HttpServerSettings s, HttpHandler& h, SocketHandler* sh,
         ControlMetrics& m)
      : io(loop),
        settings(std::move(s)),
        handler(h),
        socket_handler(sh),
        metrics(m),
        acceptor(loop),
        accept_pause(loop),
        gate(settings.connections) {}

  void accept();
  void handle_accepted(boost::asio::ip::tcp::socket socket);

  boost::asio::io_context& io;
  HttpServerSettings settings;
  HttpHandler& handler;
  SocketHandler* socket_handler;
  ControlMetrics& metrics;
  std::optional<boost::asio::ssl::context> tls;
  boost::asio::ip::tcp::acceptor acceptor;
  boost::asio::steady_timer accept_pause;
  ConnectionGate gate;
  std::unordered_map<SocketId, WebSocketConnection*> sockets;
  SocketId last_socket = 0;
};

// A place among the server's connections; given back at the end.
class Admission {
 public:
  Admission(std::shared_ptr<HttpServer::Shared> server, IpAddress address)
      : server_(std::move(server)), address_(address) {
    count(1);
  }
  Admission(Admission&&) = default;
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  ~Admission() {
    if (!server_) return;
    server_->gate.release(address_);
    count(-1);
  }
  HttpServer::Shared& server() const { return *server_; }

 private:
  void count(int more) { server_->metrics.connections(server_->settings.listener).add(more); }

  std::shared_ptr<HttpServer::Shared> server_;
  IpAddress address_;
};

}  // namespace viaduct::control
