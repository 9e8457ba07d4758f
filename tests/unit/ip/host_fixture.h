// A UdpHost with addresses of both families, and what its tests say often.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "dpdk/ip/classify.h"
#include "dpdk/ip/udp_host.h"
#include "tests/support/frames/frames.h"

namespace viaduct::dpdk::ip {

using namespace viaduct::testing;  // NOLINT: these tests talk of little else
using Verdict = Arrival::Verdict;

inline constexpr Timestamp Start{100s};
inline constexpr uint16_t FirstPort = 10000;
inline constexpr uint16_t Port = 10001;  // of worker 1, which the tests are about

inline Interface both_families() {
  return {.mac = OurMac,
          .addresses = {*InterfaceAddress::parse("192.0.2.1/24"), *InterfaceAddress::parse("192.0.2.77/24"),
                        *InterfaceAddress::parse("2001:db8::1/64")},
          .gateways = {viaduct::testing::ip("192.0.2.254"), viaduct::testing::ip("2001:db8::fe")},
          .first_media_port = FirstPort,
          .media_ports = 4};
}

// What became of a frame. The buffer is a heap block of its exact size.
struct Delivered {
  Arrival arrival;
  std::unique_ptr<uint8_t[]> buffer;
  size_t buffer_bytes = 0;

  Verdict verdict() const { return arrival.verdict; }
  Bytes datagram() const { return {buffer.get() + arrival.offset, arrival.length}; }
  Bytes start(size_t bytes) const { return {buffer.get(), bytes}; }
  // The answer, which has to be sound.
  ReadFrame answer() const {
    EXPECT_EQ(arrival.verdict, Verdict::Answer);
    EXPECT_LE(arrival.length, buffer_bytes);
    if (arrival.verdict != Verdict::Answer || arrival.length > buffer_bytes) return {};
    const ReadResult read = read_frame(start(arrival.length));
    EXPECT_TRUE(read.frame) << read.why;
    return read.frame.value_or(ReadFrame{});
  }
};

class HostTest : public ::testing::Test {
 protected:
  const SocketAddress us_v4 = at("192.0.2.1", Port);
  const SocketAddress us_v6 = at("2001:db8::1", Port);
  const SocketAddress peer_v4 = at("198.51.100.7", 5000);
  const SocketAddress peer_v6 = at("2001:db8:7::7", 5000);
  const SocketAddress neighbour_v4 = at("192.0.2.9", 5000);
  const SocketAddress neighbour_v6 = at("2001:db8::9", 5000);

  // Begins anew with another interface.
  void use(const Interface& other, TxOffloads offloads = {}, bool announces = false) {
    host_.reset();
    interface_ = other;
    host_ = std::make_unique<UdpHost>(interface_, Port, offloads, announces);
  }
  UdpHost& host() { return *host_; }
  const Interface& interface() const { return interface_; }

  static Delivered deliver_to(UdpHost& host, Bytes frame, Timestamp now, size_t room = 128, RxChecksums known = {}) {
    Delivered out;
    out.buffer_bytes = frame.size() + room;
    out.buffer.reset(new uint8_t[out.buffer_bytes]);
    std::copy(frame.begin(), frame.end(), out.buffer.get());
    std::fill_n(out.buffer.get() + frame.size(), room, uint8_t{0xa5});
    out.arrival = host.receive({out.buffer.get(), out.buffer_bytes}, frame.size(), known, now);
    return out;
  }
  Delivered deliver(Bytes frame, Timestamp now = Start, size_t room = 128, RxChecksums known = {}) {
    return deliver_to(*host_, frame, now, room, known);
  }
  // Drops for this reason and no other.
  void expect_drop(FrameDrop reason, Bytes frame, RxChecksums known = {}) {
    const uint64_t before = host().counters().of(reason);
    EXPECT_EQ(deliver(frame, Start, 128, known).verdict(), Verdict::Drop);
    EXPECT_EQ(host().counters().of(reason), before + 1) << to_string(reason);
  }

  struct Sent {
    Departure departure;
    Octets frame;
  };
  Sent send_to(const SocketAddress& peer, Bytes payload, Timestamp now = Start) {
    const std::unique_ptr<uint8_t[]> block(new uint8_t[MaxHeaderBytes + payload.size()]);
    uint8_t* data = block.get() + MaxHeaderBytes;
    std::copy(payload.begin(), payload.end(), data);
    const Departure departure = host().send(data, payload.size(), peer, now);
    if (departure.header_bytes == 0) return {departure, {}};
    return {departure, {data - departure.header_bytes, data + payload.size()}};
  }
  // Sent, and sound.
  ReadFrame sent_to(const SocketAddress& peer, Bytes payload, Timestamp now = Start) {
    const Sent sent = send_to(peer, payload, now);
    EXPECT_EQ(sent.departure.refused, Refusal::None);
    const ReadResult read = read_frame(sent.frame);
    EXPECT_TRUE(read.frame) << read.why;
    return read.frame.value_or(ReadFrame{});
  }
  Refusal refusal_of(const SocketAddress& peer, Bytes payload, Timestamp now = Start) {
    return send_to(peer, payload, now).departure.refused;
  }

  // A frame of the host's own, which has to be sound; empty when it has nothing to say.
  std::optional<ReadFrame> own_frame(Timestamp now) {
    const std::unique_ptr<uint8_t[]> block(new uint8_t[MaxOwnFrameBytes]);
    const size_t bytes = host().write_own_frame({block.get(), MaxOwnFrameBytes}, now);
    if (bytes == 0) return std::nullopt;
    const ReadResult read = read_frame({block.get(), bytes});
    EXPECT_TRUE(read.frame) << read.why;
    return read.frame;
  }
  std::vector<ReadFrame> own_frames(Timestamp now) {
    std::vector<ReadFrame> frames;
    while (const auto frame = own_frame(now)) frames.push_back(*frame);
    return frames;
  }

  // The peer proves itself: its request arrives from `mac` and is answered with success.
  void prove(const SocketAddress& peer, const SocketAddress& us, const MacAddress& mac, uint32_t transaction = 1) {
    IpFrame request = udp_frame(peer, us, binding_request(transaction));
    request.from_mac = mac;
    ASSERT_EQ(deliver(request.build()).verdict(), Verdict::Media);
    const ReadFrame response = sent_to(peer, binding_response(transaction, true));
    ASSERT_EQ(response.to_mac, mac);
    ASSERT_EQ(response.from, us.ip);
  }

 private:
  Interface interface_ = both_families();
  std::unique_ptr<UdpHost> host_ = std::make_unique<UdpHost>(interface_, Port, TxOffloads{}, false);
};

}  // namespace viaduct::dpdk::ip
