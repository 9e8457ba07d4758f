#include "tests/support/client/signalling_client.h"

#include <boost/asio/buffers_iterator.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <utility>

namespace viaduct::client {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::beast::error_code;

void SignallingClient::open(const std::string& from, const std::string& host,
                            const std::string& port, Handlers handlers) {
  handlers_ = std::move(handlers);
  error_code error;
  const tcp::endpoint bridge(asio::ip::make_address(host, error),
                             static_cast<uint16_t>(std::stoul(port)));
  boost::beast::tcp_stream& stream = socket_.next_layer();
  if (!error) stream.socket().open(bridge.protocol(), error);
  if (!error && !from.empty())
    stream.socket().bind({asio::ip::make_address(from, error), 0}, error);
  if (error) return end(error);
  stream.async_connect(bridge, [this, host](error_code failed) {
    if (failed) return end(failed);
    shake_hands(host);
  });
}

void SignallingClient::shake_hands(const std::string& host) {
  socket_.next_layer().expires_never();
  socket_.set_option(websocket::stream_base::timeout::suggested(boost::beast::role_type::client));
  socket_.async_handshake(host, "/v1/signal", [this](error_code failed) {
    if (failed) return end(failed);
    open_ = true;
    handlers_.opened();
    read();
  });
}

void SignallingClient::read() {
  socket_.async_read(incoming_, [this](error_code failed, size_t) {
    if (failed) return end(failed);
    const auto message =
        nlohmann::json::parse(boost::beast::buffers_to_string(incoming_.data()), nullptr, false);
    incoming_.consume(incoming_.size());
    if (message.is_object()) handlers_.message(message);
    read();
  });
}

void SignallingClient::say(const nlohmann::json& message) {
  outgoing_.push_back(message.dump());
  if (outgoing_.size() == 1) write();
}

void SignallingClient::write() {
  socket_.async_write(asio::buffer(outgoing_.front()), [this](error_code failed, size_t) {
    if (failed) return end(failed);
    outgoing_.pop_front();
    if (!outgoing_.empty()) return write();
    if (closing_) socket_.async_close(websocket::close_code::normal, [](error_code) {});
  });
}

void SignallingClient::close() {
  closing_ = true;
  if (open_ && outgoing_.empty())
    socket_.async_close(websocket::close_code::normal, [](error_code) {});
}

void SignallingClient::end(const error_code& error) {
  open_ = false;
  if (!std::exchange(closing_, true)) handlers_.ended(error.message());
}

}  // namespace viaduct::client
