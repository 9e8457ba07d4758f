#include "tests/sim/simulated_bridge.h"

#include <algorithm>

#include "tests/support/virtual_gettimeofday.h"

namespace viaduct::testing {

Result<edge::KeySlot> WatchedCipher::add_key(const srtp::SrtpKeys& keys) {
  auto slot = inner_.add_key(keys);
  if (slot) key_number_[slot->value] = next_key_++;
  return slot;
}

void WatchedCipher::submit(edge::CipherBatch* batch) {
  if (direction_ == edge::Direction::Protect) {
    for (const edge::CipherJob& job : batch->jobs) {
      if (!used_.emplace(key_number_[job.slot.value], job.rtcp, job.ssrc, job.index).second)
        ++reused_;
    }
  }
  late_.emplace_back(delay_, batch);
}

edge::CipherBatch* WatchedCipher::poll() {
  if (late_.empty()) return nullptr;
  if (late_.front().first > 0) {
    --late_.front().first;
    return nullptr;
  }
  inner_.submit(late_.front().second);
  late_.erase(late_.begin());
  return inner_.poll();
}

Simulation::Simulation(const Options& options)
    : random_(options.seed),
      network_(options.seed + 1),
      io_(network_, {address}, options.pool_packets),
      opener_(edge::Direction::Unprotect, options.cipher_delay),
      sealer_(edge::Direction::Protect, options.cipher_delay),
      certificate_(*dtls::Certificate::make(random_, 1'700'000'000s)),
      client_certificate_(*dtls::Certificate::make(random_, 1'700'000'000s)),
      service_(*dtls::Context::make(certificate_)),
      path_({io_, opener_, sealer_, port_, *this, random_}, NtpClock(Timestamp{}, 1'700'000'000s),
            options.video_preference, counters_) {
  set_virtual_time(now_);
  service_.serve(port_);
  network_.add_tap([this](const Datagram& d) { watch(d); });
}

FakeClient::Options Simulation::client_options(uint32_t number) {
  FakeClient::Options o;
  o.number = number;
  o.address = {IpAddress::v4(0x0a000100 + number), static_cast<uint16_t>(40000 + number)};
  return o;
}

FakeClient& Simulation::join(FakeClient::Options options, uint64_t conference) {
  clients_.push_back(std::make_unique<FakeClient>(options, network_, client_certificate_, random_));
  FakeClient& client = *clients_.back();
  conference::AddEndpoint command{conference::ConferenceId{conference}, "room",
                                  client.describe(id_of(client))};
  if (conference == 1) {
    command.e2ee = e2ee_;
    client.set_sealed(e2ee_.sealed());
  }
  path_.add(command, now_);
  client.connect(address, certificate_.fingerprint(), now_);
  return client;
}

void Simulation::leave(FakeClient& client) {
  path_.remove(id_of(client));
  client.vanish();
}

void Simulation::set_muted(const FakeClient& client, codec::MediaKind kind, bool muted) {
  path_.set_muted({id_of(client), kind, muted});
}

void Simulation::set_e2ee(const conference::E2eePolicy& policy) {
  e2ee_ = policy;
  path_.set_e2ee_policy({conference::ConferenceId{1}, policy});
  for (const auto& c : clients_) c->set_sealed(policy.sealed());
}

void Simulation::run_for(Duration time) {
  for (const Timestamp end = now_ + time; now_ < end;) step();
}

void Simulation::step() {
  Timestamp next = now_ + 10ms;
  next =
      std::min({next, network_.next_delivery(), path_.next_deadline(), service_.next_deadline()});
  for (const auto& c : clients_) next = std::min(next, c->next_deadline());
  now_ = std::max(next, now_ + 100us);
  set_virtual_time(now_);

  for (const auto& c : clients_) c->turn(now_);
  path_.turn(now_);
  service_.turn(now_);
  path_.turn(now_);
  for (auto& r : path_.take_reports()) reports_.push_back(std::move(r));
}

void Simulation::watch(const Datagram& d) {
  if (d.to == address) {
    if (!d.bytes.empty() && d.bytes[0] < 4) stun_senders_.insert(d.from.to_string());
  } else if (d.from == address && !stun_senders_.contains(d.to.to_string())) {
    faults_.push_back("the bridge sent to " + d.to.to_string() + ", which never sent STUN");
  }
}

std::vector<std::string> Simulation::faults() const {
  std::vector<std::string> all = faults_;
  for (const auto& c : clients_) std::ranges::copy(c->faults(), std::back_inserter(all));
  if (sealer_.reused_key_streams() > 0) all.push_back("a key stream was used twice");
  return all;
}

bool Simulation::all_packets_returned() {
  for (const auto& c : clients_) leave(*c);
  run_for(200ms);
  return io_.free_packets() == io_.pool_size();
}

}  // namespace viaduct::testing
