// Whole workers with their handshakes and mixes on virtual time and a simulated network, with a watch
// over what it does: no key stream is used twice, nothing goes where no client has proved to be, no
// packet buffer is lost.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audio/mix_service.h"
#include "edge/reference_cipher.h"
#include "path/handshake_service.h"
#include "path/packet_path.h"
#include "tests/support/fake_client.h"
#include "tests/support/simulated_io.h"

namespace viaduct::testing {

// Makes the cipher of one worker and direction.
using MakeCipher = std::function<std::unique_ptr<edge::BatchCipher>(edge::Direction, size_t keys)>;

inline std::unique_ptr<edge::BatchCipher> make_reference(edge::Direction direction, size_t keys) {
  return std::make_unique<edge::ReferenceCipher>(direction, keys);
}

// Passes everything on to a cipher, `delay` polls late, and remembers which packet indexes each key
// has protected.
class WatchedCipher final : public edge::BatchCipher {
 public:
  WatchedCipher(edge::Direction direction, int delay, const MakeCipher& make)
      : direction_(direction), delay_(delay), inner_(make(direction, 256)) {}

  Result<edge::KeySlot> add_key(const srtp::SrtpKeys& keys) override;
  void remove_key(edge::KeySlot slot) override { inner_->remove_key(slot); }
  void submit(edge::CipherBatch* batch) override;
  edge::CipherBatch* poll() override;
  bool has_unfinished() const override { return inner_->has_unfinished(); }
  const char* name() const override { return "watched"; }

  uint64_t reused_key_streams() const { return reused_; }

 private:
  const edge::Direction direction_;
  const int delay_;
  const std::unique_ptr<edge::BatchCipher> inner_;
  std::vector<std::pair<int, edge::CipherBatch*>> late_;
  std::map<uint32_t, uint64_t> key_number_;  // by slot: slots are used again, keys are not
  uint64_t next_key_ = 0;
  std::set<std::tuple<uint64_t, bool, uint32_t, uint64_t>> used_;  // key, rtcp, ssrc, index
  uint64_t reused_ = 0;
};

// One worker: its edges, its keys and its path.
struct SimulatedWorker {
  SimulatedWorker(uint32_t number, const SocketAddress& address, SimulatedNetwork& network,
                  size_t pool_packets, int cipher_delay, const MakeCipher& make_cipher,
                  path::TimeSource& time, Random& random,
                  const std::vector<codec::CodecType>& video_preference)
      : io(network, {address}, pool_packets),
        opener(edge::Direction::Unprotect, cipher_delay, make_cipher),
        sealer(edge::Direction::Protect, cipher_delay, make_cipher),
        counters(std::to_string(number)),
        path({io, opener, sealer, port, time, random}, NtpClock(Timestamp{}, 1'700'000'000s),
             video_preference, counters) {
    path.connect_mix(*mix_port);
  }

  SimulatedIo io;
  WatchedCipher opener, sealer;
  path::HandshakePort port;
  std::unique_ptr<audio::MixPort> mix_port = std::move(*audio::MixPort::open());
  path::PathCounters counters;
  path::PacketPath path;
};

class Simulation final : public path::TimeSource {
 public:
  struct Options {
    uint64_t seed = 1;
    int cipher_delay = 0;  // polls until a batch is given to the cipher
    MakeCipher make_cipher = make_reference;
    std::function<void()> between_turns = [] {};
    std::vector<codec::CodecType> video_preference = {codec::CodecType::Vp8,
                                                      codec::CodecType::H264};
    size_t pool_packets = 16384;
    uint32_t workers = 1;
    size_t mix_voices = 3;
  };
  Simulation() : Simulation(Options{}) {}
  explicit Simulation(const Options& options);

  SimulatedNetwork& network() { return network_; }
  path::PacketPath& path(size_t worker = 0) { return workers_[worker]->path; }
  path::PathCounters& counters(size_t worker = 0) { return workers_[worker]->counters; }
  Timestamp now() override {
    ++readings_of_time_;
    return now_;
  }
  const audio::MixCounters& mix_counters() const { return mixes_.counters(); }
  // How often the path has turned, and asked what time it is.
  uint64_t turns() const { return turns_; }
  uint64_t readings_of_time() const { return readings_of_time_; }

  // A client that joins `conference` now, on one of the workers. It connects as time passes.
  FakeClient& join(FakeClient::Options options, uint64_t conference = 1, uint32_t worker = 0);
  void leave(FakeClient& client);
  FakeClient& client(size_t i) { return *clients_[i]; }
  conference::EndpointId id_of(const FakeClient& client) const {
    return conference::EndpointId{1000 + client.number()};
  }
  void set_muted(const FakeClient& client, codec::MediaKind kind, bool muted);
  // Of conference 1, also for those who join later.
  void set_e2ee(const conference::E2eePolicy& policy);
  void declare_e2ee(const FakeClient& client, bool declared) {
    for (const auto& w : workers_) w->path.declare_e2ee({id_of(client), declared});
  }
  // A worker that is held up turns no more; what others hand to it waits, or finds no room.
  void hold_up(size_t worker, bool held) { held_up_ = held ? std::optional(worker) : std::nullopt; }

  // Lets time pass: from event to event, 10 ms at most at a time.
  void run_for(Duration time);
  // True as soon as `condition` holds; false when `at_most` has passed without.
  template <typename Condition>
  bool run_until(Condition&& condition, Duration at_most) {
    for (const Timestamp end = now_ + at_most; now_ < end;) {
      if (condition()) return true;
      step();
    }
    return condition();
  }

  // All reports so far.
  const std::vector<conference::Report>& reports() const { return reports_; }
  template <typename R>
  std::vector<const R*> reports_of() const {
    std::vector<const R*> found;
    for (const auto& r : reports_) {
      if (const R* one = std::get_if<R>(&r)) found.push_back(one);
    }
    return found;
  }

  // Sentences about broken invariants, of the bridge and of every client; empty when all is well.
  std::vector<std::string> faults() const;
  // Everything has left: are all packet buffers back?
  bool all_packets_returned();
  uint64_t drops(path::Drop reason, size_t worker = 0) const {
    return workers_[worker]->counters.drops[static_cast<size_t>(reason)].value();
  }

  const SocketAddress address{IpAddress::v4(0x0a000001), 10000};  // of the first worker
  SocketAddress address_of(uint32_t worker) const {
    return {address.ip, static_cast<uint16_t>(address.port + worker)};
  }
  static FakeClient::Options client_options(uint32_t number);

 private:
  void step();
  void turn_paths();
  void watch(const Datagram& datagram);

  SeededRandom random_;
  Timestamp now_{1s};
  uint64_t turns_ = 0;
  uint64_t readings_of_time_ = 0;
  SimulatedNetwork network_;
  dtls::Certificate certificate_;
  dtls::Certificate client_certificate_;
  path::HandshakeService service_;
  std::function<void()> between_turns_;
  audio::MixService mixes_;
  std::optional<path::RelayMesh> relay_;
  std::vector<std::unique_ptr<SimulatedWorker>> workers_;
  std::optional<size_t> held_up_;
  struct Member {
    uint64_t conference = 0;
    uint32_t worker = 0;
    conference::EndpointDescription relayed;
  };
  std::map<uint32_t, Member> members_;  // by the client's number
  std::vector<std::unique_ptr<FakeClient>> clients_;
  conference::E2eePolicy e2ee_;
  std::vector<conference::Report> reports_;
  std::set<std::string> stun_senders_;  // addresses a client has sent STUN from
  std::vector<std::string> faults_;
};

}  // namespace viaduct::testing
