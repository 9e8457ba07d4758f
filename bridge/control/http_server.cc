#include "control/http_server.h"

#include <boost/asio/ip/v6_only.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "control/http_connection.h"
#include "control/http_shared.h"
#include "control/web_socket.h"

namespace viaduct::control {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// The kernel's share of what a peer may leave unread; by itself it would take megabytes for each.
constexpr int SendBufferBytes = 128 * 1024;
constexpr Duration AcceptPause = 100ms;  // when the process has no descriptor left

tcp::endpoint to_endpoint(const SocketAddress& address) {
  tcp::endpoint endpoint;
  socklen_t length = 0;
  const sockaddr_storage sa = address.to_sockaddr(&length);
  endpoint.resize(length);
  std::memcpy(endpoint.data(), &sa, length);
  return endpoint;
}

SocketAddress from_endpoint(const tcp::endpoint& endpoint) {
  sockaddr_storage sa{};
  std::memcpy(&sa, endpoint.data(), endpoint.size());
  return SocketAddress::from_sockaddr(sa);
}

// A response for a connection that is not let in. It is small enough for an empty socket buffer, so
// nothing waits for it.
void turn_away(tcp::socket& socket, std::string_view status) {
  const std::string text = "HTTP/1.1 " + std::string(status) +
                           "\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n";
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

HttpServer::HttpServer(asio::io_context& io, HttpServerSettings settings, SslContext tls,
                       HttpHandler& handler, SocketHandler* sockets, ControlMetrics& metrics)
    : shared_(std::make_shared<Shared>(io, std::move(settings), handler, sockets, metrics)) {
  if (tls) shared_->tls.emplace(tls.release());
}

HttpServer::~HttpServer() { stop_accepting(); }

Result<void> HttpServer::start() {
  const HttpServerSettings& s = shared_->settings;
  tcp::acceptor& acceptor = shared_->acceptor;
  const tcp::endpoint endpoint = to_endpoint(s.address);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && s.address.ip.is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    const char* advice = error == asio::error::address_in_use
                             ? "; another program uses it: stop that or choose another port with "
                             : "; choose another address with ";
    return Error{ErrorCode::Unavailable, "cannot listen on " + s.address.to_string() + ": " +
                                             error.message() + advice + s.option};
  }
  shared_->accept();
  return {};
}

void HttpServer::stop_accepting() {
  error_code ignored;
  shared_->acceptor.close(ignored);
  shared_->accept_pause.cancel();
}

SocketAddress HttpServer::address() const {
  error_code error;
  const tcp::endpoint endpoint = shared_->acceptor.local_endpoint(error);
  return error ? shared_->settings.address : from_endpoint(endpoint);
}

size_t HttpServer::open_sockets() const { return shared_->sockets.size(); }

void HttpServer::send(const Outgoing& outgoing) {
  const auto found = shared_->sockets.find(outgoing.socket);
  if (found != shared_->sockets.end()) found->second->send(outgoing.text, outgoing.close);
}

void HttpServer::Shared::accept() {
  acceptor.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
    if (!self->acceptor.is_open()) return;
    if (!error) {
      self->handle_accepted(std::move(socket));
      return self->accept();
    }
    log::warn("cannot accept a connection on {}: {}", self->settings.option, error.message());
    self->accept_pause.expires_after(AcceptPause);
    self->accept_pause.async_wait([self](error_code cancelled) {
      if (!cancelled) self->accept();
    });
  });
}

void HttpServer::Shared::handle_accepted(tcp::socket socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const IpAddress address = from_endpoint(peer).ip;
  const auto verdict = gate.admit(address, monotonic_now());
  if (verdict == ConnectionGate::Verdict::Admitted) {
    socket.set_option(tcp::no_delay(true), error);
    socket.set_option(tcp::socket::send_buffer_size(SendBufferBytes), error);
    std::make_shared<HttpConnection>(std::move(socket), Admission(shared_from_this(), address))
        ->start();
    return;
  }
  const bool total = verdict == ConnectionGate::Verdict::TotalFull;
  metrics
      .refused_connections[total                                             ? "total"
                           : verdict == ConnectionGate::Verdict::AddressFull ? "address"
                                                                             : "rate"]
      .add();
  if (!tls) turn_away(socket, total ? "503 Service Unavailable" : "429 Too Many Requests");
}

}  // namespace viaduct::control
