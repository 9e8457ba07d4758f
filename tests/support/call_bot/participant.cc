#include "tests/support/call_bot/participant.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "limits.h"
#include "tests/support/call_bot/events.h"
#include "tests/support/call_bot/key_log.h"
#include "tests/support/hex.h"

namespace viaduct::call_bot {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;
using nlohmann::ordered_json;

namespace {

constexpr size_t AudioSlots = 3;
constexpr size_t VideoSlots = 4;

ordered_json hex_list(const std::vector<std::vector<uint8_t>>& values) {
  ordered_json list = ordered_json::array();
  for (const auto& value : values) list.push_back(testing::to_hex(value));
  return list;
}

}  // namespace

Participant::Participant(size_t number, const Options& options, asio::io_context& io,
                         const dtls::Certificate& certificate, SentBodies& sent_bodies,
                         Random& random)
    : number_(number),
      options_(options),
      context_(dtls::Context::make(certificate).value()),
      socket_(io, udp::endpoint(asio::ip::make_address(options.from), 0)),
      signalling_(io),
      media_(options, context_, sent_bodies, random, [this](Bytes datagram) {
        error_code lost;  // a datagram that the kernel does not take is one that the network lost
        socket_.send_to(asio::buffer(datagram.data(), datagram.size()), bridge_, 0, lost);
      }) {
  socket_.non_blocking(true);
  if (options.show_keys) log_master_secret(context_, master_secret_);
}

void Participant::join() {
  signalling_.open(options_.from, options_.host, options_.port,
                   {.opened = [this] { say_join(); },
                    .message = [this](const nlohmann::json& message) { handle(message); },
                    .ended = [this](const std::string& why) { fail("signalling ended: " + why); }});
}

void Participant::say_join() {
  nlohmann::json join = {{"type", "join"},
                         {"conference", options_.conference},
                         {"name", "bot " + std::to_string(number_)},
                         {"e2ee", true},
                         {"require_e2ee", options_.require_e2ee},
                         {"mixed", options_.mixed}};
  if (!options_.token.empty()) join["token"] = options_.token;
  signalling_.say(join);
}

void Participant::handle(const nlohmann::json& message) {
  const std::string type = message.value("type", "");
  if (type == "joined") return handle_joined(message);
  if (type == "answer") return handle_answer(message);
  if (type == "error") {
    tell("error", {{"code", message.value("code", "")}, {"message", message.value("message", "")}});
    if (message.value("final", false)) fail("the bridge refused: " + message.value("code", ""));
  }
  if (type == "held-back")
    tell(type.c_str(), {{"kind", message["kind"]}, {"reason", message["reason"]}});
  if (type == "participant-joined" || type == "participant-changed")
    tell(type.c_str(), {{"participant", message["participant"]}});
  if (type == "participant-left") tell(type.c_str(), {{"id", message["id"]}});
  if (type == "e2ee")
    tell(type.c_str(), {{"wanted", message["wanted"]}, {"required", message["required"]}});
}

void Participant::handle_joined(const nlohmann::json& message) {
  tell("joined", {{"participant", message["participant"]}});
  const nlohmann::json& slots = message["slots"];
  const std::string sdp =
      client::write_offer(media_.describe(std::min(AudioSlots, slots.value("audio", size_t{0})),
                                  std::min(VideoSlots, slots.value("video", size_t{0}))));
  signalling_.say({{"type", "offer"}, {"sdp", sdp}});
  if (options_.declare_e2ee) signalling_.say({{"type", "declare"}, {"e2ee", true}});
  if (options_.e2ee_wanted && number_ == 1) signalling_.say({{"type", "e2ee"}, {"wanted", true}});
}

void Participant::handle_answer(const nlohmann::json& message) {
  const auto answer = client::read_answer(message.value("sdp", ""));
  if (!answer) return fail(answer.error().text);
  bridge_ =
      udp::endpoint(asio::ip::make_address(answer->bridge.ip.to_string()), answer->bridge.port);
  bridge_password_ = answer->credentials.password.view();
  media_.connect(*answer, monotonic_now());
  receive();
}

void Participant::receive() {
  socket_.async_wait(udp::socket::wait_read, [this](error_code ended) {
    if (ended || left_) return;
    std::array<uint8_t, limits::MaxPacketBytes> space;
    const Timestamp now = monotonic_now();
    for (error_code empty;;) {
      udp::endpoint from;
      const size_t bytes = socket_.receive_from(asio::buffer(space), from, 0, empty);
      if (empty) break;
      const auto ip = IpAddress::parse(from.address().to_string());
      if (ip) media_.handle(Bytes(space).first(bytes), {*ip, from.port()}, now);
    }
    receive();
  });
}

void Participant::turn() {
  if (left_ || failed_) return;
  media_.turn(monotonic_now());
  if (!media_.failure().empty()) return fail(media_.failure());
  if (media_.connected() && !std::exchange(told_connected_, true)) {
    tell_connected();
    if (options_.show_keys) tell_secrets();
  }
  const MediaCounts& counts = media_.counts();
  if (counts.audio_received + counts.video_received > 0 && !std::exchange(told_receiving_, true))
    tell("receiving");
}

void Participant::leave() {
  if (left_) return;
  left_ = true;
  report("left");
  signalling_.say({{"type", "leave"}});
  signalling_.close();
  error_code ignored;
  socket_.close(ignored);
}

void Participant::report(const char* event) const {
  const MediaCounts& c = media_.counts();
  tell(event, {{"sent", {{"audio", c.audio_sent}, {"video", c.video_sent}}},
               {"received", {{"audio", c.audio_received}, {"video", c.video_received}}},
               {"bodies", {{"equal", c.equal_bodies}, {"unknown", c.unknown_bodies}}},
               {"resent", c.resent},
               {"key_frame_requests", c.key_frame_requests}});
}

void Participant::tell_connected() const {
  const dtls::SessionInfo& info = media_.dtls_info();
  tell("connected", {{"address", socket_.local_endpoint().address().to_string() + ":" +
                                     std::to_string(socket_.local_endpoint().port())},
                     {"dtls", info.version},
                     {"cipher", info.cipher},
                     {"group", info.group},
                     {"srtp", srtp::to_string(info.profile)}});
}

void Participant::tell_secrets() const {
  const SharedSecrets& secrets = media_.secrets();
  tell("secrets", {{"srtp_master_keys", hex_list(secrets.srtp_master_keys)},
                   {"srtp_session_keys", hex_list(secrets.srtp_session_keys)},
                   {"dtls_master_secret", testing::to_hex(master_secret_)},
                   {"bridge_ice_password", bridge_password_},
                   {"client_ice_password", media_.password()}});
}

void Participant::tell(const char* event, const ordered_json& details) const {
  ordered_json line = {{"event", event}, {"client", number_}};
  line.update(details);
  say(line);
}

void Participant::fail(const std::string& why) {
  if (left_ || std::exchange(failed_, true)) return;
  tell("failed", {{"why", why}});
}

}  // namespace viaduct::call_bot
