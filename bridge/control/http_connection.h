// One HTTP connection: requests in, responses out, one after the other; may become a WebSocket.
// Internal to the server.
#pragma once

#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>

#include "control/beast_stream.h"
#include "control/http_shared.h"

namespace viaduct::control {

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(boost::asio::ip::tcp::socket socket, Admission admission);
  void start();

 private:
  using ErrorCode = boost::beast::error_code;

  void read();
  void handle_read(ErrorCode error);
  void handle_request();
  void write(HttpResponse response, bool then_close);
  void finish();
  void discard();

  Admission admission_;
  std::unique_ptr<BeastStream> stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  bool head_only_ = false;
  std::string head_;  // of the response being sent
  HttpResponse response_;
  std::array<char, 4096> discarded_;  // what still comes when the response said "close"
  size_t discard_budget_ = 64 * 1024;
};

}  // namespace viaduct::control
