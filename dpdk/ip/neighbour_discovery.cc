#include "dpdk/ip/neighbour_discovery.h"

#include <cstring>

#include "dpdk/ip/envelope.h"
#include "dpdk/ip/ethernet.h"
#include "dpdk/ip/icmp.h"

namespace viaduct::dpdk::ip {
namespace {

constexpr size_t FixedBytes = 24;
constexpr uint8_t NeverForwarded = 255;  // what arrives with this hop limit has passed no router
constexpr uint32_t Solicited = 0x40000000;
constexpr uint32_t Override = 0x20000000;
constexpr uint8_t SourceLink = 1;
constexpr uint8_t TargetLink = 2;

struct Options {
  std::optional<MacAddress> source_link;
  std::optional<MacAddress> target_link;
};

// Empty when one has no length or is cut short.
std::optional<Options> parse_options(Bytes bytes) {
  Options options;
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    const uint8_t type = reader.u8();
    const size_t size = reader.u8() * size_t{8};
    if (size == 0) return std::nullopt;
    const Bytes value = reader.bytes(size - 2);
    if (!reader.ok()) return std::nullopt;
    if (size != 8) continue;  // not the address of an Ethernet
    if (type == SourceLink) options.source_link = destination_mac(value.data());
    if (type == TargetLink) options.target_link = destination_mac(value.data());
  }
  return options;
}

// The target, where the message is one that both kinds may be.
std::optional<Ipv6Address> target_of(Bytes message, const Ipv6View& ip) {
  if (message.size() < FixedBytes || message[1] != 0 || ip.hop_limit() != NeverForwarded) return std::nullopt;
  Ipv6Address target;
  std::memcpy(target.data(), &message[8], target.size());
  return is_multicast_v6(target) ? std::nullopt : std::optional(target);
}

MacAddress multicast_mac(const Ipv6Address& group) {
  return {{0x33, 0x33, group[12], group[13], group[14], group[15]}};
}

struct Message {
  uint8_t type = 0;
  uint32_t flags = 0;
  uint8_t option = 0;  // with our MAC
};

size_t write_message(uint8_t* out, const Interface& interface, const Envelope& envelope, const Message& message,
                     const Ipv6Address& target) {
  const size_t offset = write_envelope(out, interface, envelope, NeighbourMessageBytes);
  ByteWriter writer({out + offset, NeighbourMessageBytes});
  writer.u8(message.type);
  writer.zeros(3);
  writer.be32(message.flags);
  writer.bytes(target);
  writer.u8(message.option);
  writer.u8(1);
  writer.bytes(interface.mac.bytes);
  write_icmp_checksum(out + offset - Ipv6Bytes, true, writer.written());
  return offset + NeighbourMessageBytes;
}

Envelope envelope_to(const MacAddress& mac, const Ipv6Address& source, const Ipv6Address& destination) {
  return {.to_mac = mac,
          .source = IpAddress::v6(source),
          .destination = IpAddress::v6(destination),
          .protocol = ip_protocol::Icmpv6,
          .hop_limit = NeverForwarded};
}

}  // namespace

std::optional<Solicitation> parse_solicitation(Bytes message, const Ipv6View& ip) {
  const auto target = target_of(message, ip);
  if (!target) return std::nullopt;
  const auto options = parse_options(message.subspan(FixedBytes));
  if (!options) return std::nullopt;
  if (ip.source() == Ipv6Address{}) {  // somebody who wants to know whether it may have the address
    if (ip.destination() != solicited_node(*target) || options->source_link) return std::nullopt;
  }
  return Solicitation{*target};
}

std::optional<Advertisement> parse_advertisement(Bytes message, const Ipv6View& ip) {
  const auto target = target_of(message, ip);
  if (!target) return std::nullopt;
  const auto options = parse_options(message.subspan(FixedBytes));
  const uint32_t flags = load_be32(&message[4]);
  if (!options || (is_multicast_v6(ip.destination()) && (flags & Solicited) != 0)) return std::nullopt;
  return Advertisement{*target, (flags & Override) != 0, options->target_link};
}

size_t write_solicitation(uint8_t* out, const Interface& interface, const Ipv6Address& own, const Ipv6Address& target,
                          const std::optional<MacAddress>& at) {
  const Ipv6Address destination = at ? target : solicited_node(target);
  const MacAddress mac = at ? *at : multicast_mac(destination);
  return write_message(out, interface, envelope_to(mac, own, destination),
                       {.type = icmpv6_type::Solicitation, .option = SourceLink}, target);
}

size_t write_advertisement(uint8_t* out, const Interface& interface, const Ipv6Address& own, const Ipv6Address& asker,
                           const MacAddress& asker_mac) {
  if (asker == Ipv6Address{}) return write_unsolicited_advertisement(out, interface, own);
  return write_message(out, interface, envelope_to(asker_mac, own, asker),
                       {.type = icmpv6_type::Advertisement, .flags = Solicited | Override, .option = TargetLink}, own);
}

size_t write_unsolicited_advertisement(uint8_t* out, const Interface& interface, const Ipv6Address& own) {
  return write_message(out, interface, envelope_to(multicast_mac(AllNodes), own, AllNodes),
                       {.type = icmpv6_type::Advertisement, .flags = Override, .option = TargetLink}, own);
}

}  // namespace viaduct::dpdk::ip
