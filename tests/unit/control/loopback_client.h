// Blocking clients over loopback for tests of the listeners: plain HTTP, and WebSocket frames made
// by hand so that a test can also send what no library would.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/socket_address.h"

namespace viaduct::control {

class TcpClient {
 public:
  explicit TcpClient(const SocketAddress& to, int receive_buffer_bytes = 0) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{.tv_sec = 60, .tv_usec = 0};  // a test that waits longer has failed
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (receive_buffer_bytes > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    socklen_t length = 0;
    const sockaddr_storage sa = to.to_sockaddr(&length);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&sa), length), 0);
  }
  ~TcpClient() { close(fd_); }
  TcpClient(const TcpClient&) = delete;
  TcpClient& operator=(const TcpClient&) = delete;

  int fd() const { return fd_; }
  // False when the other side has closed.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  // Exactly `n` bytes, or fewer at the end of the connection.
  std::string read(size_t n) {
    while (buffer_.size() < n && fill()) {}
    return take(std::min(n, buffer_.size()));
  }
  // Up to and with `mark`, or all there is.
  std::string read_until(std::string_view mark) {
    size_t at = buffer_.find(mark);
    while (at == std::string::npos && fill()) at = buffer_.find(mark);
    return take(at == std::string::npos ? buffer_.size() : at + mark.size());
  }
  bool is_at_end() { return buffer_.empty() && !fill(); }

 private:
  bool fill() {
    char chunk[16384];
    const ssize_t n = recv(fd_, chunk, sizeof chunk, 0);
    if (n <= 0) return false;
    buffer_.append(chunk, static_cast<size_t>(n));
    return true;
  }
  std::string take(size_t n) {
    std::string out = buffer_.substr(0, n);
    buffer_.erase(0, n);
    return out;
  }
  int fd_;
  std::string buffer_;
};

struct Reply {
  int status = 0;  // 0: the connection ended instead
  std::string head;
  std::string body;
};

inline Reply read_reply(TcpClient& client, bool has_body = true) {
  Reply reply;
  reply.head = client.read_until("\r\n\r\n");
  if (reply.head.size() < 12) return reply;
  reply.status = std::stoi(reply.head.substr(9, 3));
  const size_t at = reply.head.find("Content-Length: ");
  if (has_body && at != std::string::npos)
    reply.body = client.read(std::stoul(reply.head.substr(at + 16)));
  return reply;
}

inline Reply ask(const SocketAddress& to, const std::string& line, const std::string& rest = "") {
  TcpClient client(to);
  client.send(line + " HTTP/1.1\r\nHost: localhost\r\n" + rest + "\r\n");
  return read_reply(client);
}
inline Reply get(const SocketAddress& to, const std::string& path) {
  return ask(to, "GET " + path);
}

class WebSocketClient {
 public:
  enum Opcode : uint8_t { Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };
  struct Frame {
    uint8_t opcode = 0;  // 0: the connection ended
    std::string payload;
  };

  explicit WebSocketClient(const SocketAddress& to, const std::string& headers = "",
                           int receive_buffer_bytes = 0)
      : tcp_(to, receive_buffer_bytes) {
    tcp_.send(
        "GET /v1/signal HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: "
        "websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        headers + "\r\n");
    status_ = read_reply(tcp_).status;
  }
  int status() const { return status_; }

  bool send_frame(uint8_t opcode, std::string_view payload) { return send(frame(opcode, payload)); }
  // One or more frames, in one piece.
  bool send(std::string_view frames) { return tcp_.send(frames); }
  static std::string frame(uint8_t opcode, std::string_view payload) {
    uint8_t head[14];
    ByteWriter w(head);
    w.u8(static_cast<uint8_t>(0x80 | opcode));
    if (payload.size() < 126) {
      w.u8(static_cast<uint8_t>(0x80 | payload.size()));
    } else if (payload.size() < 65536) {
      w.u8(0x80 | 126);
      w.be16(static_cast<uint16_t>(payload.size()));
    } else {
      w.u8(0x80 | 127);
      w.be64(payload.size());
    }
    w.be32(0);  // a mask of zeros changes nothing
    return std::string(as_text(w.written())) + std::string(payload);
  }
  bool say(const nlohmann::json& message) { return send_frame(Text, message.dump()); }

  // The next frame; one that comes in fragments, whole. A ping between two of them is left out.
  Frame read_frame() {
    Frame frame;
    bool is_last = false;
    for (bool is_first = true; !is_last || is_first; is_first = false) {
      const std::string start = tcp_.read(2);
      if (start.size() < 2) return {};
      const auto opcode = static_cast<uint8_t>(start[0] & 0x0f);
      uint64_t length = static_cast<uint8_t>(start[1]) & 0x7f;
      if (length == 126) length = load_be16(as_bytes(tcp_.read(2)).data());
      if (length == 127) length = load_be64(as_bytes(tcp_.read(8)).data());
      const std::string payload = tcp_.read(length);
      if (!is_first && opcode != 0) continue;
      if (is_first) frame.opcode = opcode;
      frame.payload += payload;
      is_last = (start[0] & 0x80) != 0;
    }
    return frame;
  }
  // The next text message; null at the end.
  nlohmann::json hear() {
    Frame frame = read_frame();
    while (frame.opcode == Ping || frame.opcode == Pong) frame = read_frame();
    return frame.opcode == Text ? nlohmann::json::parse(frame.payload) : nlohmann::json();
  }
  // Reads on until a message of that type.
  nlohmann::json hear(const std::string& type) {
    nlohmann::json message = hear();
    while (!message.is_null() && message.value("type", "") != type) message = hear();
    return message;
  }
  // Reads on until the other side closes: its code, 1006 when there was no closing frame.
  int closing_code() {
    for (Frame frame = read_frame(); frame.opcode != 0; frame = read_frame()) {
      if (frame.opcode == Close)
        return frame.payload.size() < 2 ? 1005 : load_be16(as_bytes(frame.payload).data());
    }
    return 1006;
  }

 private:
  TcpClient tcp_;
  int status_ = 0;
};

}  // namespace viaduct::control
