// A bridge's rooms over fake workers, for tests of what clients and workers are told.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/rooms.h"
#include "tests/unit/control/fake_worker.h"

namespace viaduct::control {

class RoomsTest : public testing::Test {
 protected:
  explicit RoomsTest(size_t worker_count = 2) : ports(worker_count) {
    for (FakeWorker& port : ports) workers.emplace_back(port);
    for (uint16_t i = 0; i < worker_count; ++i) {
      settings.candidates.push_back(
          {{IpAddress::v4(0xc0000201), static_cast<uint16_t>(10000 + i)}});
    }
    settings.fingerprint.assign(32, 0xab);
    open_rooms();
  }
  void open_rooms() {
    Result<TokenVerifier> made = TokenVerifier::create(settings.token);
    ASSERT_TRUE(made.ok());
    tokens = *made;
    rooms.emplace(settings, *tokens, workers, random, metrics);
  }

  void say(SocketId socket, const nlohmann::json& message) {
    rooms->handle_message(socket, message.dump(), now, 1'800'000'000s);
    collect();
  }
  void report(const conference::Report& report) {
    rooms->handle_report(report, now);
    collect();
  }
  void collect() {
    for (const Outgoing& o : rooms->take_outgoing()) {
      if (o.text) inbox[o.socket].push_back(nlohmann::json::parse(*o.text));
      if (o.close != close_code::None) closed[o.socket] = o.close;
    }
  }
  // The next message of that socket, or null.
  nlohmann::json next(SocketId socket) {
    auto& messages = inbox[socket];
    if (messages.empty()) return nullptr;
    nlohmann::json first = messages.front();
    messages.erase(messages.begin());
    return first;
  }
  std::string next_type(SocketId socket) { return next(socket).value("type", ""); }
  std::string next_error(SocketId socket) { return next(socket).value("code", ""); }

  // Joins and returns the participant's id.
  std::string join(SocketId socket, const std::string& name,
                   const std::string& conference = "standup") {
    rooms->handle_opened(socket, now);
    say(socket, {{"type", "join"}, {"conference", conference}, {"name", name}});
    const nlohmann::json joined = next(socket);
    EXPECT_EQ(joined.value("type", ""), "joined") << joined;
    return joined.value("participant", "");
  }
  // Joins, offers, and returns what the worker was told of the endpoint.
  conference::EndpointDescription join_with_media(SocketId socket, const std::string& name,
                                                  size_t worker = 0) {
    ids[socket] = join(socket, name);
    say(socket, {{"type", "offer"}, {"sdp", SmallOffer}});
    EXPECT_EQ(next_type(socket), "answer");
    for (conference::Command& command : ports[worker].take_commands()) {
      if (auto* add = std::get_if<conference::AddEndpoint>(&command))
        return std::move(*add->endpoint);
    }
    ADD_FAILURE() << "no AddEndpoint";
    return {};
  }
  template <typename T>
  std::vector<T> commands(size_t worker) {
    std::vector<T> out;
    for (conference::Command& command : ports[worker].take_commands()) {
      if (T* of_kind = std::get_if<T>(&command)) out.push_back(std::move(*of_kind));
    }
    return out;
  }

  Settings settings;
  SeededRandom random{1};
  ControlMetrics metrics;
  std::deque<FakeWorker> ports;
  std::vector<WorkerLink> workers;
  std::optional<TokenVerifier> tokens;
  std::optional<Rooms> rooms;
  Timestamp now{1h};
  std::map<SocketId, std::vector<nlohmann::json>> inbox;
  std::map<SocketId, uint16_t> closed;
  std::map<SocketId, std::string> ids;
};

}  // namespace viaduct::control
