#include "control/web_socket.h"

#include <cstring>

#include "base/clock.h"

namespace viaduct::control {

namespace websocket = boost::beast::websocket;

void WebSocketConnection::open(std::unique_ptr<BeastStream> stream, Admission admission,
                               const Request& request) {
  std::make_shared<WebSocketConnection>(std::move(stream), std::move(admission))->accept(request);
}

WebSocketConnection::WebSocketConnection(std::unique_ptr<BeastStream> stream, Admission admission)
    : admission_(std::move(admission)),
      stream_(std::move(stream)),
      socket_(*stream_),
      messages_(server().settings.messages_per_second) {}

void WebSocketConnection::accept(const Request& request) {
  socket_.set_option(websocket::stream_base::timeout{std::chrono::seconds(10),
                                                     HttpServer::SocketTimeout,
                                                     /*keep_alive_pings=*/true});
  socket_.read_message_max(server().settings.message_bytes);
  socket_.text(true);
  // Pings and pongs of a peer count as its messages do: they are answered, so they must not come
  // without bound.
  socket_.control_callback([this](websocket::frame_type, boost::beast::string_view) {
    if (!messages_.take(monotonic_now())) cut();
  });
  socket_.async_accept(request, [self = shared_from_this()](ErrorCode error) {
    if (error) return;
    HttpServer::Shared& server = self->server();
    self->id_ = ++server.last_socket;
    server.sockets.emplace(self->id_, self.get());
    server.socket_handler->handle_opened(self->id_);
    self->read();
  });
}

void WebSocketConnection::read() {
  reading_ = true;
  socket_.async_read(buffer_, [self = shared_from_this()](ErrorCode error, size_t) {
    self->reading_ = false;
    self->handle_read(error);
  });
}

void WebSocketConnection::handle_read(ErrorCode error) {
  // Closed by either side, cut, silent for too long, or a frame Beast refused (1002, 1007, 1009).
  if (error) return end(error);
  if (close_ == close_code::None) {
    if (!socket_.got_text()) {
      refuse("binary", close_code::UnsupportedData);
    } else if (!messages_.take(monotonic_now())) {
      refuse("rate", close_code::PolicyViolation);
    } else {
      const auto bytes = buffer_.cdata();
      server().socket_handler->handle_message(
          id_, {static_cast<const char*>(bytes.data()), bytes.size()});
    }
  }
  explicit_bzero(buffer_.data().data(), buffer_.size());  // an offer holds the client's ICE password
  buffer_.consume(buffer_.size());
  buffer_.shrink_to_fit();  // offers are large and rare: between two of them a client holds no memory for them
  // Beast's close reads on by itself. With a read that begins beside it, each may wait for the other for ever: one that
  // finds a closing frame in what has come already takes notice of it a turn too late (Boost 1.81, where there is a
  // control callback).
  if (!closing_) read();
}

void WebSocketConnection::end(ErrorCode error) {
  if (server().sockets.erase(id_) > 0) server().socket_handler->handle_closed(id_, end_of(error));
}

// A client whose network is gone may find its old socket still open when it is back, and closes it then.
SocketEnd WebSocketConnection::end_of(ErrorCode error) const {
  const bool is_sent_away = close_ != close_code::None;
  if (is_sent_away || error == websocket::condition::protocol_violation || error == websocket::error::message_too_big)
    return SocketEnd::Left;
  if (error != websocket::error::closed) return SocketEnd::Cut;
  return socket_.reason().code == close_code::Resuming ? SocketEnd::Cut : SocketEnd::Left;
}

void WebSocketConnection::refuse(const char* reason, uint16_t code) {
  server().metrics.refused_messages[reason].add();
  send(nullptr, code);
}

void WebSocketConnection::send(std::shared_ptr<const std::string> text, uint16_t close) {
  if (close_ != close_code::None) return;
  if (text) {
    queued_bytes_ += text->size();
    queue_.push_back(std::move(text));
    if (queued_bytes_ > HttpServer::QueuedBytes) {
      server().metrics.lost_participants["slow-reader"].add();
      return cut();
    }
  }
  close_ = close;
  if (!writing_) write_next();
}

void WebSocketConnection::write_next() {
  if (close_ == close_code::Abnormal) return;
  if (queue_.empty()) {
    if (close_ != close_code::None) {
      writing_ = closing_ = true;  // the closing frame is the last
      socket_.async_close(websocket::close_code(close_), [self = shared_from_this()](ErrorCode error) {
        if (!self->reading_) self->end(error);
      });
    }
    return;
  }
  writing_ = true;
  socket_.async_write(boost::asio::buffer(*queue_.front()),
                      [self = shared_from_this()](ErrorCode error, size_t) {
                        self->writing_ = false;
                        if (error) return;  // the read that is under way ends the connection
                        self->queued_bytes_ -= self->queue_.front()->size();
                        self->queue_.pop_front();
                        self->write_next();
                      });
}

// Ends the connection without a closing frame; the read that is under way comes back with an error.
void WebSocketConnection::cut() {
  close_ = close_code::Abnormal;
  stream_->next_layer().close();
}

}  // namespace viaduct::control
