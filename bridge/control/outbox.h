// What has to be sent to clients, in order, until the sockets take it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace viaduct::control {

using SocketId = uint64_t;  // drawn once for each WebSocket and never used again
inline constexpr SocketId NoSocket = 0;

// How a socket has ended.
enum class SocketEnd : uint8_t {
  Left,  // with a goodbye, the client's or the bridge's
  Cut,   // without: the client may come back on another one
};

namespace close_code {  // RFC 6455 section 7.4 and the contract
inline constexpr uint16_t None = 0;
inline constexpr uint16_t Normal = 1000;
inline constexpr uint16_t GoingAway = 1001;
inline constexpr uint16_t UnsupportedData = 1003;
inline constexpr uint16_t Abnormal = 1006;  // never on the wire: there was no closing frame
inline constexpr uint16_t PolicyViolation = 1008;
inline constexpr uint16_t FinalError = 4000;
inline constexpr uint16_t Resuming = 4001;  // another socket takes over
}  // namespace close_code

// A text to send, or a socket to close after what was sent before, or both.
struct Outgoing {
  SocketId socket = 0;
  std::shared_ptr<const std::string> text;
  uint16_t close = close_code::None;
};

class Outbox {
 public:
  void send(SocketId to, std::string text) {
    send(to, std::make_shared<const std::string>(std::move(text)));
  }
  // One text for many sockets. What is for nobody is not kept.
  void send(SocketId to, std::shared_ptr<const std::string> text) {
    if (to != NoSocket) waiting_.push_back({to, std::move(text)});
  }
  // Closes after `text`, which may be null.
  void close(SocketId socket, std::shared_ptr<const std::string> text, uint16_t code) {
    if (socket != NoSocket) waiting_.push_back({socket, std::move(text), code});
  }

  std::vector<Outgoing> take() { return std::exchange(waiting_, {}); }

 private:
  std::vector<Outgoing> waiting_;
};

}  // namespace viaduct::control
