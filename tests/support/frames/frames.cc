#include "tests/support/frames/frames.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "protocol/stun/stun.h"

namespace viaduct::testing {
namespace {

constexpr uint8_t Icmp = 1;
constexpr uint8_t Udp = 17;
constexpr uint8_t Icmpv6 = 58;

void put(Octets& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }
void put8(Octets& out, size_t v) { out.push_back(static_cast<uint8_t>(v)); }
void put16(Octets& out, size_t v) {
  put8(out, v >> 8);
  put8(out, v);
}
void put32(Octets& out, size_t v) {
  put16(out, v >> 16);
  put16(out, v);
}
void put_address(Octets& out, const IpAddress& a) { put(out, Bytes(a.bytes()).first(a.is_v6() ? 16 : 4)); }

Octets pseudo_header(const IpAddress& from, const IpAddress& to, uint8_t protocol, size_t length) {
  Octets out;
  put_address(out, from);
  put_address(out, to);
  if (from.is_v6()) {
    put32(out, length);
    put32(out, protocol);
  } else {
    put16(out, protocol);
    put16(out, length);
  }
  return out;
}

void set16(Octets& out, size_t offset, uint16_t v) { store_be16(&out[offset], v); }

Octets ipv4_packet(const IpFrame& frame) {
  Octets out;
  put8(out, 0x45 + frame.options.size() / 4);
  put8(out, 0);
  put16(out, 20 + frame.options.size() + frame.payload.size());
  put16(out, 0x1234);
  put16(out, frame.fragment);
  put8(out, frame.hops);
  put8(out, frame.protocol);
  put16(out, 0);
  put_address(out, frame.from);
  put_address(out, frame.to);
  put(out, frame.options);
  set16(out, 10, naive_checksum(out));
  put(out, frame.payload);
  return out;
}

Octets ipv6_packet(const IpFrame& frame) {
  Octets out;
  put32(out, 0x60012345);
  put16(out, frame.extensions.size() + frame.payload.size());
  put8(out, frame.extensions.empty() ? frame.protocol : frame.first_extension);
  put8(out, frame.hops);
  put_address(out, frame.from);
  put_address(out, frame.to);
  put(out, frame.extensions);
  put(out, frame.payload);
  return out;
}

void put_ethernet(Octets& out, const MacAddress& to, const MacAddress& from, std::optional<uint16_t> tag,
                  uint16_t type) {
  put(out, to.bytes);
  put(out, from.bytes);
  if (tag) {
    put16(out, 0x8100);
    put16(out, *tag);
  }
  put16(out, type);
}

std::string read_ip_payload(ReadFrame& out) {
  if (out.protocol != Udp && out.protocol != Icmp && out.protocol != Icmpv6) return "a protocol that is not ours";
  if (out.body.size() < 8) return "too short for its protocol";
  if (out.protocol == Icmp && out.from.is_v6()) return "ICMP over IPv6";
  const bool has_pseudo_header = out.protocol != Icmp;
  const Octets pseudo =
      has_pseudo_header ? pseudo_header(out.from, out.to, out.protocol, out.body.size()) : Octets{};
  if (naive_checksum(pseudo, out.body) != 0) return "a wrong checksum of UDP or ICMP";
  if (out.protocol != Udp) return "";
  if (load_be16(&out.body[6]) == 0) return "no UDP checksum";
  if (load_be16(&out.body[4]) != out.body.size()) return "a wrong UDP length";
  out.from_port = load_be16(&out.body[0]);
  out.to_port = load_be16(&out.body[2]);
  out.datagram.assign(out.body.begin() + 8, out.body.end());
  return "";
}

std::string read_v4(Bytes packet, ReadFrame& out) {
  if (packet.size() < 20 || packet[0] != 0x45) return "no IPv4 header without options";
  if (load_be16(&packet[2]) != packet.size()) return "a wrong IPv4 length";
  if (naive_checksum(packet.first(20)) != 0) return "a wrong IPv4 checksum";
  out.fragment = load_be16(&packet[6]);
  out.hops = packet[8];
  out.protocol = packet[9];
  out.from = IpAddress::v4(load_be32(&packet[12]));
  out.to = IpAddress::v4(load_be32(&packet[16]));
  out.body.assign(packet.begin() + 20, packet.end());
  return read_ip_payload(out);
}

IpAddress v6_at(const uint8_t* p) {
  std::array<uint8_t, 16> bytes;
  std::copy_n(p, bytes.size(), bytes.begin());
  return IpAddress::v6(bytes);
}

std::string read_v6(Bytes packet, ReadFrame& out) {
  if (packet.size() < 40 || packet[0] != 0x60) return "no IPv6 header";
  if (load_be16(&packet[4]) + size_t{40} != packet.size()) return "a wrong IPv6 length";
  out.protocol = packet[6];
  out.hops = packet[7];
  out.from = v6_at(&packet[8]);
  out.to = v6_at(&packet[24]);
  out.body.assign(packet.begin() + 40, packet.end());
  return read_ip_payload(out);
}

std::string read_into(Bytes frame, ReadFrame& out) {
  if (frame.size() < 18) return "too short for Ethernet";
  std::copy_n(frame.begin(), 6, out.to_mac.bytes.begin());
  std::copy_n(frame.begin() + 6, 6, out.from_mac.bytes.begin());
  size_t bytes = 14;
  out.type = load_be16(&frame[12]);
  if (out.type == 0x8100) {
    out.tag = load_be16(&frame[14]);
    out.type = load_be16(&frame[16]);
    bytes = 18;
  }
  const Bytes packet = frame.subspan(bytes);
  if (out.type == 0x0800) return read_v4(packet, out);
  if (out.type == 0x86dd) return read_v6(packet, out);
  if (out.type != 0x0806) return "a type that is not ours";
  if (packet.size() != 28) return "a wrong size of ARP";
  out.body.assign(packet.begin(), packet.end());
  return "";
}

stun::TransactionId transaction_id(uint32_t number) {
  stun::TransactionId id{};
  store_be32(&id[0], number * 2654435761u);
  store_be32(&id[8], number);
  return id;
}

IpFrame neighbour_frame(const IpAddress& from, const IpAddress& to, uint8_t type, uint32_t flags,
                        const IpAddress& target, uint8_t option, const MacAddress& mac) {
  Octets body(target.bytes().begin(), target.bytes().end());
  if (option != 0) {
    put8(body, option);
    put8(body, 1);
    put(body, mac.bytes);
  }
  IpFrame frame = icmp_frame(from, to, type, 0, flags, body);
  frame.hops = 255;
  return frame;
}

}  // namespace

IpAddress ip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address) throw std::invalid_argument(std::string(text));
  return *address;
}

SocketAddress at(std::string_view address, uint16_t port) { return {ip(address), port}; }

Octets octets(std::string_view text) { return {text.begin(), text.end()}; }

uint16_t naive_checksum(Bytes first, Bytes second) {
  uint32_t sum = 0;
  for (const Bytes part : {first, second}) {
    for (size_t i = 0; i < part.size(); i += 2) {
      sum += static_cast<uint32_t>(part[i] << 8 | (i + 1 < part.size() ? part[i + 1] : 0));
      sum = (sum & 0xffff) + (sum >> 16);
    }
  }
  return static_cast<uint16_t>(~sum);
}

Octets IpFrame::build() const {
  Octets out;
  put_ethernet(out, to_mac, from_mac, tag, from.is_v6() ? 0x86dd : 0x0800);
  put(out, from.is_v6() ? ipv6_packet(*this) : ipv4_packet(*this));
  out.resize(out.size() + padding, 0xee);
  return out;
}

Octets udp_datagram(const SocketAddress& from, const SocketAddress& to, Bytes payload, bool with_checksum) {
  Octets out;
  put16(out, from.port);
  put16(out, to.port);
  put16(out, 8 + payload.size());
  put16(out, 0);
  put(out, payload);
  if (!with_checksum) return out;
  const uint16_t checksum = naive_checksum(pseudo_header(from.ip, to.ip, Udp, out.size()), out);
  set16(out, 6, checksum == 0 ? 0xffff : checksum);
  return out;
}

Octets icmp_message(const IpAddress& from, const IpAddress& to, uint8_t type, uint8_t code, uint32_t rest,
                    Bytes body) {
  Octets out{type, code, 0, 0};
  put32(out, rest);
  put(out, body);
  set16(out, 2, naive_checksum(from.is_v6() ? pseudo_header(from, to, Icmpv6, out.size()) : Octets{}, out));
  return out;
}

IpFrame udp_frame(const SocketAddress& from, const SocketAddress& to, Bytes payload) {
  return {.from = from.ip, .to = to.ip, .protocol = Udp, .payload = udp_datagram(from, to, payload)};
}

IpFrame icmp_frame(const IpAddress& from, const IpAddress& to, uint8_t type, uint8_t code, uint32_t rest, Bytes body) {
  return {.from = from,
          .to = to,
          .protocol = from.is_v6() ? Icmpv6 : Icmp,
          .payload = icmp_message(from, to, type, code, rest, body)};
}

Octets arp_frame(uint16_t operation, const MacAddress& sender_mac, const IpAddress& sender, const IpAddress& target,
                 const MacAddress& to_mac) {
  Octets out;
  put_ethernet(out, to_mac, sender_mac, std::nullopt, 0x0806);
  put32(out, 0x00010800);
  put16(out, 0x0604);
  put16(out, operation);
  put(out, sender_mac.bytes);
  put_address(out, sender);
  put(out, operation == 2 ? to_mac.bytes : MacAddress{}.bytes);
  put_address(out, target);
  out.resize(60);  // the least that Ethernet carries
  return out;
}

IpFrame solicitation_frame(const IpAddress& from, const IpAddress& to, const IpAddress& target, uint8_t option,
                           const MacAddress& mac) {
  return neighbour_frame(from, to, 135, 0, target, option, mac);
}

IpFrame advertisement_frame(const IpAddress& from, const IpAddress& to, const IpAddress& target, uint32_t flags,
                            uint8_t option, const MacAddress& mac) {
  return neighbour_frame(from, to, 136, flags, target, option, mac);
}

void mend_checksums(Octets& frame) {
  if (frame.size() < 14 + 40) return;
  const bool v6 = load_be16(&frame[12]) == 0x86dd;
  const size_t header = v6 ? 40 : 4 * (frame[14] & 0x0fu);
  const size_t packet = v6 ? 40u + load_be16(&frame[18]) : load_be16(&frame[16]);
  if (header < 20 || packet < header + 8 || 14 + packet > frame.size()) return;
  if (!v6) {
    set16(frame, 24, 0);
    set16(frame, 24, naive_checksum(Bytes(frame).subspan(14, header)));
  }
  const uint8_t protocol = frame[v6 ? 20 : 23];
  if (protocol != Udp && protocol != Icmp && protocol != Icmpv6) return;
  const size_t l4 = 14 + header;
  const size_t field = l4 + (protocol == Udp ? 6u : 2u);
  const IpAddress from = v6 ? v6_at(&frame[22]) : IpAddress::v4(load_be32(&frame[26]));
  const IpAddress to = v6 ? v6_at(&frame[38]) : IpAddress::v4(load_be32(&frame[30]));
  set16(frame, field, 0);
  const Octets pseudo = protocol == Icmp ? Octets{} : pseudo_header(from, to, protocol, packet - header);
  set16(frame, field, naive_checksum(pseudo, Bytes(frame).subspan(l4, packet - header)));
}

Octets binding_request(uint32_t transaction) {
  std::array<uint8_t, 256> out;
  const size_t bytes = stun::write_binding_request(out, {.transaction = transaction_id(transaction),
                                                         .username = "bridge:client",
                                                         .password = "a password of 22 chars",
                                                         .priority = 1,
                                                         .controlling = 7});
  return {out.begin(), out.begin() + static_cast<ptrdiff_t>(bytes)};
}

Octets binding_response(uint32_t transaction, bool success) {
  Octets out;
  put16(out, success ? 0x0101 : 0x0111);
  put16(out, 0);
  put32(out, 0x2112a442);
  put(out, transaction_id(transaction));
  return out;
}

ReadResult read_frame(Bytes frame) {
  ReadFrame out;
  std::string why = read_into(frame, out);
  if (!why.empty()) return {std::nullopt, std::move(why)};
  return {std::move(out), ""};
}

}  // namespace viaduct::testing
