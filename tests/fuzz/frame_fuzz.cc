// Hostile Ethernet frames against the UDP/IP host: what it hands over lies inside the frame, what it answers is a sound
// frame, each frame is counted once, and classify() says of all media where it belongs.
//
// The input is a row of frames to one host: a sound one of some kind with bytes changed, its checksums made right again
// or not, or plain bytes; and steps in time between them.

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>

#include "base/check.h"
#include "dpdk/ip/classify.h"
#include "dpdk/ip/udp_host.h"
#include "tests/support/frames/frames.h"

using namespace viaduct;
using namespace viaduct::dpdk::ip;
namespace frames = viaduct::testing;
using frames::Octets;

namespace {

constexpr uint16_t FirstPort = 10000;
constexpr uint16_t Port = 10001;

struct Choices {
  bool kernel_behind = false;
  bool tagged = false;
  bool offloads = false;
};

Interface interface_of(const Choices& choices) {
  return {.mac = frames::OurMac,
          .vlan = static_cast<uint16_t>(choices.tagged ? 7 : 0),
          .addresses = {*InterfaceAddress::parse("192.0.2.1/24"), *InterfaceAddress::parse("2001:db8::1/64")},
          .gateways = {frames::ip("192.0.2.254"), frames::ip("2001:db8::fe")},
          .first_media_port = FirstPort,
          .media_ports = 4,
          .kernel_behind = choices.kernel_behind};
}

Octets sound_frame(uint8_t kind, bool v6, uint8_t seed) {
  const SocketAddress us = frames::at(v6 ? "2001:db8::1" : "192.0.2.1", Port);
  const SocketAddress peer = frames::at(v6 ? "2001:db8:7::7" : "198.51.100.7", 5000);
  const IpAddress router = frames::ip(v6 ? "2001:db8::fe" : "192.0.2.254");
  switch (kind % 8) {
    case 0: return frames::udp_frame(peer, us, Octets(seed, seed)).build();
    case 1: return frames::udp_frame(peer, us, frames::binding_request(seed)).build();
    case 2: return frames::udp_frame(peer, {us.ip, seed}, Octets(40)).build();
    case 3: return frames::icmp_frame(peer.ip, us.ip, v6 ? 128 : 8, 0, seed, Octets(seed)).build();
    case 4: {
      const Octets ours = frames::udp_frame(us, peer, Octets(1300)).build();
      const Bytes quote = Bytes(ours).subspan(14, 60);
      return frames::icmp_frame(router, us.ip, v6 ? 2 : 3, v6 ? 0 : 4, 1100u + seed, quote).build();
    }
    case 5:
      return v6 ? frames::solicitation_frame(peer.ip, us.ip, us.ip, 1, frames::PeerMac).build()
                : frames::arp_frame(1, frames::PeerMac, frames::ip("192.0.2.9"), us.ip);
    case 6:
      return v6 ? frames::advertisement_frame(router, us.ip, router, 0x60000000, 2, frames::RouterMac).build()
                : frames::arp_frame(2, frames::RouterMac, router, us.ip, frames::OurMac);
    default: {
      frames::IpFrame frame = frames::udp_frame(peer, us, Octets(seed));
      frame.options = {1, 1, 1, 1};
      frame.first_extension = 60;
      frame.extensions = {44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, seed};
      return frame.build();
    }
  }
}

void tag(Octets& frame, uint16_t vlan) {
  if (frame.size() < 12) return;
  const Octets bytes{0x81, 0, static_cast<uint8_t>(vlan >> 8), static_cast<uint8_t>(vlan)};
  frame.insert(frame.begin() + 12, bytes.begin(), bytes.end());
}

Octets next_frame(ByteReader& reader, const Choices& choices) {
  const uint8_t what = reader.u8();
  const uint8_t seed = reader.u8();
  if (what >= 0xf0) {  // plain bytes
    const Bytes bytes = reader.bytes(std::min<size_t>(seed * 8u, reader.remaining()));
    return {bytes.begin(), bytes.end()};
  }
  Octets frame = sound_frame(what & 7, (what & 8) != 0, seed);
  for (int change = what >> 4 & 3; change > 0; --change) {
    const size_t offset = reader.be16() % frame.size();
    frame[offset] = reader.u8();
  }
  if ((what & 0x40) != 0) frames::mend_checksums(frame);
  if ((what & 0x80) != 0) frame.resize(reader.be16() % (frame.size() + 1));
  if (choices.tagged) tag(frame, 7);
  return frame;
}

void check_sound(Bytes frame) {
  const auto read = frames::read_frame(frame);
  CHECK(read.frame && read.frame->from_mac == frames::OurMac);
}

uint64_t counted(const HostCounters& counters) {
  const auto sum = [](uint64_t so_far, const Counter& counter) { return so_far + counter.value(); };
  const uint64_t kinds = std::accumulate(counters.frames.begin(), counters.frames.end(), uint64_t{0}, sum);
  return std::accumulate(counters.dropped.begin(), counters.dropped.end(), kinds, sum);
}

// The datagram is answered, as STUN where it is that, and the answer is sent where it came from.
void reply(UdpHost& host, Bytes datagram, const SocketAddress& peer, bool offloads, Timestamp now) {
  Octets response(datagram.begin(), datagram.end());
  if (response.size() >= 20) response[0] = 1;
  const std::unique_ptr<uint8_t[]> block(new uint8_t[MaxHeaderBytes + response.size()]);
  uint8_t* payload = block.get() + MaxHeaderBytes;
  std::copy(response.begin(), response.end(), payload);
  const Departure departure = host.send(payload, response.size(), peer, now);
  CHECK((departure.header_bytes == 0) == (departure.refused != Refusal::None));
  if (departure.header_bytes == 0 || offloads) return;
  check_sound({payload - departure.header_bytes, departure.header_bytes + response.size()});
}

void deliver(UdpHost& host, const Interface& interface, const Octets& frame, uint8_t how, Timestamp now) {
  const size_t size = frame.size() + (how & 0x3f);
  const std::unique_ptr<uint8_t[]> buffer(new uint8_t[size]);
  std::copy(frame.begin(), frame.end(), buffer.get());
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[frame.size()]);
  std::copy(frame.begin(), frame.end(), exact.get());
  const Destination destination = classify({exact.get(), frame.size()}, interface);
  const Verified known = (how & 0x80) != 0 ? Verified::Good : Verified::Unknown;
  const Arrival arrival = host.receive({buffer.get(), size}, frame.size(), {known, known}, now);
  switch (arrival.verdict) {
    case Arrival::Verdict::Media:
      CHECK(arrival.offset + size_t{arrival.length} <= frame.size() && arrival.peer.port != 0);
      CHECK((destination == Destination{Target::Worker, Port - FirstPort}));
      reply(host, {buffer.get() + arrival.offset, arrival.length}, arrival.peer, (how & 0x40) != 0, now);
      break;
    case Arrival::Verdict::Answer:
      CHECK(arrival.length <= size);
      check_sound({buffer.get(), arrival.length});
      break;
    case Arrival::Verdict::Kernel:
      CHECK(interface.kernel_behind && std::equal(frame.begin(), frame.end(), buffer.get()));
      break;
    case Arrival::Verdict::Drop: break;
  }
}

void speak(UdpHost& host, Timestamp now) {
  uint8_t own[MaxOwnFrameBytes];
  while (const size_t bytes = host.write_own_frame(own, now)) check_sound({own, bytes});
  CHECK(host.next_own_frame() > now);
  while (const auto report = host.take_path_mtu()) CHECK(report->bytes >= 576 && report->bytes < 1500);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteReader reader({data, size});
  const uint8_t flags = reader.u8();
  const Choices choices{(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0};
  const Interface interface = interface_of(choices);
  static std::unique_ptr<UdpHost> host;  // made anew each time, in memory that is there
  host = std::make_unique<UdpHost>(interface, Port, TxOffloads{choices.offloads, choices.offloads}, (flags & 8) != 0);
  Timestamp now{1s};
  uint64_t delivered = 0;
  while (reader.remaining() > 3) {
    now += 10ms * reader.u8();
    const uint8_t how = reader.u8();
    const Octets frame = next_frame(reader, choices);
    deliver(*host, interface, frame, static_cast<uint8_t>((how & 0xbf) | (choices.offloads ? 0x40 : 0)), now);
    CHECK(counted(host->counters()) == ++delivered);
    speak(*host, now);
  }
  return 0;
}
