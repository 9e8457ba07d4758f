#include "tests/packets/path_fixture.h"

#include <algorithm>
#include <cstring>

#include "protocol/rtcp/transport_feedback.h"
#include "protocol/stun/message_writer.h"

namespace viaduct::testing {

Result<edge::KeySlot> StagedCipher::add_key(const srtp::SrtpKeys& key) {
  auto slot = inner_.add_key(key);
  if (slot) keys.insert(slot->value);
  return slot;
}

void StagedCipher::remove_key(edge::KeySlot slot) {
  keys.erase(slot.value);
  inner_.remove_key(slot);
}

void StagedCipher::submit(edge::CipherBatch* batch) {
  jobs += batch->jobs.size();
  submitted_.push_back(batch);
}

edge::CipherBatch* StagedCipher::poll() {
  if (held || submitted_.empty()) return nullptr;
  edge::CipherBatch* batch = submitted_.front();
  submitted_.pop_front();
  inner_.submit(batch);
  inner_.poll();
  if (failing) {
    for (edge::CipherJob& job : batch->jobs) job.verdict = edge::Verdict::AuthFailed;
  }
  return batch;
}

size_t TightIo::receive(std::span<Packet> into, Timestamp now) {
  const size_t count = inner_.receive(into, now);
  if (!tight) return count;
  for (Packet& packet : into.first(count)) {
    const uint32_t at_the_end = packet.buffer_bytes - packet.length;
    std::memmove(packet.buffer + at_the_end, packet.buffer + packet.offset, packet.length);
    packet.offset = at_the_end;
  }
  return count;
}

PathFixture::PathFixture()
    : path({io, opener, sealer, port, *this, constant_}, ntp,
           {codec::CodecType::Vp8, codec::CodecType::H264}, counters) {
  path.connect_mix(*mix_port);
}

void PathFixture::TearDown() {
  opener.held = sealer.held = false;
  give_packets_back();
  for (const auto& client : clients) path.remove(client->id());
  for (int i = 0; i < 3; ++i) {
    now_ += 10ms;
    path.turn(now_);
  }
  EXPECT_EQ(io.free_packets(), io.pool_size()) << "a packet buffer is lost";
  EXPECT_TRUE(opener.keys.empty() && sealer.keys.empty()) << "a key outlived its client";
}

TestClient& PathFixture::add(TestClient::Options options) {
  clients.push_back(std::make_unique<TestClient>(std::move(options), bridge, random_, now_));
  TestClient& client = *clients.back();
  network.attach(client.address);
  path.add(client.describe(), now_);
  return client;
}

TestClient& PathFixture::join(TestClient::Options options) {
  TestClient& client = add(std::move(options));
  run_for(20ms);
  EXPECT_TRUE(client.ice.connected() && client.srtp);
  return client;
}

TestClient& PathFixture::join_sender(TestClient::Options options, FirstNumbers first) {
  TestClient& client = join(std::move(options));
  send(client, client.mic(first.mic));
  send(client, client.cam(first.cam));
  run_for(20ms);
  forget_received();
  return client;
}

void PathFixture::leave(TestClient& client) {
  path.remove(client.id());
  client.checks = false;
}

void PathFixture::send(const SocketAddress& from, Bytes datagram) {
  network.attach(from);
  network.send(from, bridge, datagram, now_);
}

std::vector<uint8_t> PathFixture::protect(TestClient& client, const Rtp& packet) {
  return client.srtp->protect_rtp(write_rtp(packet, client.options.extensions));
}

void PathFixture::send_check(const SocketAddress& from, const Check& check) {
  uint8_t space[600];
  const uint64_t tie_breaker = 1;
  stun::BindingRequest request{.username = check.username,
                               .password = check.password,
                               .priority = 1,
                               .use_candidate = check.use_candidate};
  (check.controlled ? request.controlled : request.controlling) = tie_breaker;
  send(from, Bytes(space).first(stun::write_binding_request(space, request)));
}

void PathFixture::report_arrivals(TestClient& receiver, const std::vector<ReceivedRtp>& arrived) {
  const uint8_t id = receiver.options.slot_extensions.id(rtp::ExtensionType::TransportSequence);
  rtcp::TransportFeedbackBuilder arrivals;
  for (const ReceivedRtp& packet : arrived)
    arrivals.on_packet(rtp::read_transport_sequence(packet.extension(id)).value(), now_);
  uint8_t space[1200];
  const size_t bytes = arrivals.write(space, receiver.ssrc(1), receiver.ssrc(1), now_);
  send(receiver, receiver.srtp->protect_rtcp({space, bytes}));
  turn();
}

void PathFixture::turn() {
  path.turn(now_);
  if (!handshakes_stalled) play_handshake_thread();
  for (const auto& client : clients) collect(*client);
  for (auto& report : path.take_reports()) reports.push_back(std::move(report));
}

void PathFixture::run_for(Duration time) {
  for (const Timestamp end = now_ + time; now_ < end;) {
    for (const auto& client : clients) {
      if (!client->checks) continue;
      client->ice.handle_timeout(now_);
      for (std::vector<uint8_t> out; client->ice.poll_output(&out);) send(*client, out);
    }
    turn();
    now_ += std::min<Duration>(10ms, end - now_);
  }
  turn();
}

void PathFixture::collect(TestClient& client) {
  for (const Datagram& d : network.receive(client.address, now_))
    client.handle(d.bytes, d.from, now_);
}

void PathFixture::play_handshake_thread() {
  while (auto request = port.take_request()) {
    if (const auto* open = std::get_if<path::OpenSession>(&*request)) {
      if (gives_keys) give_keys(*open);
    } else {
      requests.push_back(std::move(*request));
    }
  }
}

// The client is known by the fingerprint that it announced; so are its keys.
void PathFixture::give_keys(const path::OpenSession& open) {
  const auto owner = std::ranges::find_if(clients, [&](const auto& c) {
    return open.expected.digest == pattern(32, c->options.number);
  });
  ASSERT_NE(owner, clients.end());
  TestClient& client = **owner;
  handles[client.options.number] = open.endpoint;
  srtp::SecretBytes<dtls::KeyingMaterial::MaxBytes> secret;
  std::ranges::copy(pattern(secret.size(), 1000 + client.options.number), secret.data());
  dtls::KeyingMaterial keys(client.options.profile, false, std::move(secret));
  client.srtp = std::make_unique<SrtpSession>(keys.remote(), keys.local());
  dtls::SessionInfo info{
      .version = "DTLSv1.2", .cipher = "none", .group = "none", .profile = client.options.profile};
  ASSERT_TRUE(port.reply(path::SessionConnected{open.endpoint, std::move(keys), std::move(info)}));
}

conference::EndpointSnapshot PathFixture::snapshot_of(const TestClient& client) {
  for (const auto& conference : path.snapshot(0, {}, now_).conferences) {
    for (const auto& endpoint : conference.endpoints) {
      if (endpoint.id == client.id()) return endpoint;
    }
  }
  return {};
}

std::vector<std::string> PathFixture::dropped() const {
  std::vector<std::string> names;
  for (size_t d = 1; d < path::Drops; ++d) {
    if (counters.drops[d].value() > 0) names.emplace_back(path::DropNames[d].reason);
  }
  return names;
}

void PathFixture::forget_received() {
  for (const auto& client : clients) client->forget_received();
}

void PathFixture::leave_free(size_t count) {
  while (io.free_packets() > count) {
    withheld_.emplace_back();
    io.allocate({&withheld_.back(), 1});
  }
}

void PathFixture::give_packets_back() {
  io.release(withheld_);
  withheld_.clear();
}

}  // namespace viaduct::testing
