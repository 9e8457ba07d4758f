#include "dpdk/ip/arp.h"

#include <cstring>

#include "dpdk/ip/ethernet.h"

namespace viaduct::dpdk::ip {
namespace {

constexpr uint64_t AskOverEthernet = 0x0001080006040001;  // up to the operation
constexpr uint64_t AnswerOverEthernet = 0x0001080006040002;

struct Party {
  MacAddress mac;
  uint32_t ip = 0;
};

void write_party(ByteWriter& writer, const Party& party) {
  writer.bytes(party.mac.bytes);
  writer.be32(party.ip);
}

size_t write_arp(uint8_t* out, const Interface& interface, const MacAddress& to, uint64_t what, const Party& sender,
                 const Party& target) {
  const size_t bytes = write_ethernet(out, to, interface.mac, interface.vlan, ether_type::Arp);
  ByteWriter writer({out + bytes, ArpBytes});
  writer.be64(what);
  write_party(writer, sender);
  write_party(writer, target);
  return bytes + ArpBytes;
}

}  // namespace

std::optional<ArpView> parse_arp(Bytes message) {
  if (message.size() < ArpBytes) return std::nullopt;
  const uint8_t* p = message.data();
  const uint64_t what = load_be64(p);
  if (what != AskOverEthernet && what != AnswerOverEthernet) return std::nullopt;
  return ArpView{what == AnswerOverEthernet, destination_mac(p + 8), load_be32(p + 14), load_be32(p + 24)};
}

size_t write_arp_reply(uint8_t* out, const Interface& interface, uint32_t own, const ArpView& request) {
  return write_arp(out, interface, request.sender_mac, AnswerOverEthernet, {interface.mac, own},
                   {request.sender_mac, request.sender});
}

size_t write_arp_request(uint8_t* out, const Interface& interface, uint32_t own, uint32_t target,
                         const std::optional<MacAddress>& at) {
  return write_arp(out, interface, at.value_or(Broadcast), AskOverEthernet, {interface.mac, own}, {{}, target});
}

size_t write_arp_announcement(uint8_t* out, const Interface& interface, uint32_t own) {
  return write_arp_request(out, interface, own, own, std::nullopt);
}

}  // namespace viaduct::dpdk::ip
