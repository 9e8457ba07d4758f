// A whole worker and its handshake service on virtual time and a simulated network, with a watch
// over what it does: no key stream is used twice, nothing goes where no client has proved to be, no
// packet buffer is lost.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "edge/reference_cipher.h"
#include "path/handshake_service.h"
#include "path/packet_path.h"
#include "tests/support/fake_client.h"
#include "tests/support/simulated_io.h"

namespace viaduct::testing {

// Passes everything on to a ReferenceCipher, finishing batches `delay` polls late as a GPU would,
// and remembers which packet indexes each key has protected.
class WatchedCipher final : public edge::BatchCipher {
 public:
  WatchedCipher(edge::Direction direction, int delay)
      : direction_(direction), delay_(delay), inner_(direction, 256) {}

  Result<edge::KeySlot> add_key(const srtp::SrtpKeys& keys) override;
  void remove_key(edge::KeySlot slot) override { inner_.remove_key(slot); }
  void submit(edge::CipherBatch* batch) override;
  edge::CipherBatch* poll() override;
  const char* name() const override { return "watched"; }

  uint64_t reused_key_streams() const { return reused_; }

 private:
  const edge::Direction direction_;
  const int delay_;
  edge::ReferenceCipher inner_;
  std::vector<std::pair<int, edge::CipherBatch*>> late_;
  std::map<uint32_t, uint64_t> key_number_;  // by slot: slots are used again, keys are not
  uint64_t next_key_ = 0;
  std::set<std::tuple<uint64_t, bool, uint32_t, uint64_t>> used_;  // key, rtcp, ssrc, index
  uint64_t reused_ = 0;
};

class Simulation final : public path::TimeSource {
 public:
  struct Options {
    uint64_t seed = 1;
    int cipher_delay = 0;  // polls until a batch is finished
    std::vector<codec::CodecType> video_preference = {codec::CodecType::Vp8,
                                                      codec::CodecType::H264};
    size_t pool_packets = 16384;
  };
  Simulation() : Simulation(Options{}) {}
  explicit Simulation(const Options& options);

  SimulatedNetwork& network() { return network_; }
  path::PacketPath& path() { return path_; }
  path::PathCounters& counters() { return counters_; }
  Timestamp now() override { return now_; }

  // A client that joins `conference` now. It connects as time passes.
  FakeClient& join(FakeClient::Options options, uint64_t conference = 1);
  void leave(FakeClient& client);
  FakeClient& client(size_t i) { return *clients_[i]; }
  conference::EndpointId id_of(const FakeClient& client) const {
    return conference::EndpointId{1000 + client.number()};
  }
  void set_muted(const FakeClient& client, codec::MediaKind kind, bool muted);
  // Of conference 1, also for those who join later.
  void set_e2ee(const conference::E2eePolicy& policy);
  void declare_e2ee(const FakeClient& client, bool declared) {
    path_.declare_e2ee({id_of(client), declared});
  }

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
  uint64_t drops(path::Drop reason) const {
    return counters_.drops[static_cast<size_t>(reason)].value();
  }

  const SocketAddress address{IpAddress::v4(0x0a000001), 10000};
  static FakeClient::Options client_options(uint32_t number);

 private:
  void step();
  void watch(const Datagram& datagram);

  SeededRandom random_;
  Timestamp now_{1s};
  SimulatedNetwork network_;
  SimulatedIo io_;
  WatchedCipher opener_, sealer_;
  dtls::Certificate certificate_;
  dtls::Certificate client_certificate_;
  path::HandshakePort port_;
  path::HandshakeService service_;
  path::PathCounters counters_{"0"};
  path::PacketPath path_;
  std::vector<std::unique_ptr<FakeClient>> clients_;
  conference::E2eePolicy e2ee_;
  std::vector<conference::Report> reports_;
  std::set<std::string> stun_senders_;  // addresses a client has sent STUN from
  std::vector<std::string> faults_;
};

}  // namespace viaduct::testing
