// Step 11. When may it leave? Bursts of pictures are spread over time, so that they fill no queue in the network, and
// probes find out what it takes (protocol/congestion/pacer.h).
//
// A packet that has to wait keeps the numbers that it was given (conference/held_packets.h), and leaves from what is
// kept for resending. It gets its transport-wide sequence number as it leaves, not before: reports of what arrived
// must find the packets in the order in which they were sent. Sound never waits.
#pragma once

#include <vector>

#include "conference/directory.h"
#include "path/counters.h"
#include "path/drop.h"

namespace viaduct::path {

class Rewrite;

class Pace {
 public:
  Pace(conference::Directory& directory, PathCounters& counters);

  // Whether a picture's packet has to wait: behind others, or since too much has just left.
  static bool must_wait(const conference::Endpoint& receiver, Timestamp now) {
    return !receiver.held.empty() || receiver.pacer.next_send(now) > now;
  }
  // Drop::PaceOverflow when too many wait.
  Drop hold(Handle<conference::Endpoint> who, conference::Endpoint& receiver, const conference::HeldPacket& packet);

  // On timers, of a connected client: takes over what congestion control says, and begins the probes that it asks for.
  void steer(Handle<conference::Endpoint> who, conference::Endpoint& receiver, Timestamp now);
  // Lets go what may leave by now, and fills up probes.
  void run(Rewrite& rewrite, Timestamp now);
  // When run() has something to do.
  Timestamp next_deadline() const { return next_; }

 private:
  void note(Handle<conference::Endpoint> who, conference::Endpoint& receiver);
  void release(Handle<conference::Endpoint> who, conference::Endpoint& receiver, Rewrite& rewrite, Timestamp now);
  void fill_probe(Handle<conference::Endpoint> who, conference::Endpoint& receiver, Rewrite& rewrite, Timestamp now);

  conference::Directory& directory_;
  PathCounters& counters_;
  std::vector<Handle<conference::Endpoint>> busy_;  // that hold packets, or are probed
  Timestamp next_ = Never;
};

}  // namespace viaduct::path
