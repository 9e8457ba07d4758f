// HTTP requests and responses as plain values, and who answers them. No socket, no Boost.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/socket_address.h"
#include "control/outbox.h"

namespace viaduct::control {

struct HttpRequest {
  std::string method;         // as sent: "GET"
  std::string target;         // as sent: "/index.html?x=1"
  std::string host;           // the Host header, empty when absent
  std::string origin;         // the Origin header, empty when absent
  bool secure = false;        // came over TLS
  bool wants_socket = false;  // is a WebSocket upgrade

  std::string_view path() const {
    return std::string_view(target).substr(0, target.find_first_of("?#"));
  }
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type;
  std::shared_ptr<const std::string> body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// A JSON object {"error": text}.
HttpResponse error_response(unsigned status, std::string_view text);
// 405 with the methods that are allowed.
HttpResponse method_not_allowed();

using Respond = std::function<void(HttpResponse)>;

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Calls `respond` once, now or later. The body is not sent to HEAD; handlers need not care.
  virtual void handle(const HttpRequest& request, Respond respond) = 0;
};

// What happens on WebSockets: opened first, closed last, and nothing after it.
class SocketHandler {
 public:
  virtual ~SocketHandler() = default;
  // The answer to an upgrade that is not wanted; nothing lets it open.
  virtual std::optional<HttpResponse> refuse_upgrade(const HttpRequest& request) = 0;
  virtual void handle_opened(SocketId socket) = 0;
  virtual void handle_message(SocketId socket, std::string_view text) = 0;
  virtual void handle_closed(SocketId socket, SocketEnd end) = 0;
};

}  // namespace viaduct::control
