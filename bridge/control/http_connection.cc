#include "control/http_connection.h"

#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "control/web_socket.h"

namespace viaduct::control {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr Duration LingerTimeout = 2s;

// The status for a request that Beast's parser gave up on; 0 when the connection itself failed.
unsigned status_of(const boost::beast::error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == http::error::end_of_stream || error == http::error::partial_message) return 0;
  return error.category() == make_error_code(http::error::bad_method).category() ? 400 : 0;
}

std::string write_head(const HttpResponse& response, bool close) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += http::obsolete_reason(static_cast<http::status>(response.status));
  head +=
      "\r\nContent-Length: " + std::to_string(response.body ? response.body->size() : 0) + "\r\n";
  if (!response.content_type.empty()) head += "Content-Type: " + response.content_type + "\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  if (close) head += "Connection: close\r\n";
  return head + "\r\n";
}

std::string copy(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, Admission admission)
    : admission_(std::move(admission)), buffer_(HttpServer::HeaderBytes + HttpServer::BodyBytes) {
  auto& tls = admission_.server().tls;
  stream_ = std::make_unique<BeastStream>(std::move(socket), tls ? &*tls : nullptr);
}

void HttpConnection::start() {
  if (!stream_->is_secure()) return read();
  stream_->next_layer().expires_after(HttpServer::RequestTimeout);
  stream_->async_handshake([self = shared_from_this()](ErrorCode error) {
    if (!error) self->read();
  });
}

void HttpConnection::read() {
  parser_.emplace();
  parser_->header_limit(HttpServer::HeaderBytes);
  parser_->body_limit(HttpServer::BodyBytes);
  stream_->next_layer().expires_after(HttpServer::RequestTimeout);
  http::async_read(
      *stream_, buffer_, *parser_,
      [self = shared_from_this()](ErrorCode error, size_t) { self->handle_read(error); });
}

void HttpConnection::handle_read(ErrorCode error) {
  if (!error) return handle_request();
  head_only_ = false;
  const unsigned status = status_of(error);
  if (status != 0)
    return write(
        error_response(status, copy(http::obsolete_reason(static_cast<http::status>(status)))),
        true);
  finish();
}

void HttpConnection::handle_request() {
  HttpServer::Shared& server = admission_.server();
  const auto& message = parser_->get();
  HttpRequest request{copy(message.method_string()),
                      copy(message.target()),
                      copy(message[http::field::host]),
                      copy(message[http::field::origin]),
                      stream_->is_secure(),
                      boost::beast::websocket::is_upgrade(message)};
  const bool close = !message.keep_alive();
  head_only_ = request.method == "HEAD";

  if (request.wants_socket && server.socket_handler) {
    if (auto refusal = server.socket_handler->refuse_upgrade(request))
      return write(std::move(*refusal), true);
    server.metrics.count_response(server.settings.listener, 101);
    stream_->next_layer().expires_never();  // the WebSocket keeps its own time
    WebSocketConnection::open(std::move(stream_), std::move(admission_), parser_->release());
    return;
  }
  stream_->next_layer().expires_never();  // until the handler answers
  server.handler.handle(request, [self = shared_from_this(), close](HttpResponse response) {
    self->write(std::move(response), close);
  });
}

void HttpConnection::write(HttpResponse response, bool then_close) {
  HttpServer::Shared& server = admission_.server();
  server.metrics.count_response(server.settings.listener, response.status);
  response_ = std::move(response);
  head_ = write_head(response_, then_close);
  std::array<asio::const_buffer, 2> parts{asio::buffer(head_), asio::const_buffer()};
  if (!head_only_ && response_.body) parts[1] = asio::buffer(*response_.body);
  stream_->next_layer().expires_after(HttpServer::RequestTimeout);
  asio::async_write(*stream_, parts,
                    [self = shared_from_this(), then_close](ErrorCode error, size_t) {
                      if (error) return;
                      then_close ? self->finish() : self->read();
                    });
}

// Ends our side and reads what still comes for a moment: closing with unread bytes would reset the
// connection, and the peer might lose the response.
void HttpConnection::finish() {
  ErrorCode ignored;
  stream_->next_layer().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  stream_->next_layer().expires_after(LingerTimeout);
  discard();
}

void HttpConnection::discard() {
  stream_->next_layer().async_read_some(asio::buffer(discarded_),
                                        [self = shared_from_this()](ErrorCode error, size_t n) {
                                          if (error || n >= self->discard_budget_) return;
                                          self->discard_budget_ -= n;
                                          self->discard();
                                        });
}

}  // namespace viaduct::control
