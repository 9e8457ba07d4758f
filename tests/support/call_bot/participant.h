// One client in a conference: its signalling, its UDP socket, its media, and what it tells about
// them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/random.h"
#include "protocol/dtls/certificate.h"
#include "tests/support/call_bot/media_client.h"
#include "tests/support/call_bot/options.h"
#include "tests/support/client/signalling_client.h"

namespace viaduct::call_bot {

class Participant {
 public:
  // Everything passed in outlives it. `number` begins at 1.
  Participant(size_t number, const Options& options, boost::asio::io_context& io,
              const dtls::Certificate& certificate, SentBodies& sent_bodies, Random& random);

  void join();
  void turn();
  void leave();
  // One line with what it sent and received so far.
  void report(const char* event) const;

  bool connected() const { return media_.connected(); }
  bool left() const { return left_; }
  bool failed() const { return failed_; }
  const MediaCounts& counts() const { return media_.counts(); }

 private:
  void say_join();
  void handle(const nlohmann::json& message);
  void handle_joined(const nlohmann::json& message);
  void handle_answer(const nlohmann::json& message);
  void receive();
  void tell(const char* event,
            const nlohmann::ordered_json& details = nlohmann::ordered_json::object()) const;
  void tell_connected() const;
  void tell_secrets() const;
  void fail(const std::string& why);

  const size_t number_;
  const Options& options_;
  const dtls::Context context_;
  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::endpoint bridge_;
  client::SignallingClient signalling_;
  MediaClient media_;
  std::vector<uint8_t> master_secret_;
  std::string bridge_password_;
  bool told_connected_ = false;
  bool told_receiving_ = false;
  bool left_ = false;
  bool failed_ = false;
};

}  // namespace viaduct::call_bot
