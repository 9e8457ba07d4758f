#include "control/admin.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/control/fake_worker.h"

namespace viaduct::control {
namespace {

using conference::EndpointId;
using nlohmann::json;

constexpr Timestamp Start{1h};

class AdminTest : public testing::Test {
 protected:
  AdminTest() {
    workers.emplace_back(port);
    settings.candidates.push_back({});
    rooms.handle_opened(1, now);
    rooms.handle_message(1, R"({"type":"join","conference":"stand up","name":"Ada"})", now, 0s);
    rooms.handle_opened(2, now);
    rooms.handle_message(2, R"({"type":"join","conference":"stand up","name":"Grace"})", now, 0s);
    room = rooms.views().at(0);
  }
  // A snapshot in which Ada has media and Grace has none yet.
  conference::WorkerSnapshot snapshot() const {
    conference::EndpointSnapshot ada;
    ada.id = room.people[0].endpoint;
    ada.state = "connected";
    ada.remote_address = "192.0.2.7:5000";
    ada.dtls_version = "DTLSv1.2";
    ada.srtp_profile = "AEAD_AES_128_GCM";
    ada.remote_fingerprint = "sha-256 AB:CD";
    ada.sources.push_back({.kind = codec::MediaKind::Audio,
                           .mid = "0",
                           .codec = {},
                           .rate = {64'000},
                           .declared_e2ee = true,
                           .observed = conference::ObservedBodies::Plain,
                           .held_back = conference::HeldBack::Contradicted,
                           .encodings = {{.rid = "q", .ssrc = 7, .rate = {64'000}}}});
    ada.slots.push_back({.kind = codec::MediaKind::Video,
                         .mid = "1",
                         .ssrc = 9,
                         .carries = room.people[1].endpoint,
                         .rate = {},
                         .layer = conference::LayerInfo{.layer = {1, {0, 2}}, .height = 360, .rate = {400'000}},
                         .paused = true});
    ada.available = DataRate::kbps(700);
    ada.wanted = DataRate::kbps(2000);
    return {0, {{room.number, room.name, ada.id, {codec::CodecType::Vp8}, {ada}}}};
  }
  HttpResponse ask(const std::string& target, const std::string& method = "GET") {
    std::optional<HttpResponse> answer;
    admin.handle({.method = method, .target = target},
                 [&](HttpResponse response) { answer = std::move(response); });
    for (conference::Command& command : port.take_commands()) {
      const auto* take = std::get_if<conference::TakeSnapshot>(&command);
      if (take && worker_answers) snapshots.handle({take->request, snapshot()});
    }
    now += 2s;
    snapshots.handle_timers(now);
    return answer.value_or(HttpResponse{.status = 0});
  }

  Settings settings;
  SeededRandom random{1};
  ControlMetrics metrics;
  TokenVerifier tokens = *TokenVerifier::create({});
  FakeWorker port;
  std::vector<WorkerLink> workers;
  Timestamp now = Start;
  Rooms rooms{settings, tokens, workers, random, metrics};
  SnapshotGatherer snapshots{workers};
  Admin admin{rooms, snapshots, {&metrics}, [this] { return now; }};
  RoomView room;
  bool worker_answers = true;
};

TEST_F(AdminTest, IsReadyOnlyWhenToldSo) {
  EXPECT_EQ(ask("/livez").status, 200u);
  EXPECT_EQ(ask("/readyz").status, 503u);
  admin.set_unready("");
  EXPECT_EQ(ask("/readyz").status, 200u);
  admin.set_unready("draining");
  EXPECT_EQ(*ask("/readyz").body, "draining\n");
}

TEST_F(AdminTest, ListsConferences) {
  const HttpResponse response = ask("/v1/conferences");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.content_type, "application/json");
  const json list = json::parse(*response.body);
  ASSERT_EQ(list["conferences"].size(), 1u);
  const json& one = list["conferences"][0];
  EXPECT_EQ(one["name"], "stand up");
  EXPECT_EQ(one["participants"], 2);
  EXPECT_EQ(one["speaker"], room.people[0].id);
  EXPECT_EQ(one["video_codecs"], json::array({"VP8"}));
  EXPECT_EQ(one["endpoints"].size(), 2u);
  EXPECT_EQ(one, json::parse(*ask("/v1/conferences/" + room.id).body));
}

TEST_F(AdminTest, ShowsAConferenceByNameByIdAndByParticipant) {
  for (const std::string& key : {std::string("stand%20up"), room.id, room.people[1].id}) {
    const HttpResponse response = ask("/v1/conferences/" + key);
    ASSERT_EQ(response.status, 200u) << key;
    const json one = json::parse(*response.body);
    ASSERT_EQ(one["endpoints"].size(), 2u);
    const json& ada = one["endpoints"][0];
    EXPECT_EQ(ada["id"], room.people[0].id);
    EXPECT_EQ(ada["remote_address"], "192.0.2.7:5000");
    EXPECT_EQ(ada["encryption"]["dtls_version"], "DTLSv1.2");
    EXPECT_EQ(ada["encryption"]["srtp_profile"], "AEAD_AES_128_GCM");
    EXPECT_EQ(ada["encryption"]["remote_fingerprint"], "sha-256 AB:CD");
    EXPECT_EQ(ada["sources"][0]["bits_per_second"], 64'000);
    EXPECT_EQ(ada["sources"][0]["codec"], nullptr);
    EXPECT_EQ(ada["slots"][0]["participant"], room.people[1].id);
    EXPECT_EQ(one["endpoints"][1],
              (json{{"id", room.people[1].id}, {"name", "Grace"}, {"state", "joining"}}));
  }
}

TEST_F(AdminTest, ShowsWhatIsDecidedDeclaredAndObserved) {
  rooms.handle_message(1, R"({"type":"e2ee","wanted":true})", now, 0s);
  rooms.handle_message(1, R"({"type":"declare","e2ee":true})", now, 0s);
  rooms.handle_message(1, R"({"type":"direct","active":true})", now, 0s);
  const json one = json::parse(*ask("/v1/conferences/" + room.id).body);
  EXPECT_EQ(one["e2ee"], (json{{"wanted", true}, {"required", false}}));
  const json& ada = one["endpoints"][0];
  EXPECT_EQ(ada["e2ee"], (json{{"capable", false}, {"declared", true}, {"verdict", "undecided"}}));
  EXPECT_EQ(ada["direct"], true);
  EXPECT_EQ(ada["sources"][0]["declared_e2ee"], true);
  EXPECT_EQ(ada["sources"][0]["observed"], "plain");
  EXPECT_EQ(ada["sources"][0]["held_back"], "contradicted");
}

TEST_F(AdminTest, ShowsLayersAndWhatNetworksHaveRoomFor) {
  const json ada = json::parse(*ask("/v1/conferences/" + room.id).body)["endpoints"][0];
  EXPECT_EQ(ada["available_bits_per_second"], 700'000);
  EXPECT_EQ(ada["wanted_bits_per_second"], 2'000'000);
  EXPECT_EQ(ada["slots"][0]["paused"], true);
  EXPECT_EQ(ada["slots"][0]["layer"], (json{{"encoding", 1},
                                            {"spatial", 0},
                                            {"temporal", 2},
                                            {"height", 360},
                                            {"frame_rate", nullptr},
                                            {"bits_per_second", 400'000}}));
  EXPECT_EQ(ada["sources"][0]["content"], nullptr) << "sound";
  EXPECT_EQ(ada["sources"][0]["layers"], json::array());
}

TEST_F(AdminTest, SaysWhoCanReadAConferenceFoundByNameByIdAndByParticipant) {
  for (const std::string& key : {std::string("stand%20up"), room.id, room.people[1].id}) {
    const HttpResponse response = ask("/v1/conferences/" + key + "/privacy");
    ASSERT_EQ(response.status, 200u) << key;
    EXPECT_EQ(response.content_type, "application/json");
    const json report = json::parse(*response.body);
    EXPECT_EQ(report["conference"], "stand up");
    EXPECT_EQ(report["bridge"]["can_decrypt"], true);
    ASSERT_EQ(report["participants"].size(), 2u);
    EXPECT_EQ(report["participants"][0]["hop"]["participant_fingerprint"], "sha-256 AB:CD");
    EXPECT_EQ(report["participants"][0]["sends"][0]["verdict"], "contradicted");
    EXPECT_EQ(report["participants"][1]["path"], "none");
  }
  EXPECT_EQ(ask("/v1/conferences/nobody/privacy").status, 404u);
  EXPECT_EQ(ask("/v1/conferences//privacy").status, 404u);
  EXPECT_EQ(ask("/v1/conferences/stand%20up%2Fprivacy").status, 404u);  // another name
  worker_answers = false;
  EXPECT_EQ(ask("/v1/conferences/" + room.id + "/privacy").status, 504u);
}

TEST_F(AdminTest, SaysSoWhenAWorkerDoesNotAnswer) {
  worker_answers = false;
  EXPECT_EQ(ask("/v1/conferences").status, 504u);
  port.set_full(true);
  EXPECT_EQ(ask("/v1/conferences").status, 503u);
}

TEST_F(AdminTest, RefusesMethodsAndPathsItDoesNotKnow) {
  EXPECT_EQ(ask("/v1/conferences/nobody").status, 404u);
  EXPECT_EQ(ask("/v1/conferences/%zz").status, 404u);
  EXPECT_EQ(ask("/nowhere").status, 404u);
  EXPECT_EQ(ask("/metrics", "POST").status, 405u);
  EXPECT_EQ(ask("/v1/conferences", "DELETE").status, 405u);
  EXPECT_TRUE(json::parse(*ask("/nowhere").body).contains("error"));
}

TEST_F(AdminTest, ShowsMetrics) {
  const HttpResponse response = ask("/metrics");
  EXPECT_TRUE(response.content_type.starts_with("text/plain; version=0.0.4"));
  EXPECT_NE(response.body->find("viaduct_participants 2"), std::string::npos);
}

TEST(SnapshotGatherer, WaitsForAllWorkersAndForABoundedNumberOfQuestions) {
  std::deque<FakeWorker> ports(2);
  std::vector<WorkerLink> workers;
  for (FakeWorker& port : ports) workers.emplace_back(port);
  SnapshotGatherer gatherer(workers);
  size_t answers = 0, late = 0;
  const auto done = [&](const auto& result) { ++(result ? answers : late); };
  ASSERT_TRUE(gatherer.start({0, 1}, Start, done));
  gatherer.handle({1, {}});
  EXPECT_EQ(answers, 0u);
  gatherer.handle({99, {}});
  gatherer.handle({1, {}});
  EXPECT_EQ(answers, 1u);
  gatherer.handle({1, {}});  // once is enough
  EXPECT_EQ(answers, 1u);

  for (size_t i = 0; i < SnapshotGatherer::MaxInFlight; ++i)
    ASSERT_TRUE(gatherer.start({0}, Start, done));
  EXPECT_FALSE(gatherer.start({0}, Start, done));
  gatherer.handle_timers(Start + SnapshotGatherer::Timeout);
  EXPECT_EQ(late, SnapshotGatherer::MaxInFlight);
  EXPECT_TRUE(gatherer.start({}, Start, done));
  EXPECT_EQ(answers, 2u);
}

TEST(Percent, IsUndoneOrRefused) {
  EXPECT_EQ(decode_percent("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(decode_percent("plain"), "plain");
  for (const char* bad : {"%", "%2", "%2g", "a%"})
    EXPECT_EQ(decode_percent(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace viaduct::control
