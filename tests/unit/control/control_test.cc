// The control thread whole, over loopback: listeners, signalling, admin, start and stop.
#include "control/control.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>
#include <utility>

#include "tests/unit/control/fake_worker.h"
#include "tests/unit/control/loopback_client.h"

namespace viaduct::control {
namespace {

using nlohmann::json;

const SocketAddress AnyPort{IpAddress::v4(0x7f000001), 0};

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "page-XXXXXX").string();
    settings.web_root = mkdtemp(pattern.data());
    std::ofstream(settings.web_root + "/index.html") << "<!doctype html>home";
    settings.page_address = settings.admin_address = AnyPort;
    settings.candidates = {{{IpAddress::v4(0xc0000201), 10000}}};
    settings.fingerprint.assign(32, 0xab);
    settings.limits.new_connections_per_second = 1000;
    worker.answer_by_itself();
  }
  ~ControlTest() override {
    stop();
    std::filesystem::remove_all(settings.web_root);
  }

  void start() {
    control.emplace(settings, std::vector<WorkerPort*>{&worker}, std::vector<const MetricSource*>{},
                    random);
    const Result<void> started = control->start();
    ASSERT_TRUE(started.ok()) << started.error().text;
    page = control->page_address();
    admin = control->admin_address();
    thread = std::thread([this] { control->run(); });
  }
  void stop() {
    if (!thread.joinable()) return;
    control->stop();
    thread.join();
  }
  // A client that has joined; its `joined` is read.
  std::unique_ptr<WebSocketClient> join(const std::string& name, int receive_buffer_bytes = 0) {
    auto client = std::make_unique<WebSocketClient>(page, "", receive_buffer_bytes);
    EXPECT_EQ(client->status(), 101);
    client->say({{"type", "join"}, {"conference", "standup"}, {"name", name}});
    EXPECT_EQ(client->hear().value("type", ""), "joined");
    return client;
  }
  // Asks until the answer is `status`; a test that asks too often has failed.
  bool answers_in_time(const std::string& path, int status) {
    for (int i = 0; i < 5000; ++i) {
      if (get(admin, path).status == status) return true;
    }
    return false;
  }
  // The value of a metric's line, asked for until it is `wanted`.
  bool metric_becomes(const std::string& name, int wanted) {
    const std::string line = "\n" + name + " " + std::to_string(wanted) + "\n";
    for (int i = 0; i < 2000; ++i) {
      if (get(admin, "/metrics").body.find(line) != std::string::npos) return true;
    }
    return false;
  }

  Settings settings;
  FakeWorker worker;
  SeededRandom random{1};
  std::optional<Control> control;
  SocketAddress page, admin;
  std::thread thread;
};

TEST_F(ControlTest, ServesThePage) {
  start();
  const Reply home = get(page, "/");
  EXPECT_EQ(home.status, 200);
  EXPECT_EQ(home.body, "<!doctype html>home");
  EXPECT_NE(home.head.find("Content-Security-Policy: default-src 'none'"), std::string::npos);
  EXPECT_EQ(get(page, "/../etc/passwd").status, 404);
  EXPECT_EQ(get(page, "/%2e%2e/%2e%2e/etc/passwd").status, 404);
  EXPECT_EQ(ask(page, "POST /").status, 405);
  EXPECT_EQ(get(page, "/metrics").status, 404);  // the admin API is not for the public
  EXPECT_EQ(control->page_url(), "http://127.0.0.1:" + std::to_string(page.port) + "/");
}

TEST_F(ControlTest, AnswersRequestAfterRequestOnOneConnection) {
  start();
  TcpClient client(page);
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const Reply head = read_reply(client, /*has_body=*/false);
  EXPECT_EQ(head.status, 200);
  EXPECT_NE(head.head.find("Content-Length: 19"), std::string::npos);
  EXPECT_EQ(read_reply(client).body, "<!doctype html>home");
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(read_reply(client).status, 200);
  EXPECT_TRUE(client.is_at_end());
}

TEST_F(ControlTest, RefusesRequestsThatAreTooLargeOrBroken) {
  start();
  EXPECT_EQ(ask(page, "POST /", "Content-Length: 1048576\r\n").status, 413);
  EXPECT_EQ(ask(page, "GET /", "X: " + std::string(20'000, 'x') + "\r\n").status, 431);
  EXPECT_EQ(ask(page, "GET / / /").status, 400);
  TcpClient client(page);
  client.send("\x16\x03\x01 not http\r\n\r\n");
  EXPECT_EQ(read_reply(client).status, 400);
  EXPECT_TRUE(client.is_at_end());
}

TEST_F(ControlTest, TakesABodyWholeThatNobodyWanted) {
  start();
  TcpClient client(page);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 32768\r\n\r\n" +
              std::string(32'768, 'x'));
  EXPECT_EQ(read_reply(client).status, 413);  // not lost to a reset
}

TEST_F(ControlTest, BoundsConnectionsOfAnAddress) {
  settings.limits.connections_per_address = 2;
  start();
  TcpClient one(page), two(page);
  one.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  two.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(read_reply(one).status, 200);
  EXPECT_EQ(read_reply(two).status, 200);
  TcpClient three(page);
  EXPECT_EQ(read_reply(three).status, 429);
  EXPECT_TRUE(metric_becomes("viaduct_refused_connections_total{reason=\"address\"}", 1));
}

TEST_F(ControlTest, BoundsConnectionsInTotal) {
  settings.limits.connections = 1;
  start();
  TcpClient one(page);
  one.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(read_reply(one).status, 200);
  TcpClient two(page);
  EXPECT_EQ(read_reply(two).status, 503);
}

TEST_F(ControlTest, BoundsSockets) {
  settings.limits.sockets = 1;
  start();
  const auto ada = join("Ada");
  EXPECT_EQ(WebSocketClient(page).status(), 503);
}

TEST_F(ControlTest, HoldsAConversation) {
  start();
  const auto ada = join("Ada");
  const auto grace = join("Grace");
  EXPECT_EQ(ada->hear()["participant"]["name"], "Grace");
  grace->say({{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_TRUE(grace->hear()["sdp"].get<std::string>().starts_with("v=0"));
  EXPECT_EQ(ada->hear("participant-changed")["participant"]["video"]["muted"], true);
  EXPECT_TRUE(metric_becomes("viaduct_join_seconds_count{phase=\"total\"}",
                             1));  // the worker's report came
  grace->say({{"type", "leave"}});
  EXPECT_EQ(grace->closing_code(), 1000);
  EXPECT_EQ(ada->hear()["type"], "participant-left");
}

TEST_F(ControlTest, RelaysAndSealsAndSaysWhoCanRead) {
  settings.ice_servers = {"stun:stun.example.org"};
  start();
  const auto ada = join("Ada");
  WebSocketClient grace(page);
  grace.say({{"type", "join"}, {"conference", "standup"}, {"name", "Grace"}, {"e2ee", true}});
  const json joined = grace.hear();
  EXPECT_EQ(joined["direct"]["ice_servers"], json::array({"stun:stun.example.org"}));
  EXPECT_EQ(ada->hear()["participant"]["e2ee"]["capable"], true);
  const std::string ada_id = joined["participants"][0]["id"];

  grace.say({{"type", "relay"}, {"to", {{ada_id, std::string(60'000, 'k')}}}});
  const json relayed = ada->hear();
  EXPECT_EQ(relayed["from"], joined["participant"]);
  EXPECT_EQ(relayed["data"], std::string(60'000, 'k'));

  grace.say({{"type", "e2ee"}, {"wanted", true}});
  EXPECT_EQ(ada->hear()["by"], joined["participant"]);
  EXPECT_EQ(grace.hear()["wanted"], true);

  grace.say({{"type", "privacy"}});
  const json report = grace.hear("privacy")["report"];
  EXPECT_EQ(report["encryption"], (json{{"wanted", true}, {"required", false}}));
  EXPECT_EQ(report["participants"].size(), 2u);
  EXPECT_EQ(report, json::parse(get(admin, "/v1/conferences/standup/privacy").body));
  EXPECT_TRUE(metric_becomes("viaduct_relayed_bytes_total{to=\"some\"}", 60'000));
}

TEST_F(ControlTest, TreatsADroppedConnectionAsLeaving) {
  start();
  const auto ada = join("Ada");
  join("Grace");  // and its socket is closed at once, without a closing frame
  EXPECT_EQ(ada->hear()["type"], "participant-joined");
  EXPECT_EQ(ada->hear()["type"], "participant-left");
}

TEST_F(ControlTest, KeepsWhoeverIsCutOffForTheirNextSocket) {
  start();
  const auto ada = join("Ada");
  auto grace = std::make_unique<WebSocketClient>(page);
  grace->say({{"type", "join"}, {"conference", "standup"}, {"name", "Grace"}});
  const json joined = grace->hear();
  grace->say({{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(ada->hear("participant-changed")["participant"]["id"], joined["participant"]);
  const json resume = {{"type", "resume"}, {"participant", joined["participant"]}, {"resume", joined["resume"]}};

  grace.reset();  // without a closing frame
  EXPECT_TRUE(metric_becomes("viaduct_participants_away", 1));
  auto second = std::make_unique<WebSocketClient>(page);
  second->say(resume);
  EXPECT_EQ(second->hear()["type"], "resumed");
  EXPECT_TRUE(metric_becomes("viaduct_participants_away", 0));

  // A socket that the client itself gives up is no goodbye either; one that is still open is closed.
  const std::string given_up = {15, static_cast<char>(0xa1)};  // 4001
  second->send_frame(WebSocketClient::Close, given_up);
  second.reset();  // a closing frame counts once the connection behind it ends
  EXPECT_TRUE(metric_becomes("viaduct_participants_away", 1));
  auto third = std::make_unique<WebSocketClient>(page);
  third->say(resume);
  EXPECT_EQ(third->hear()["type"], "resumed");
  auto fourth = std::make_unique<WebSocketClient>(page);
  fourth->say(resume);
  EXPECT_EQ(fourth->hear()["type"], "resumed");
  EXPECT_EQ(third->closing_code(), 4001);
  EXPECT_TRUE(metric_becomes("viaduct_resumes_total{outcome=\"resumed\"}", 3));

  fourth->say({{"type", "mute"}, {"kind", "audio"}, {"muted", true}});
  EXPECT_EQ(ada->hear()["type"], "participant-changed") << "and nothing was said of her going";
  fourth->send_frame(WebSocketClient::Close, std::string{3, static_cast<char>(0xe9)});  // 1001: its page goes
  EXPECT_EQ(fourth->closing_code(), 1001);
  fourth.reset();
  EXPECT_EQ(ada->hear()["type"], "participant-left");
}

TEST_F(ControlTest, RefusesPagesOfOtherOrigins) {
  settings.allowed_origins = {"https://good.example"};
  start();
  EXPECT_EQ(WebSocketClient(page, "Origin: https://evil.example\r\n").status(), 403);
  EXPECT_EQ(WebSocketClient(page, "Origin: https://good.example\r\n").status(), 101);
  EXPECT_EQ(WebSocketClient(page, "Origin: http://localhost\r\n").status(), 101);
}

TEST_F(ControlTest, ClosesSocketsThatBreakTheRules) {
  start();
  WebSocketClient binary(page);
  binary.send_frame(WebSocketClient::Binary, "{}");
  EXPECT_EQ(binary.closing_code(), 1003);
  WebSocketClient not_utf8(page);
  not_utf8.send_frame(WebSocketClient::Text, "\xff\xfe");
  EXPECT_EQ(not_utf8.closing_code(), 1007);
  WebSocketClient too_long(page);
  too_long.send_frame(WebSocketClient::Text, std::string(settings.limits.message_bytes + 1, ' '));
  EXPECT_EQ(too_long.closing_code(), 1009);
  WebSocketClient unmasked(page);
  unmasked.send_frame(WebSocketClient::Text | 0x70, "{}");  // reserved bits
  EXPECT_EQ(unmasked.closing_code(), 1002);
}

// Each leaves in one piece with its closing frame, as when a page says goodbye and goes.
TEST_F(ControlTest, ForgetsSocketsThatBothSidesCloseAtOnce) {
  start();
  const std::string goodbye = WebSocketClient::frame(WebSocketClient::Close, std::string{3, static_cast<char>(0xe8)});
  auto refused = std::make_unique<WebSocketClient>(page);
  refused->send(WebSocketClient::frame(WebSocketClient::Binary, "{}") + goodbye);
  EXPECT_EQ(refused->closing_code(), 1003);
  refused.reset();
  auto ada = join("Ada");
  ada->send(WebSocketClient::frame(WebSocketClient::Text, R"({"type":"leave"})") + goodbye);
  EXPECT_EQ(ada->closing_code(), 1000);
  ada.reset();
  EXPECT_TRUE(metric_becomes("viaduct_signalling_sockets", 0));
  EXPECT_TRUE(metric_becomes("viaduct_http_connections{listener=\"page\"}", 0));
}

// Whatever comes before the end, and however it comes.
TEST_F(ControlTest, ForgetsEverySocketWhoseClientIsGone) {
  settings.limits.messages_per_second = 20;
  start();
  std::mt19937 chance(7);
  using Client = WebSocketClient;
  const std::string last = Client::frame(Client::Close, "");
  const std::string frames[] = {Client::frame(Client::Text, R"({"type":"join","conference":"c","name":"n"})"),
                                Client::frame(Client::Text, R"({"type":"leave"})"),
                                Client::frame(Client::Text, "\xff"),
                                Client::frame(Client::Binary, "{}"),
                                Client::frame(Client::Ping, "?"),
                                Client::frame(Client::Pong, "!"),
                                last};
  for (int i = 0; i < 300; ++i) {
    WebSocketClient client(page);
    ASSERT_EQ(client.status(), 101);
    std::string piece;
    bool is_over = false;
    for (int left = std::uniform_int_distribution(0, 6)(chance); left > 0 && !is_over; --left) {
      const std::string& frame = frames[chance() % std::size(frames)];
      is_over = frame == last;
      piece += frame;
      if (chance() % 2 == 0) client.send(std::exchange(piece, ""));
    }
    client.send(piece);
    if (is_over && chance() % 2 == 0) client.closing_code();
  }
  EXPECT_TRUE(metric_becomes("viaduct_signalling_sockets", 0));
  EXPECT_TRUE(metric_becomes("viaduct_http_connections{listener=\"page\"}", 0));
}

TEST_F(ControlTest, ClosesASocketThatTalksTooFast) {
  settings.limits.messages_per_second = 5;
  start();
  WebSocketClient fast(page);
  for (int i = 0; i < 100 && fast.say({{"type", "leave?"}}); ++i) {}
  EXPECT_EQ(fast.closing_code(), 1008);
  EXPECT_TRUE(metric_becomes("viaduct_refused_messages_total{reason=\"rate\"}", 1));
}

TEST_F(ControlTest, CutsAClientThatDoesNotRead) {
  start();
  const auto ada = join("Ada");
  const auto deaf = join("Deaf", /*receive_buffer_bytes=*/4096);
  deaf->say({{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(ada->hear("participant-changed")["type"], "participant-changed");
  conference::SlotsChanged report;
  for (const conference::Command& command : worker.take_commands()) {
    if (const auto* add = std::get_if<conference::AddEndpoint>(&command))
      report.endpoint = add->endpoint->id;
  }
  report.slots.resize(100, {"mid", codec::MediaKind::Video, std::nullopt, ""});
  for (int i = 0; i < 500; ++i) worker.report(report);  // about 2.5 MB of messages
  EXPECT_EQ(ada->hear("participant-left")["type"], "participant-left");
  EXPECT_TRUE(metric_becomes("viaduct_lost_participants_total{reason=\"slow-reader\"}", 1));
}

TEST_F(ControlTest, ServesTheAdminApi) {
  start();
  EXPECT_EQ(get(admin, "/livez").status, 200);
  EXPECT_TRUE(answers_in_time("/readyz", 200));
  const auto ada = join("Ada");
  const json list = json::parse(get(admin, "/v1/conferences").body);
  EXPECT_EQ(list["conferences"][0]["name"], "standup");
  EXPECT_EQ(json::parse(get(admin, "/v1/conferences/standup").body)["endpoints"][0]["state"],
            "joining");
  EXPECT_EQ(get(admin, "/v1/signal").status, 404);
  EXPECT_EQ(WebSocketClient(admin).status(), 404);
}

TEST_F(ControlTest, TellsEverybodyWhenItStops) {
  start();
  const auto ada = join("Ada");
  control->stop();
  control->stop();
  EXPECT_EQ(ada->hear("error")["code"], "shutting-down");
  EXPECT_EQ(ada->closing_code(), 1001);
  thread.join();
  size_t stops = 0;
  for (const conference::Command& c : worker.take_commands())
    stops += std::holds_alternative<conference::Stop>(c);
  EXPECT_EQ(stops, 1u);
}

TEST_F(ControlTest, NamesAddressAndOptionWhenAPortIsTaken) {
  start();
  Settings same = settings;
  same.page_address = page;
  Control second(same, {&worker}, {}, random);
  const Result<void> started = second.start();
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.error().text.find(page.to_string()), std::string::npos) << started.error().text;
  EXPECT_NE(started.error().text.find("page-address"), std::string::npos);
}

TEST_F(ControlTest, SaysWhichFileItCannotUse) {
  settings.page_tls = {TlsMode::Files, "/nowhere/cert.pem", "/nowhere/key.pem"};
  Control no_certificate(settings, {&worker}, {}, random);
  const Result<void> started = no_certificate.start();
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.error().text.find("tls-certificate '/nowhere/cert.pem'"), std::string::npos)
      << started.error().text;
}

// One request over TLS, without checking whose certificate it is.
std::string get_over_tls(const SocketAddress& to, const std::string& request) {
  TcpClient tcp(to);
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), SSL_free);
  SSL_set_fd(tls.get(), tcp.fd());
  if (SSL_connect(tls.get()) != 1) return "no handshake";
  SSL_write(tls.get(), request.data(), static_cast<int>(request.size()));
  std::string reply;
  char chunk[4096];
  for (int n = 0; reply.find("home") == std::string::npos &&
                  (n = SSL_read(tls.get(), chunk, sizeof chunk)) > 0;) {
    reply.append(chunk, static_cast<size_t>(n));
  }
  return reply;
}

TEST_F(ControlTest, ServesThePageOverTlsWithACertificateOfItsOwn) {
  settings.page_tls.mode = TlsMode::Ephemeral;
  settings.public_name = "meet.example";
  start();
  const std::string reply = get_over_tls(page, "GET / HTTP/1.1\r\nHost: meet.example\r\n\r\n");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200")) << reply;
  EXPECT_NE(reply.find("wss://meet.example"), std::string::npos);
  EXPECT_TRUE(control->page_url().starts_with("https://meet.example:"));
}

}  // namespace
}  // namespace viaduct::control
