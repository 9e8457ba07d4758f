// Beside the packets' way: people who hear one mix instead of single voices (a join with `mixed`).
//
// Sound goes to the mixing thread (audio/mix_service.h), of which conferences and which sources
// their Conference decides (Source::mixed): none of a conference that is encrypted end to end, and
// none that is declared encrypted or looks it. Bodies are copied and not looked at. Mixes come back
// as Opus and become a stream of the bridge's own in the first audio slot of each who hears it.
//
// What is wanted is said again every RequestInterval, since a full ring loses what is said.
#pragma once

#include "audio/mix_port.h"
#include "conference/directory.h"
#include "path/batch.h"
#include "path/counters.h"
#include "path/tx_queue.h"

namespace viaduct::path {

class Mix {
 public:
  static constexpr Duration RequestInterval = 500ms;

  Mix(conference::Directory& directory, TxQueue& queue, PathCounters& counters)
      : directory_(directory), queue_(queue), counters_(counters) {}

  // Before anything comes or goes. Without a port nobody hears a mix.
  void connect(audio::MixPort& port) { port_ = &port; }

  // Hands sound over.
  void run(const RxBatch& rx);
  // Puts a packet into the queue for each who hears one of the mixes that have come.
  void send(Timestamp now);
  bool has_waiting() const { return port_ && port_->has_frames(); }

  // On a timer: says that the client wants a mix, if it does.
  void ask_for(Endpoint& endpoint, Timestamp now);
  // The conference is encrypted from now on: what was heard of it is forgotten.
  void forget(conference::ConferenceId conference);

 private:
  void hand_over(const RxPacket& packet, const Endpoint& sender);
  void deliver(const audio::MixedFrame& frame, Timestamp now);
  Drop write(Handle<Endpoint> to, Endpoint& receiver, const audio::MixedFrame& frame,
             Timestamp now);

  conference::Directory& directory_;
  TxQueue& queue_;
  PathCounters& counters_;
  audio::MixPort* port_ = nullptr;
};

}  // namespace viaduct::path
