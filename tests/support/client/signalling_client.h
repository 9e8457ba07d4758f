// One WebSocket to the bridge's signalling (deploy/docs/signalling.md): JSON messages out and in,
// on an io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace viaduct::client {

class SignallingClient {
 public:
  struct Handlers {
    std::function<void()> opened;
    std::function<void(const nlohmann::json& message)> message;
    std::function<void(const std::string& why)> ended;  // once; not after close()
  };

  explicit SignallingClient(boost::asio::io_context& io) : socket_(io) {}

  // Connects from the address `from`; empty lets the kernel choose. Handlers are called from the io_context.
  void open(const std::string& from, const std::string& host, const std::string& port,
            Handlers handlers);
  void say(const nlohmann::json& message);
  // Says what is queued, then goodbye.
  void close();

 private:
  void shake_hands(const std::string& host);
  void read();
  void write();
  void end(const boost::beast::error_code& error);

  boost::beast::websocket::stream<boost::beast::tcp_stream> socket_;
  boost::beast::flat_buffer incoming_;
  std::deque<std::string> outgoing_;
  Handlers handlers_;
  bool open_ = false;
  bool closing_ = false;
};

}  // namespace viaduct::client
