#include "dpdk/dpdk_io.h"

#include <pthread.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_pause.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "base/check.h"
#include "base/log.h"
#include "dpdk/eal.h"
#include "dpdk/ip/classify.h"
#include "limits.h"

namespace viaduct::dpdk {
namespace {

constexpr size_t PrefetchAhead = 4;
constexpr unsigned PausesBeforeSleep = 64;  // turns without a packet, some 50 us together
constexpr unsigned PauseLoops = 16;

// A blank packet's buffer begins where its headroom for rewritten headers ends up behind that for the network's.
constexpr uint32_t NetworkHeadroom = 72;
static_assert(NetworkHeadroom >= ip::MaxHeaderBytes);

rte_mbuf* mbuf_of(const Packet& packet) { return reinterpret_cast<rte_mbuf*>(packet.owner); }

ip::Verified verdict(uint64_t flags, uint64_t mask, uint64_t good, uint64_t bad) {
  if ((flags & mask) == good) return ip::Verified::Good;
  return (flags & mask) == bad ? ip::Verified::Bad : ip::Verified::Unknown;
}

ip::RxChecksums checksums(uint64_t flags) {
  return {verdict(flags, RTE_MBUF_F_RX_IP_CKSUM_MASK, RTE_MBUF_F_RX_IP_CKSUM_GOOD, RTE_MBUF_F_RX_IP_CKSUM_BAD),
          verdict(flags, RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD, RTE_MBUF_F_RX_L4_CKSUM_BAD)};
}

edge::SendRefusal refusal(ip::Refusal reason) {
  switch (reason) {
    case ip::Refusal::TooLong:
      return edge::SendRefusal::TooLong;
    case ip::Refusal::NoAddress:
      return edge::SendRefusal::NoSocket;
    case ip::Refusal::NoRoute:
    case ip::Refusal::None:
      break;
  }
  return edge::SendRefusal::Unreachable;
}

// What was said of the frame when it arrived; where its bytes are stays true.
void forget_flags(rte_mbuf* frame) { frame->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT; }

Packet blank_packet(rte_mbuf* frame) {
  return {.buffer = static_cast<uint8_t*>(frame->buf_addr) + NetworkHeadroom,
          .buffer_bytes = frame->buf_len - NetworkHeadroom,
          .offset = limits::PacketHeadroomBytes,
          .owner = reinterpret_cast<uint64_t>(frame)};
}

// Which checksums the port is to fill in.
void ask_for_checksums(rte_mbuf* frame, const ip::Departure& departure, ip::TxOffloads offloads) {
  forget_flags(frame);
  if (!offloads.ip && !offloads.udp) return;
  frame->tx_offload = rte_mbuf_tx_offload(departure.l2_bytes, departure.l3_bytes, 0, 0, 0, 0, 0);
  frame->ol_flags |= departure.v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
  if (offloads.ip && !departure.v6) frame->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
  if (offloads.udp) frame->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
}

}  // namespace

DpdkIo::DpdkIo(const DpdkIoSettings& settings, const ip::Interface& interface, MbufPool& pool, Inboxes& inboxes,
               Loan& loan)
    : settings_(settings),
      worker_(std::to_string(settings.worker)),
      interface_(interface),
      pool_(pool),
      inboxes_(inboxes),
      loan_(loan),
      host_(interface, static_cast<uint16_t>(interface.first_media_port + settings.worker), settings.offloads,
            settings.worker == 0),
      tx_(settings.port, settings.queue) {
  if (settings.kernel_port) kernel_.emplace(*settings.kernel_port, settings.worker, interface.vlan);
  counters_.pool_size.set(static_cast<int64_t>(pool_.size()));
}

DpdkIo::~DpdkIo() { tx_.drain(); }

void DpdkIo::attach() {
  if (settings_.cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(*settings_.cpu, &cpus);
    if (pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus) != 0)
      log::warn("worker {} cannot be pinned to CPU {}; name in dpdk-cpus one that the bridge may use", worker_,
                *settings_.cpu);
  }
  if (!become_lcore())
    log::warn("worker {} is one thread too many for DPDK and works without a cache of buffers", worker_);
}

size_t DpdkIo::receive(std::span<Packet> into, Timestamp now) {
  now_ = now;
  if (settings_.timestamp_field >= 0 && device_clock_.is_due(now)) {
    uint64_t ticks = 0;
    if (rte_eth_read_clock(settings_.port, &ticks) == 0) device_clock_.observe(ticks, now);
  }
  std::array<rte_mbuf*, limits::RxBatchPackets> frames;
  const size_t count = take_frames(std::span(frames).first(std::min(into.size(), frames.size())));
  for (size_t i = 0; i < std::min(count, PrefetchAhead); ++i) rte_prefetch0(rte_pktmbuf_mtod(frames[i], void*));
  size_t got = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i + PrefetchAhead < count) rte_prefetch0(rte_pktmbuf_mtod(frames[i + PrefetchAhead], void*));
    if (read(frames[i], into[got])) ++got;
  }
  loan_.packets += static_cast<int64_t>(got);
  counters_.packets_received.add(got);
  counters_.batches_received.add(got > 0 ? 1 : 0);
  if (now >= host_.next_own_frame()) send_own_frames();
  if (kernel_) kernel_->turn(tx_, now);
  drain_if_due(count);
  return got;
}

// From the other workers first: these have waited already. What the port has and others own goes on to them.
size_t DpdkIo::take_frames(std::span<rte_mbuf*> into) {
  size_t count = inboxes_.take(settings_.worker, into.data(), into.size() / 2);
  const uint16_t burst = rte_eth_rx_burst(settings_.port, settings_.queue, into.data() + count,
                                          static_cast<uint16_t>(into.size() - count));
  if (burst + count == 0) {
    dpdk_counters_.empty_polls.add();
    if (idle_turns_++ == 0) idle_since_ = now_;
    return 0;
  }
  idle_turns_ = 0;
  dpdk_counters_.burst.observe(static_cast<double>(burst + count));
  if (inboxes_.workers() == 1) return burst;
  for (rte_mbuf* frame : into.subspan(count, burst)) {
    if (stays_here(frame)) into[count++] = frame;
  }
  return count;
}

bool DpdkIo::stays_here(rte_mbuf* frame) {
  const Bytes bytes{rte_pktmbuf_mtod(frame, const uint8_t*), frame->data_len};
  const ip::Destination destination = ip::classify(bytes, interface_);
  if (destination.target == ip::Target::Everyone) tell_everyone(frame);
  if (destination.target != ip::Target::Worker || destination.worker == settings_.worker) return true;
  if (inboxes_.put(destination.worker, frame)) {
    dpdk_counters_.handed_over.add();
  } else {
    dpdk_counters_.hand_over_full.add();
    rte_pktmbuf_free(frame);
  }
  return false;
}

void DpdkIo::tell_everyone(rte_mbuf* frame) {
  if (!advertisements_.take(now_)) return;
  for (size_t worker = 0; worker < inboxes_.workers(); ++worker) {
    if (worker == settings_.worker) continue;
    rte_mbuf* copy = rte_pktmbuf_copy(frame, pool_.get(), 0, UINT32_MAX);
    if (copy == nullptr) return counters_.pool_dry.add();
    if (inboxes_.put(worker, copy)) {
      dpdk_counters_.handed_over.add();
    } else {
      dpdk_counters_.hand_over_full.add();
      rte_pktmbuf_free(copy);
    }
  }
}

// True when the frame is a datagram for the path, which `into` is then.
bool DpdkIo::read(rte_mbuf* frame, Packet& into) {
  if (frame->nb_segs != 1) {
    dpdk_counters_.fragmented_buffers.add();
    rte_pktmbuf_free(frame);
    return false;
  }
  const MutableBytes buffer{rte_pktmbuf_mtod(frame, uint8_t*), frame->buf_len - size_t{frame->data_off}};
  const ip::Arrival arrival = host_.receive(buffer, frame->data_len, checksums(frame->ol_flags), now_);
  switch (arrival.verdict) {
    case ip::Arrival::Verdict::Media:
      into = {.buffer = static_cast<uint8_t*>(frame->buf_addr),
              .buffer_bytes = frame->buf_len,
              .offset = frame->data_off + arrival.offset,
              .length = arrival.length,
              .owner = reinterpret_cast<uint64_t>(frame),
              .peer = arrival.peer,
              .arrival = arrival_of(frame)};
      counters_.bytes_received.add(arrival.length);
      return true;
    case ip::Arrival::Verdict::Answer:
      frame->data_len = static_cast<uint16_t>(arrival.length);
      frame->pkt_len = arrival.length;
      forget_flags(frame);
      if (!tx_.push(frame)) counters_.refuse(edge::SendRefusal::BufferFull);
      return false;
    case ip::Arrival::Verdict::Kernel:
      if (kernel_) {
        kernel_->hand_over(frame, now_);
        return false;
      }
      break;
    case ip::Arrival::Verdict::Drop:
      break;
  }
  rte_pktmbuf_free(frame);
  return false;
}

Timestamp DpdkIo::arrival_of(const rte_mbuf* frame) const {
  if (settings_.timestamp_field < 0 || (frame->ol_flags & settings_.timestamp_flag) == 0) return now_;
  return device_clock_.to_host(*RTE_MBUF_DYNFIELD(frame, settings_.timestamp_field, const rte_mbuf_timestamp_t*), now_);
}

size_t DpdkIo::allocate(std::span<Packet> out) {
  std::array<rte_mbuf*, limits::TxBatchPackets> frames;
  size_t count = 0;
  while (count < out.size()) {
    const size_t wanted = std::min(out.size() - count, frames.size());
    const size_t got = take_blank_frames(std::span(frames).first(wanted));
    for (size_t i = 0; i < got; ++i) out[count++] = blank_packet(frames[i]);
    if (got < wanted) {
      counters_.pool_dry.add();
      break;
    }
  }
  loan_.packets += static_cast<int64_t>(count);
  return count;
}

// All at once, or, where there are not so many left, one by one.
size_t DpdkIo::take_blank_frames(std::span<rte_mbuf*> into) {
  if (rte_pktmbuf_alloc_bulk(pool_.get(), into.data(), static_cast<unsigned>(into.size())) == 0) return into.size();
  size_t count = 0;
  while (count < into.size() && (into[count] = rte_pktmbuf_alloc(pool_.get())) != nullptr) ++count;
  return count;
}

void DpdkIo::send(std::span<const Packet> packets) {
  if (tx_.waiting() == 0) sent_first_ = now_;
  for (const Packet& packet : packets) send_one(packet);
  loan_.packets -= static_cast<int64_t>(packets.size());
}

void DpdkIo::send_one(const Packet& packet) {
  rte_mbuf* frame = mbuf_of(packet);
  auto* start = static_cast<uint8_t*>(frame->buf_addr);
  uint8_t* payload = packet.buffer + packet.offset;
  CHECK(payload >= start && payload + packet.length <= start + frame->buf_len);
  if (payload < start + ip::MaxHeaderBytes) {  // the path used up the room in front
    std::memmove(start + RTE_PKTMBUF_HEADROOM, payload, packet.length);
    payload = start + RTE_PKTMBUF_HEADROOM;
  }
  const ip::Departure departure = host_.send(payload, packet.length, packet.peer, now_);
  if (departure.header_bytes == 0) {
    counters_.refuse(refusal(departure.refused));
    return wipe_and_free(packet);
  }
  frame->data_off = static_cast<uint16_t>(payload - departure.header_bytes - start);
  frame->data_len = static_cast<uint16_t>(departure.header_bytes + packet.length);
  frame->pkt_len = frame->data_len;
  ask_for_checksums(frame, departure, settings_.offloads);
  if (!tx_.push(frame)) return counters_.refuse(edge::SendRefusal::BufferFull);
  counters_.packets_sent.add();
  counters_.bytes_sent.add(packet.length);
}

void DpdkIo::send_own_frames() {
  do {
    rte_mbuf* frame = rte_pktmbuf_alloc(pool_.get());
    if (frame == nullptr) return counters_.pool_dry.add();
    const size_t bytes =
        host_.write_own_frame({rte_pktmbuf_mtod(frame, uint8_t*), frame->buf_len - size_t{frame->data_off}}, now_);
    if (bytes == 0) return rte_pktmbuf_free(frame);
    frame->data_len = static_cast<uint16_t>(bytes);
    frame->pkt_len = static_cast<uint32_t>(bytes);
    tx_.push(frame);
  } while (now_ >= host_.next_own_frame());
}

// Nothing more comes: nothing more will join what waits.
void DpdkIo::drain_if_due(size_t received) {
  if (tx_.waiting() > 0 && (received == 0 || now_ - sent_first_ >= TxDrain)) tx_.drain();
}

void DpdkIo::release(std::span<const Packet> packets) {
  for (const Packet& packet : packets) wipe_and_free(packet);
  loan_.packets -= static_cast<int64_t>(packets.size());
}

void DpdkIo::wipe_and_free(const Packet& packet) {
  rte_mbuf* frame = mbuf_of(packet);
  explicit_bzero(frame->buf_addr, frame->buf_len);
  rte_pktmbuf_free(frame);
}

// Nothing is left to wipe. Called now and then: the time to say how the pool is doing.
size_t DpdkIo::wipe_released(size_t) {
  counters_.pool_free.set(static_cast<int64_t>(pool_.free()));
  return 0;
}

std::optional<edge::PathMtu> DpdkIo::next_path_mtu() {
  const auto news = host_.take_path_mtu();
  if (!news) return std::nullopt;
  return edge::PathMtu{news->peer, news->bytes};
}

void DpdkIo::wait(Duration at_most) {
  if (idle_turns_ == 0 || at_most <= 0ns) return;
  const bool may_sleep = settings_.wait == edge::IoWait::Block ||
                         (settings_.wait == edge::IoWait::Adaptive && idle_turns_ > PausesBeforeSleep);
  if (!may_sleep) {
    for (unsigned i = 0; i < PauseLoops; ++i) rte_pause();
    return;
  }
  tx_.drain();
  const Duration sleep = std::clamp<Duration>((now_ - idle_since_) / 16, ShortestSleep, LongestSleep);
  const timespec asleep{0, std::min(at_most, sleep).count()};
  nanosleep(&asleep, nullptr);  // a signal may cut it short: then it looks a little earlier
}

void DpdkIo::visit(MetricVisitor& visitor) const {
  counters_.visit(visitor, worker_);
  host_.counters().visit(visitor, worker_);
  const auto count = [&](std::string_view name, std::string_view help, const Counter& value) {
    visitor.counter(name, help, {{"worker", worker_}}, static_cast<double>(value.value()));
  };
  visitor.histogram("viaduct_dpdk_burst_frames", "Frames that one look into the queues brought, of those that did",
                    {{"worker", worker_}}, dpdk_counters_.burst);
  count("viaduct_dpdk_empty_polls_total", "Looks into the queues that brought nothing", dpdk_counters_.empty_polls);
  count("viaduct_dpdk_handed_over_total", "Frames that went on to the worker they belong to",
        dpdk_counters_.handed_over);
  count("viaduct_dpdk_hand_over_full_total", "Frames lost as that worker was too far behind",
        dpdk_counters_.hand_over_full);
  count("viaduct_dpdk_split_frames_total", "Frames dropped as the port put them into several buffers",
        dpdk_counters_.fragmented_buffers);
  count("viaduct_dpdk_tx_bursts_total", "Calls by which the port took frames to send", tx_.counters().bursts);
  count("viaduct_dpdk_tx_full_total", "Times that the transmit queue had no room", tx_.counters().full);
  count("viaduct_dpdk_tx_dropped_total", "Frames lost as it had none for too long", tx_.counters().dropped);
  if (kernel_) kernel_->visit(visitor, worker_);
}

}  // namespace viaduct::dpdk
