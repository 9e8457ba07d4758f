// Numbers of the STUN wire format that parser and writer share (RFC 8489 sections 5 and 18, RFC 8445 section 20.1).
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/stun/stun.h"

namespace viaduct::stun {

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  |0 0|     STUN message type     |         message length        |
//  |                         magic cookie                          |
//  |                   transaction id (12 bytes)                   |
//  then attributes: type (16), length without padding (16), value, padding to a multiple of 4
inline constexpr uint32_t MagicCookie = 0x2112a442;
inline constexpr size_t AttributeHeaderBytes = 4;
inline constexpr size_t IntegrityBytes = 20;
inline constexpr uint32_t FingerprintMask = 0x5354554e;  // "STUN"

// Attribute types. Those below 0x8000 must be understood by whoever receives them.
namespace attribute {
inline constexpr uint16_t MappedAddress = 0x0001;
inline constexpr uint16_t Username = 0x0006;
inline constexpr uint16_t MessageIntegrity = 0x0008;
inline constexpr uint16_t ErrorCode = 0x0009;
inline constexpr uint16_t UnknownAttributes = 0x000a;
inline constexpr uint16_t Realm = 0x0014;
inline constexpr uint16_t Nonce = 0x0015;
inline constexpr uint16_t XorMappedAddress = 0x0020;
inline constexpr uint16_t Priority = 0x0024;
inline constexpr uint16_t UseCandidate = 0x0025;
inline constexpr uint16_t FirstOptional = 0x8000;
inline constexpr uint16_t Fingerprint = 0x8028;
inline constexpr uint16_t IceControlled = 0x8029;
inline constexpr uint16_t IceControlling = 0x802a;
}  // namespace attribute

inline constexpr uint8_t FamilyV4 = 1;
inline constexpr uint8_t FamilyV6 = 2;

// The two class bits stand inside the method's twelve: 0b00MMMMMCMMMCMMMM.
constexpr uint16_t message_type(MessageClass message_class, uint16_t method) {
  const auto c = static_cast<unsigned>(message_class);
  return static_cast<uint16_t>((method & 0x00fu) | ((method & 0x070u) << 1) | ((method & 0xf80u) << 2) |
                               ((c & 1) << 4) | ((c & 2) << 7));
}
constexpr MessageClass class_of(uint16_t type) {
  return static_cast<MessageClass>(((type >> 4) & 1) | ((type >> 7) & 2));
}
constexpr uint16_t method_of(uint16_t type) {
  return static_cast<uint16_t>((type & 0x00f) | ((type >> 1) & 0x070) | ((type >> 2) & 0xf80));
}
static_assert(message_type(MessageClass::Request, BindingMethod) == 0x0001);
static_assert(message_type(MessageClass::Success, BindingMethod) == 0x0101);
static_assert(message_type(MessageClass::Error, BindingMethod) == 0x0111);

constexpr size_t padded(size_t bytes) { return (bytes + 3) & ~size_t{3}; }

// XOR-MAPPED-ADDRESS hides the address behind the cookie and the transaction id, in both directions alike.
constexpr std::array<uint8_t, 16> address_mask(const TransactionId& transaction) {
  std::array<uint8_t, 16> mask{};
  store_be32(mask.data(), MagicCookie);
  for (size_t i = 0; i < transaction.size(); ++i) mask[4 + i] = transaction[i];
  return mask;
}

}  // namespace viaduct::stun
