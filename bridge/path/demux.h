// Step 2. What kind of packet is it (RFC 7983: the first byte), and whose is it (its source
// address)?
//
// STUN is answered here. DTLS goes to the handshake thread. RTP and RTCP go on, from clients with
// keys. Anything but STUN from an address that no client has proved to own is dropped before a
// further byte of it is read.
#pragma once

#include "conference/directory.h"
#include "edge/packet_io.h"
#include "path/address_book.h"
#include "path/batch.h"
#include "path/counters.h"
#include "path/handshake_port.h"

namespace viaduct::path {

class Demux {
 public:
  Demux(edge::PacketIo& io, conference::Directory& directory, AddressBook& addresses,
        HandshakePort& handshakes, PathCounters& counters)
      : io_(io),
        directory_(directory),
        addresses_(addresses),
        handshakes_(handshakes),
        counters_(counters) {}

  void run(RxBatch& rx, Timestamp now);

 private:
  Drop sort(RxPacket& packet, Timestamp now);
  Drop answer_stun(RxPacket& packet, Timestamp now);
  void note_ice(Handle<Endpoint> who, Endpoint& endpoint, const RxPacket& packet,
                const ice::IceLite::Outcome& outcome, Timestamp now);
  Drop pass_to_handshakes(RxPacket& packet, Endpoint& endpoint, Timestamp now);

  edge::PacketIo& io_;
  conference::Directory& directory_;
  AddressBook& addresses_;
  HandshakePort& handshakes_;
  PathCounters& counters_;
};

}  // namespace viaduct::path
