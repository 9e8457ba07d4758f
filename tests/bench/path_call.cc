#include "tests/bench/path_call.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "protocol/srtp/srtcp.h"

namespace viaduct::testing {
namespace {

constexpr uint16_t PacketsPerFrame = 10;
constexpr size_t RtpOverhead = 12 + 16 + 16;  // header, descriptor and frame header, tag
constexpr Duration ConsentInterval = 5s;

}  // namespace

MemoryIo::MemoryIo(size_t pool_packets)
    : pool_(std::move(edge::PacketPool::open(pool_packets).value())) {}

size_t MemoryIo::receive(std::span<Packet> into, Timestamp now) {
  const size_t wanted = std::min({into.size(), most, arriving.size() - next});
  const size_t count = pool_->allocate(into.first(wanted));
  for (Packet& packet : into.first(count)) {
    const Arrival& arrival = arriving[next++];
    packet.length = static_cast<uint32_t>(arrival.bytes.size());
    packet.peer = arrival.from;
    packet.arrival = now;
    std::memcpy(packet.bytes().data(), arrival.bytes.data(), arrival.bytes.size());
  }
  return count;
}

void MemoryIo::send(std::span<const Packet> packets) {
  packets_sent += packets.size();
  if (keeps_sent) {
    for (const Packet& p : packets)
      sent.push_back({p.peer, {p.bytes().begin(), p.bytes().end()}});
  }
  pool_->release(packets);
}

PathCall::PathCall(CallIo& io, edge::BatchCipher& opener, edge::BatchCipher& sealer,
                   std::optional<srtp::SrtpProfile> profile, size_t receivers)
    : profile_(profile),
      io_(io),
      path_({io_, opener, sealer, port_, *this, random_}, NtpClock{Timestamp{}, 1'700'000'000s},
            {codec::CodecType::Vp8}, counters_) {
  TestClient& sender = join(TestClient::like_chromium(1));
  for (size_t i = 0; i < receivers; ++i)
    join(TestClient::listener(static_cast<uint32_t>(2 + i)));
  run_for(200ms);
  for (const auto& client : clients_) CHECK(client->srtp != nullptr);
  for (const bool key_frame : {false, true}) {  // slots carry the source from its first packet on
    io_.arriving = {{sender.address, seal(sender, sender.cam(sequence_++, key_frame))}};
    io_.next = 0;
    run_for(20ms);
  }
  io_.keeps_sent = false;
}

TestClient& PathCall::join(TestClient::Options options) {
  if (profile_) options.profile = *profile_;
  clients_.push_back(std::make_unique<TestClient>(std::move(options), Bridge, random_, now_));
  path_.add(clients_.back()->describe(), now_);
  return *clients_.back();
}

std::vector<uint8_t> PathCall::seal(TestClient& sender, const Rtp& packet) {
  std::vector<uint8_t> bytes = write_rtp(packet, sender.options.extensions);
  if (profile_) return sender.srtp->protect_rtp(bytes);
  bytes.resize(bytes.size() + srtp::srtp_trailer_bytes(sender.options.profile));
  return bytes;
}

void PathCall::prepare(size_t packets, size_t bytes) {
  if (clients_.front()->ice.next_deadline() <= now_ + ConsentInterval) {
    io_.keeps_sent = true;
    run_for(200ms);
    io_.keeps_sent = false;
  }
  TestClient& sender = *clients_.front();
  io_.arriving.clear();
  io_.next = 0;
  for (size_t i = 0; i < packets; ++i) {
    const uint16_t number = sequence_++;
    Rtp packet = sender.cam(number);
    packet.payload = write_vp8({.picture_id = static_cast<uint16_t>(number / PacketsPerFrame),
                                .tl0 = static_cast<uint8_t>(number / PacketsPerFrame),
                                .body_bytes = bytes - RtpOverhead});
    packet.timestamp = number / PacketsPerFrame * 3000u;
    packet.marker = number % PacketsPerFrame == PacketsPerFrame - 1;
    io_.arriving.push_back({sender.address, seal(sender, packet)});
  }
}

void PathCall::turn(size_t packets) {
  io_.most = packets;
  path_.turn(now_);
  now_ += 1ms;
}

std::string PathCall::drops() const {
  std::string all;
  for (size_t i = 1; i < path::Drops; ++i) {
    if (const uint64_t n = counters_.drops[i].value(); n > 0)
      all += std::string(" ") + path::DropNames[i].reason + " " + std::to_string(n);
  }
  return all;
}

void PathCall::run_for(Duration time) {
  io_.most = limits::RxBatchPackets;
  for (const Timestamp end = now_ + time; now_ < end; now_ += 10ms) {
    for (const auto& client : clients_) {
      client->ice.handle_timeout(now_);
      for (std::vector<uint8_t> out; client->ice.poll_output(&out);)
        io_.arriving.push_back({client->address, out});
    }
    do {
      path_.turn(now_);
      play_handshake_thread();
    } while (has_arrivals());
    deliver_sent();
    path_.take_reports();
  }
}

void PathCall::deliver_sent() {
  for (const CallIo::Arrival& datagram : std::exchange(io_.sent, {})) {
    const auto to = std::ranges::find(clients_, datagram.from, [](const auto& c) { return c->address; });
    CHECK(to != clients_.end());
    (*to)->handle(datagram.bytes, Bridge, now_);
    (*to)->forget_received();
  }
}

// Gives whoever has answered ICE the keys that its number names.
void PathCall::play_handshake_thread() {
  while (auto request = port_.take_request()) {
    const auto* open = std::get_if<path::OpenSession>(&*request);
    if (!open) continue;
    const auto owner = std::ranges::find_if(clients_, [&](const auto& c) {
      return open->expected.digest == pattern(32, c->options.number);
    });
    CHECK(owner != clients_.end());
    TestClient& client = **owner;
    srtp::SecretBytes<dtls::KeyingMaterial::MaxBytes> secret;
    std::ranges::copy(pattern(secret.size(), 1000 + client.options.number), secret.data());
    dtls::KeyingMaterial keys(client.options.profile, false, std::move(secret));
    client.srtp = std::make_unique<SrtpSession>(keys.remote(), keys.local());
    CHECK(port_.reply(path::SessionConnected{
        open->endpoint, std::move(keys),
        {.version = "DTLSv1.2", .cipher = "none", .group = "none", .profile = client.options.profile}}));
  }
}

}  // namespace viaduct::testing
