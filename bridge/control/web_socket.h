// One open WebSocket: text messages in, a bounded queue out. Internal to the server.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <memory>
#include <string>

#include "base/token_bucket.h"
#include "control/beast_stream.h"
#include "control/http_shared.h"

namespace viaduct::control {

class WebSocketConnection : public std::enable_shared_from_this<WebSocketConnection> {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;

  // Answers the upgrade and takes the connection over; it lives until it is closed.
  static void open(std::unique_ptr<BeastStream> stream, Admission admission,
                   const Request& request);

  WebSocketConnection(std::unique_ptr<BeastStream> stream, Admission admission);

  // Queues a text (may be null) and, unless `close` is None, closes with that code after it.
  void send(std::shared_ptr<const std::string> text, uint16_t close);

 private:
  using ErrorCode = boost::beast::error_code;

  void accept(const Request& request);
  void read();
  void handle_read(ErrorCode error);
  void end(ErrorCode error);
  SocketEnd end_of(ErrorCode error) const;
  void write_next();
  void refuse(const char* reason, uint16_t code);
  void cut();

  HttpServer::Shared& server() const { return admission_.server(); }

  Admission admission_;
  std::unique_ptr<BeastStream> stream_;
  boost::beast::websocket::stream<BeastStream&> socket_;
  boost::beast::flat_buffer buffer_;
  TokenBucket messages_;
  SocketId id_ = 0;
  std::deque<std::shared_ptr<const std::string>> queue_;
  size_t queued_bytes_ = 0;
  bool reading_ = false, writing_ = false, closing_ = false;
  uint16_t close_ =
      0;  // the code to close with once the queue is empty; messages are ignored from then on
};

}  // namespace viaduct::control
