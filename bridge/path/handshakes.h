// The path's side of DTLS: sends what the handshake thread wrote, puts keys in place, and lets go
// of clients whose handshake failed or who said goodbye.
#pragma once

#include <vector>

#include "conference/directory.h"
#include "edge/batch_cipher.h"
#include "edge/packet_io.h"
#include "path/counters.h"
#include "path/handshake_port.h"

namespace viaduct::path {

class Handshakes {
 public:
  Handshakes(edge::PacketIo& io, conference::Directory& directory, HandshakePort& port,
             edge::BatchCipher& opener, edge::BatchCipher& sealer, PathCounters& counters)
      : io_(io),
        directory_(directory),
        port_(port),
        opener_(opener),
        sealer_(sealer),
        counters_(counters) {}

  struct Ended {
    Handle<Endpoint> endpoint;
    conference::GoneReason reason{};
  };
  // Takes what the handshake thread has to say; returns who must be removed. Valid until the next
  // call.
  const std::vector<Ended>& run(Timestamp now);

  // The way to the client takes IP packets of at most so many bytes. Where the ring is full the network will say it
  // again.
  void narrow_path(Handle<Endpoint> who, uint16_t bytes);

  // The client goes: wipes its keys and ends its session.
  void close(Handle<Endpoint> who, Endpoint& endpoint);

 private:
  void handle(SessionDatagram&& datagram, Timestamp now);
  void handle(SessionConnected&& connected, Timestamp now);
  void handle(SessionFailed&& failed, Timestamp now);
  void handle(SessionClosed&& closed, Timestamp now);
  void handle(std::monostate, Timestamp) {}

  edge::PacketIo& io_;
  conference::Directory& directory_;
  HandshakePort& port_;
  edge::BatchCipher& opener_;
  edge::BatchCipher& sealer_;
  PathCounters& counters_;
  std::vector<Ended> ended_;
  std::vector<Handle<Endpoint>> unposted_;  // whose end the handshake thread must still hear of
};

}  // namespace viaduct::path
