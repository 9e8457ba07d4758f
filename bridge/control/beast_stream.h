// One TCP connection, with or without TLS, as one type: Beast's templates are instantiated once,
// not twice. Internal to the server.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <cstring>
#include <optional>
#include <utility>

namespace viaduct::control {

class BeastStream {
 public:
  using next_layer_type = boost::beast::tcp_stream;
  using executor_type = next_layer_type::executor_type;

  BeastStream(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls)
      : tcp_(std::move(socket)) {
    if (tls) tls_.emplace(tcp_, *tls);
  }
  BeastStream(const BeastStream&) = delete;
  BeastStream& operator=(const BeastStream&) = delete;

  executor_type get_executor() { return tcp_.get_executor(); }
  next_layer_type& next_layer() { return tcp_; }
  const next_layer_type& next_layer() const { return tcp_; }
  bool is_secure() const { return tls_.has_value(); }

  template <typename Handler>
  void async_handshake(Handler&& handler) {
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Handler>(handler));
  }
  // What the last read left in the same place is wiped first: Beast's WebSocket reads into a buffer
  // of its own, where the end of an offer, with the client's ICE password, would stay until it is
  // overwritten.
  template <typename Buffers, typename Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    for (const boost::asio::mutable_buffer into : boost::beast::buffers_range_ref(buffers))
      explicit_bzero(into.data(), into.size());
    if (tls_) return tls_->async_read_some(buffers, std::forward<Handler>(handler));
    return tcp_.async_read_some(buffers, std::forward<Handler>(handler));
  }
  template <typename Buffers, typename Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Handler>(handler));
    return tcp_.async_write_some(buffers, std::forward<Handler>(handler));
  }

  // Beast's WebSocket ends a connection through these two (found by their argument's namespace).
  friend void teardown(boost::beast::role_type role, BeastStream& stream,
                       boost::beast::error_code& error) {
    boost::beast::websocket::teardown(role, stream.tcp_.socket(), error);
  }
  template <typename Handler>
  friend void async_teardown(boost::beast::role_type role, BeastStream& stream, Handler&& handler) {
    if (stream.tls_) return stream.tls_->async_shutdown(std::forward<Handler>(handler));
    boost::beast::websocket::async_teardown(role, stream.tcp_.socket(),
                                            std::forward<Handler>(handler));
  }

 private:
  boost::beast::tcp_stream tcp_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace viaduct::control
