// START HERE. The life of a packet, from the network and back to it: turn() reads from top to
// bottom, one step a line, one file a step. Each step is a loop over a batch.
//
// Sans-IO: it touches the network through PacketIo, keys through BatchCipher, and is told the time.
// It belongs to one thread.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"
#include "conference/directory.h"
#include "edge/batch_cipher.h"
#include "edge/packet_io.h"
#include "path/address_book.h"
#include "path/batch.h"
#include "path/counters.h"
#include "path/demux.h"
#include "path/feedback.h"
#include "path/handshakes.h"
#include "path/mix.h"
#include "path/observe.h"
#include "path/pace.h"
#include "path/pad.h"
#include "path/protect.h"
#include "path/read_payload.h"
#include "path/relay.h"
#include "path/reports.h"
#include "path/rewrite.h"
#include "path/route.h"
#include "path/transmit.h"
#include "path/unprotect.h"
#include "path/witness.h"

namespace viaduct::path {

class PacketPath {
 public:
  struct Edges {
    edge::PacketIo& io;
    edge::BatchCipher& opener;  // Direction::Unprotect
    edge::BatchCipher& sealer;  // Direction::Protect
    HandshakePort& handshakes;
    TimeSource& time;
    Random& random;
  };

  PacketPath(Edges edges, NtpClock ntp, std::vector<codec::CodecType> video_preference,
             PathCounters& counters);

  // Shares conferences with other workers, being number `worker` among them. Before the first turn.
  void connect_relay(uint32_t worker, std::vector<RelayLink> links) {
    directory_.this_worker = worker;
    relay_.connect(std::move(links));
  }

  // Lets people hear a mix, made by whoever has the port's other end. Before the first turn.
  void connect_mix(audio::MixPort& port) { mix_.connect(port); }

  // One turn of the worker: takes what has arrived and sends what follows from it.
  void turn(Timestamp now);
  // When turn() has something to do even if no packet comes.
  Timestamp next_deadline() const {
    const bool is_waited_for = relay_.has_waiting() || mix_.has_waiting() ||
                               opened_.has_unfinished() || sealed_.has_unfinished();
    if (is_waited_for) return {};
    if (directory_.endpoint_count() == 0 && !must_wipe_more_) return Never;
    return std::min(next_tick_, pace_.next_deadline());
  }

  // What control asks for. A refused AddEndpoint shows as an EndpointGone among the reports.
  void add(const conference::AddEndpoint& command, Timestamp now);
  void remove(conference::EndpointId id);
  void restart_ice(const conference::RestartIce& command, Timestamp now);
  void set_muted(const conference::SetMuted& command);
  void set_wishes(conference::SetReceiverWishes& command);
  void set_e2ee_policy(const conference::SetE2eePolicy& command);
  void declare_e2ee(const conference::DeclareE2ee& command);
  conference::WorkerSnapshot snapshot(uint32_t worker, const dtls::Fingerprint& local,
                                      Timestamp now) {
    return directory_.snapshot(worker, local, now);
  }
  // Says goodbye to every client; the next turn()s get it out.
  void close(Timestamp now);
  // Gives back the packets that sources keep to be resent. Nothing comes after it.
  void release_kept();

  // Reports for control since the last call.
  std::vector<conference::Report> take_reports() { return std::exchange(directory_.reports, {}); }

 private:
  RxBatch* receive(Timestamp now);
  RxBatch* take_relayed(Timestamp now);
  void transmit(TxBatch& tx, Timestamp now);
  RxBatch* poll_opened();
  void transmit_sealed(Timestamp now);
  void end_reading(RxBatch* rx);
  void take_handshakes(Timestamp now);
  void run_timers(Timestamp now);
  void run_endpoint_timers(Handle<Endpoint> who, Endpoint& endpoint, Timestamp now);
  static void measure_ladders(Endpoint& endpoint, Timestamp now);
  void run_slow_timers(Timestamp now);
  void count_streams();
  void wipe_released();
  void pass_on_path_mtus();
  void remove(Handle<Endpoint> who, Endpoint& endpoint);
  void end(Handle<Endpoint> who, conference::GoneReason reason);

  edge::PacketIo& io_;
  PathCounters& counters_;
  const NtpClock ntp_;
  conference::Directory directory_;
  AddressBook addresses_;
  TxQueue queue_;
  BatchPool<RxBatch> rx_batches_{limits::RxBatchesInFlight};

  Demux demux_;
  Unprotect opened_;
  Observe observe_;
  ReadPayload read_payload_;
  Witness witness_;
  Pace pace_;
  Rewrite rewrite_;
  Feedback feedback_;
  Route route_;
  Pad pad_;
  Relay relay_;
  Mix mix_;
  Protect sealed_;
  Transmit transmit_;
  Reports reports_;
  Handshakes handshakes_;

  std::vector<Packet> arrivals_;
  std::vector<Packet> freed_;
  Timestamp next_tick_{};
  Timestamp next_slow_tick_{};
  const size_t wiped_per_tick_;  // buffers
  bool must_wipe_more_ = false;
};

}  // namespace viaduct::path
