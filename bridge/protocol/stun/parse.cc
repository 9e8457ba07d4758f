#include <openssl/crypto.h>

#include "protocol/stun/digests.h"
#include "protocol/stun/stun.h"
#include "protocol/stun/wire.h"

namespace viaduct::stun {
namespace {

std::optional<SocketAddress> parse_xor_mapped_address(Bytes value, const TransactionId& transaction) {
  if (value.size() != 8 && value.size() != 20) return std::nullopt;
  if (value[1] != (value.size() == 8 ? FamilyV4 : FamilyV6)) return std::nullopt;
  const std::array<uint8_t, 16> mask = address_mask(transaction);
  std::array<uint8_t, 16> ip{};
  for (size_t i = 0; i < value.size() - 4; ++i) ip[i] = value[4 + i] ^ mask[i];
  const auto port = static_cast<uint16_t>(load_be16(&value[2]) ^ load_be16(mask.data()));
  return SocketAddress{value.size() == 8 ? IpAddress::v4(load_be32(ip.data())) : IpAddress::v6(ip), port};
}

std::optional<uint16_t> parse_error_code(Bytes value) {
  if (value.size() < 4) return std::nullopt;
  const uint8_t hundreds = value[2] & 7;
  if (hundreds < 3 || hundreds > 6 || value[3] > 99) return std::nullopt;
  return static_cast<uint16_t>(hundreds * 100 + value[3]);
}

// Sets `field` unless an earlier attribute of the same type has.
template <typename T>
void set_once(std::optional<T>& field, T value) {
  if (!field) field = value;
}

// An attribute up to and including MESSAGE-INTEGRITY, which begins at `offset`. False when its value is impossible.
bool take_attribute(MessageView& message, uint16_t type, Bytes value, size_t offset) {
  switch (type) {
    case attribute::Username:
      if (value.size() > MaxUsernameBytes) return false;
      set_once(message.username, as_text(value));
      return true;
    case attribute::Priority:
      if (value.size() != 4) return false;
      set_once(message.priority, load_be32(value.data()));
      return true;
    case attribute::UseCandidate:
      if (!value.empty()) return false;
      message.use_candidate = true;
      return true;
    case attribute::IceControlling:
    case attribute::IceControlled:
      if (value.size() != 8) return false;
      set_once(type == attribute::IceControlling ? message.controlling : message.controlled, load_be64(value.data()));
      return true;
    case attribute::XorMappedAddress: {
      const std::optional<SocketAddress> address = parse_xor_mapped_address(value, message.transaction);
      if (address) set_once(message.mapped, *address);
      return address.has_value();
    }
    case attribute::ErrorCode: {
      const std::optional<uint16_t> code = parse_error_code(value);
      if (code) set_once(message.error_code, *code);
      return code.has_value();
    }
    case attribute::MessageIntegrity:
      if (value.size() != IntegrityBytes) return false;
      message.integrity_offset = offset;
      return true;
    case attribute::MappedAddress:  // understood, and of no use to ICE
    case attribute::UnknownAttributes:
    case attribute::Realm:
    case attribute::Nonce:
      return true;
    default:
      if (type >= attribute::FirstOptional) return true;
      if (message.unknown_count < message.unknown.size()) message.unknown[message.unknown_count] = type;
      ++message.unknown_count;
      return true;
  }
}

// The header's length counts the fingerprint already, since that comes last: no adjusting is needed.
bool fingerprint_right(Bytes before, Bytes value) {
  return value.size() == 4 && load_be32(value.data()) == (crc32({before}) ^ FingerprintMask);
}

}  // namespace

bool looks_like_stun(Bytes datagram) {
  if (datagram.size() < HeaderBytes || datagram[0] > 3) return false;
  if (load_be32(&datagram[4]) != MagicCookie) return false;
  const size_t length = load_be16(&datagram[2]);
  return length % 4 == 0 && HeaderBytes + length == datagram.size();
}

std::optional<MessageView> parse_message(Bytes datagram) {
  if (!looks_like_stun(datagram)) return std::nullopt;
  MessageView message;
  message.bytes = datagram;
  message.message_class = class_of(load_be16(datagram.data()));
  message.method = method_of(load_be16(datagram.data()));
  std::memcpy(message.transaction.data(), &datagram[8], message.transaction.size());

  ByteReader reader(datagram.subspan(HeaderBytes));
  while (reader.remaining() > 0) {
    const size_t offset = datagram.size() - reader.remaining();
    const uint16_t type = reader.be16();
    const size_t length = reader.be16();
    const Bytes value = reader.bytes(length);
    reader.skip(padded(length) - length);
    if (!reader.ok()) return std::nullopt;
    if (type == attribute::Fingerprint) {
      if (reader.remaining() > 0 || !fingerprint_right(datagram.first(offset), value)) return std::nullopt;
      message.has_fingerprint = true;
    } else if (!message.integrity_offset && !take_attribute(message, type, value, offset)) {
      return std::nullopt;
    }
  }
  return message;
}

bool integrity_ok(const MessageView& message, std::string_view password) {
  if (!message.integrity_offset) return false;
  // The HMAC was taken when MESSAGE-INTEGRITY was the last attribute, and the header's length said so.
  const size_t offset = *message.integrity_offset;
  uint8_t length_then[2];
  store_be16(length_then, static_cast<uint16_t>(offset - HeaderBytes + AttributeHeaderBytes + IntegrityBytes));
  const Sha1Digest expected = hmac_sha1(as_bytes(password), {message.bytes.first(2), Bytes(length_then),
                                                             message.bytes.subspan(4, offset - 4)});
  const Bytes received = message.bytes.subspan(offset + AttributeHeaderBytes, IntegrityBytes);
  return CRYPTO_memcmp(expected.data(), received.data(), expected.size()) == 0;
}

}  // namespace viaduct::stun
