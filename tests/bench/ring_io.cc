#include "tests/bench/ring_io.h"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstring>
#include <string>

#include "base/check.h"
#include "dpdk/ip/checksum.h"
#include "tests/support/frames/frames.h"

namespace viaduct::testing {
namespace {

using dpdk::ip::checksum_of;
using dpdk::ip::in_network_order;
using dpdk::ip::load_word;
using dpdk::ip::store_word;
using dpdk::ip::word_sum;

constexpr unsigned RingFrames = 4096;
constexpr size_t HeaderBytes = 14 + 20 + 8;

unsigned made = 0;  // rings and ports have names, and a name of a closed port may not be free yet

rte_ring* make_ring(const char* what) {
  rte_ring* ring = rte_ring_create((what + std::to_string(made)).c_str(), RingFrames, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
  CHECK(ring != nullptr);
  return ring;
}

uint16_t start_port(rte_ring* arrivals, rte_ring* departures, rte_mempool* pool) {
  const int made_port = rte_eth_from_rings(("wire" + std::to_string(made)).c_str(), &arrivals, 1, &departures, 1, 0);
  CHECK(made_port >= 0);
  const auto port = static_cast<uint16_t>(made_port);
  const rte_eth_conf conf{};
  CHECK(rte_eth_dev_configure(port, 1, 1, &conf) == 0);
  CHECK(rte_eth_rx_queue_setup(port, 0, RingFrames, 0, nullptr, pool) == 0);
  CHECK(rte_eth_tx_queue_setup(port, 0, RingFrames, 0, nullptr) == 0);
  CHECK(rte_eth_dev_start(port) == 0);
  return port;
}

dpdk::ip::Interface interface_of_call() {
  return {.mac = OurMac,
          .addresses = {{PathCall::Bridge.ip, 8}},
          .first_media_port = PathCall::Bridge.port,
          .media_ports = 1};
}

}  // namespace

RingIo::RingIo(bool offloads) : offloads_(offloads), interface_(interface_of_call()) {
  ++made;
  pool_ = std::move(*dpdk::MbufPool::open("call" + std::to_string(made), CallPoolPackets + 2 * RingFrames, 0));
  inboxes_ = std::move(*dpdk::Inboxes::open(1));
  arrivals_ = make_ring("arrivals");
  departures_ = make_ring("departures");
  port_ = start_port(arrivals_, departures_, pool_->get());
  io_ = std::make_unique<dpdk::DpdkIo>(
      dpdk::DpdkIoSettings{.port = port_, .offloads = {.ip = offloads, .udp = offloads}, .wait = edge::IoWait::Poll},
      interface_, *pool_, *inboxes_, loan_);
  io_->attach();
}

RingIo::~RingIo() {
  io_.reset();
  take_off_the_wire();
  rte_eth_dev_stop(port_);
  rte_eth_dev_close(port_);
  rte_ring_free(arrivals_);
  rte_ring_free(departures_);
}

size_t RingIo::receive(std::span<Packet> into, Timestamp now) {
  for (size_t i = 0; i < most && next < arriving.size(); ++i) put_on_the_wire(arriving[next++]);
  now_ = now;
  const size_t got = io_->receive(into, now);
  take_off_the_wire();
  return got;
}

void RingIo::put_on_the_wire(const Arrival& arrival) {
  rte_mbuf* frame = rte_pktmbuf_alloc(pool_->get());
  CHECK(frame != nullptr);
  auto* at =
      reinterpret_cast<uint8_t*>(rte_pktmbuf_append(frame, static_cast<uint16_t>(HeaderBytes + arrival.bytes.size())));
  const size_t ip_bytes = HeaderBytes - 14 + arrival.bytes.size();
  const uint8_t headers[HeaderBytes] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17};
  std::memcpy(at, headers, sizeof headers);
  store_be16(at + 16, static_cast<uint16_t>(ip_bytes));
  store_be32(at + 26, arrival.from.ip.v4_value());
  store_be32(at + 30, PathCall::Bridge.ip.v4_value());
  store_be16(at + 34, arrival.from.port);
  store_be16(at + 36, PathCall::Bridge.port);
  store_be16(at + 38, static_cast<uint16_t>(ip_bytes - 20));
  store_word(at + 24, checksum_of(word_sum({at + 14, 20})));
  std::memcpy(at + HeaderBytes, arrival.bytes.data(), arrival.bytes.size());
  if (offloads_) {
    frame->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
  } else {  // addresses, protocol and length once more: the pseudo-header
    const uint64_t pseudo = word_sum({at + 26, 8}) + in_network_order(17) + load_word(at + 38);
    store_word(at + 40, checksum_of(pseudo + word_sum({at + 34, ip_bytes - 20})));
  }
  CHECK(rte_ring_enqueue(arrivals_, frame) == 0);
}

void RingIo::take_off_the_wire() {
  std::array<void*, 64> frames;
  while (const unsigned count = rte_ring_dequeue_burst(departures_, frames.data(), frames.size(), nullptr)) {
    for (unsigned i = 0; i < count; ++i) {
      auto* frame = static_cast<rte_mbuf*>(frames[i]);
      const auto* at = rte_pktmbuf_mtod(frame, const uint8_t*);
      const bool is_datagram = load_be16(at + 12) == 0x0800 && at[23] == 17;
      packets_sent += is_datagram ? 1 : 0;
      if (keeps_sent && is_datagram)
        sent.push_back(
            {{IpAddress::v4(load_be32(at + 30)), load_be16(at + 36)}, {at + HeaderBytes, at + frame->data_len}});
    }
    rte_pktmbuf_free_bulk(reinterpret_cast<rte_mbuf**>(frames.data()), count);
  }
}

// A look that finds nothing has the edge send what waits for more.
void RingIo::settle() {
  io_->receive({}, now_);
  take_off_the_wire();
}

void RingIo::send(std::span<const Packet> packets) {
  io_->send(packets);
  take_off_the_wire();
}

}  // namespace viaduct::testing
