// Step 9. A conference with people on several workers: packets go on to the workers whose people
// receive them, one copy for each worker, and theirs come in here.
//
// A client of another worker is an endpoint here without a transport (Endpoint::relayed_from).
// Its packets join the path behind `unprotect`: they are open, and what `observe` and
// `read_payload` learned comes with them, so that bodies are copied and never looked at. Routing,
// rewriting, sealing and resending are as for everybody.
//
// Workers share one ring in each direction (edge/media_ring.h). A packet that finds it full is
// counted and gone, as if the network had lost it. What must not be lost is said again: a worker
// says every DemandInterval what it wants of a source, and is told the source's state in return.
#pragma once

#include <memory>
#include <vector>

#include "conference/directory.h"
#include "edge/media_ring.h"
#include "edge/packet_io.h"
#include "path/batch.h"
#include "path/counters.h"
#include "path/relay_message.h"

namespace viaduct::path {

using RelayRing = edge::MediaRing<RelayMessage>;

// One worker as another one sees it.
struct RelayLink {
  RelayRing* out = nullptr;
  RelayRing* in = nullptr;
  edge::PacketIo* io = nullptr;  // to wake it
};

// The rings between all workers. Outlives them.
class RelayMesh {
 public:
  static Result<RelayMesh> open(size_t workers);

  // A worker's links by the number of the other, its own being empty. `ios` are the edges of all.
  std::vector<RelayLink> links_of(uint32_t worker, const std::vector<edge::PacketIo*>& ios) const;
  bool is_locked() const;

 private:
  RelayRing* ring(size_t from, size_t to) const { return rings_[from * workers_ + to].get(); }

  size_t workers_ = 0;
  std::vector<std::unique_ptr<RelayRing>> rings_;  // [from * workers_ + to]
};

class Relay {
 public:
  static constexpr Duration DemandInterval = 500ms;

  Relay(edge::PacketIo& io, conference::Directory& directory, PathCounters& counters)
      : io_(io), directory_(directory), counters_(counters) {}

  // Before anything comes or goes. Without links there are no other workers.
  void connect(std::vector<RelayLink> links) { links_ = std::move(links); }

  // Hands the packets of a routed batch on.
  void run(const RxBatch& rx);
  // Fills the batch with packets of other workers, as far as there are some.
  void take(RxBatch& rx, Timestamp now);
  bool has_waiting() const;
  // Wakes the workers that were handed something since the last call.
  void wake_others();

  // On timers. Of a client of this worker: tells others what has become of its sources. Of a
  // client of another: asks for what is wanted of them.
  void tell_of(Endpoint& endpoint, Timestamp now);
  void ask_of(Endpoint& endpoint, Timestamp now);

 private:
  // A message for a worker, to be filled in; null when its ring is full.
  RelayMessage* blank(size_t worker, RelayKind kind, const Endpoint& endpoint, size_t source);
  void push(size_t worker);
  void hand_over(const RxPacket& packet, const Endpoint& sender);
  void receive(const RelayMessage& message, size_t from, RxBatch& rx, Timestamp now);
  Drop admit(const RelayMessage& message, Handle<Endpoint> from, RxBatch& rx, Timestamp now);
  void learn(const RelayMessage& message, Endpoint& sender, Timestamp now);

  edge::PacketIo& io_;
  conference::Directory& directory_;
  PathCounters& counters_;
  std::vector<RelayLink> links_;
  size_t next_ = 0;     // whose ring is emptied first, by turns
  uint64_t touched_ = 0;  // workers to wake
};

}  // namespace viaduct::path
