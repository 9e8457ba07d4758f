#include "tests/sim/simulated_bridge.h"

#include <algorithm>

#include "kernels/cpu_audio.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/virtual_gettimeofday.h"

namespace viaduct::testing {

Result<edge::KeySlot> WatchedCipher::add_key(const srtp::SrtpKeys& keys) {
  const Unwatched edge;
  auto slot = inner_->add_key(keys);
  if (slot) key_number_[slot->value] = next_key_++;
  return slot;
}

void WatchedCipher::submit(edge::CipherBatch* batch) {
  const Unwatched edge;
  if (direction_ == edge::Direction::Protect) {
    for (const edge::CipherJob& job : batch->jobs) {
      if (!used_.emplace(key_number_[job.slot.value], job.rtcp, job.ssrc, job.index).second)
        ++reused_;
    }
  }
  late_.emplace_back(delay_, batch);
}

edge::CipherBatch* WatchedCipher::poll() {
  const Unwatched edge;
  if (!late_.empty() && late_.front().first-- <= 0) {
    inner_->submit(late_.front().second);
    late_.erase(late_.begin());
  }
  return inner_->poll();
}

Simulation::Simulation(const Options& options)
    : random_(options.seed),
      network_(options.seed + 1),
      certificate_(*dtls::Certificate::make(random_, 1'700'000'000s)),
      client_certificate_(*dtls::Certificate::make(random_, 1'700'000'000s)),
      service_(*dtls::Context::make(certificate_)),
      between_turns_(options.between_turns),
      mixes_(kernels::make_cpu_audio(), options.mix_voices, [] { return Duration{}; }) {
  set_virtual_time(now_);
  std::vector<edge::PacketIo*> ios;
  for (uint32_t i = 0; i < options.workers; ++i) {
    workers_.push_back(std::make_unique<SimulatedWorker>(
        i, address_of(i), network_, options.pool_packets, options.cipher_delay, options.make_cipher, *this, random_,
        options.video_preference));
    service_.serve(workers_.back()->port);
    mixes_.serve(*workers_.back()->mix_port);
    ios.push_back(&workers_.back()->io);
  }
  relay_.emplace(std::move(*path::RelayMesh::open(options.workers)));
  for (uint32_t i = 0; i < options.workers; ++i)
    workers_[i]->path.connect_relay(i, relay_->links_of(i, ios));
  network_.add_tap([this](const Datagram& d) { watch(d); });
}

FakeClient::Options Simulation::client_options(uint32_t number) {
  FakeClient::Options o;
  o.number = number;
  o.address = {IpAddress::v4(0x0a000100 + number), static_cast<uint16_t>(40000 + number)};
  return o;
}

FakeClient& Simulation::join(FakeClient::Options options, uint64_t conference, uint32_t worker) {
  clients_.push_back(std::make_unique<FakeClient>(options, network_, client_certificate_, random_));
  FakeClient& client = *clients_.back();
  const conference::E2eePolicy policy = conference == 1 ? e2ee_ : conference::E2eePolicy{};
  client.set_sealed(policy.sealed());
  const auto add = [&](uint32_t to, std::unique_ptr<conference::EndpointDescription> endpoint) {
    workers_[to]->path.add(
        {conference::ConferenceId{conference}, "room", std::move(endpoint), policy}, now_);
  };
  const auto relay = [&](uint32_t to, const Member& member) {
    add(to, std::make_unique<conference::EndpointDescription>(
                relayed_description(member.relayed, member.worker)));
  };
  auto description = client.describe(id_of(client));
  const Member joining{conference, worker, relayed_description(*description, worker)};
  std::set<uint32_t> others;
  bool first = true;
  for (const auto& [number, m] : members_) {
    if (m.conference != conference) continue;
    if (m.worker == worker) {
      first = false;
    } else {
      others.insert(m.worker);
    }
  }
  for (const auto& [number, m] : members_) {
    if (first && m.conference == conference) relay(worker, m);
  }
  add(worker, std::move(description));
  for (const uint32_t other : others) relay(other, joining);
  members_[client.number()] =
      Member{conference, worker, relayed_description(joining.relayed, worker)};
  client.connect(address_of(worker), certificate_.fingerprint(), now_);
  return client;
}

// As control does it: each other worker of the conference forgets the client, and a worker without
// clients of the conference all of it.
void Simulation::leave(FakeClient& client) {
  const auto found = members_.find(client.number());
  client.vanish();
  if (found == members_.end()) return;
  const auto conference = found->second.conference;
  const auto worker = found->second.worker;
  members_.erase(found);
  for (const auto& w : workers_) w->path.remove(id_of(client));
  const bool is_needed = std::ranges::any_of(members_, [&](const auto& entry) {
    return entry.second.conference == conference && entry.second.worker == worker;
  });
  if (is_needed) return;
  for (const auto& [number, m] : members_) {
    if (m.conference == conference)
      workers_[worker]->path.remove(conference::EndpointId{1000 + number});
  }
}

void Simulation::set_muted(const FakeClient& client, codec::MediaKind kind, bool muted) {
  for (const auto& w : workers_) w->path.set_muted({id_of(client), kind, muted});
}

void Simulation::set_e2ee(const conference::E2eePolicy& policy) {
  e2ee_ = policy;
  for (const auto& w : workers_)
    w->path.set_e2ee_policy({conference::ConferenceId{1}, policy});
  for (const auto& c : clients_) c->set_sealed(policy.sealed());
}

void Simulation::run_for(Duration time) {
  for (const Timestamp end = now_ + time; now_ < end;) step();
}

void Simulation::step() {
  Timestamp next = now_ + 10ms;
  next = std::min({next, network_.next_delivery(), service_.next_deadline(),
                   mixes_.next_deadline()});
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (held_up_ != i) next = std::min(next, workers_[i]->path.next_deadline());
  }
  for (const auto& c : clients_) next = std::min(next, c->next_deadline());
  now_ = std::max(next, now_ + 100us);
  set_virtual_time(now_);

  for (const auto& c : clients_) c->turn(now_);
  turn_paths();
  service_.turn(now_);
  mixes_.turn(now_);
  turn_paths();
  for (const auto& w : workers_) {
    for (auto& r : w->path.take_reports()) reports_.push_back(std::move(r));
  }
}

void Simulation::turn_paths() {
  between_turns_();
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (held_up_ == i) continue;
    const Watched path;
    workers_[i]->path.turn(now_);
    ++turns_;
  }
}

void Simulation::watch(const Datagram& d) {
  const auto is_ours = [&](const SocketAddress& a) {
    return a.ip == address.ip && a.port >= address.port &&
           a.port < address.port + workers_.size();
  };
  if (is_ours(d.to)) {
    if (!d.bytes.empty() && d.bytes[0] < 4) stun_senders_.insert(d.from.to_string());
  } else if (is_ours(d.from) && !stun_senders_.contains(d.to.to_string())) {
    faults_.push_back("the bridge sent to " + d.to.to_string() + ", which never sent STUN");
  }
}

std::vector<std::string> Simulation::faults() const {
  std::vector<std::string> all = faults_;
  for (const auto& c : clients_) std::ranges::copy(c->faults(), std::back_inserter(all));
  for (const auto& w : workers_) {
    if (w->sealer.reused_key_streams() > 0) all.push_back("a key stream was used twice");
  }
  return all;
}

bool Simulation::all_packets_returned() {
  for (const auto& c : clients_) leave(*c);
  run_for(200ms);
  return std::ranges::all_of(
      workers_, [](const auto& w) { return w->io.free_packets() == w->io.pool_size(); });
}

}  // namespace viaduct::testing
