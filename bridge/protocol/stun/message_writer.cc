#include "protocol/stun/message_writer.h"

#include <limits>

#include "protocol/stun/digests.h"
#include "protocol/stun/wire.h"

namespace viaduct::stun {

MessageWriter::MessageWriter(MutableBytes out, MessageClass message_class, uint16_t method,
                             const TransactionId& transaction)
    : writer_(out), transaction_(transaction) {
  writer_.be16(message_type(message_class, method));
  writer_.be16(0);
  writer_.be32(MagicCookie);
  writer_.bytes(transaction);
}

void MessageWriter::attribute(uint16_t type, Bytes value) {
  writer_.be16(type);
  writer_.be16(static_cast<uint16_t>(value.size()));
  writer_.bytes(value);
  writer_.zeros(padded(value.size()) - value.size());
}

void MessageWriter::attribute(uint16_t type, uint32_t value) {
  uint8_t wire[4];
  store_be32(wire, value);
  attribute(type, Bytes(wire));
}

void MessageWriter::attribute(uint16_t type, uint64_t value) {
  uint8_t wire[8];
  store_be64(wire, value);
  attribute(type, Bytes(wire));
}

void MessageWriter::xor_mapped_address(const SocketAddress& address) {
  const std::array<uint8_t, 16> mask = address_mask(transaction_);
  const size_t ip_bytes = address.ip.is_v6() ? 16 : 4;
  std::array<uint8_t, 4 + 16> value{};
  value[1] = address.ip.is_v6() ? FamilyV6 : FamilyV4;
  store_be16(&value[2], static_cast<uint16_t>(address.port ^ load_be16(mask.data())));
  for (size_t i = 0; i < ip_bytes; ++i) value[4 + i] = address.ip.bytes()[i] ^ mask[i];
  attribute(attribute::XorMappedAddress, Bytes(value).first(4 + ip_bytes));
}

void MessageWriter::message_integrity(std::string_view password) {
  const Bytes covered = with_length(AttributeHeaderBytes + IntegrityBytes);
  attribute(attribute::MessageIntegrity, hmac_sha1(as_bytes(password), {covered}));
}

void MessageWriter::fingerprint() {
  const Bytes covered = with_length(AttributeHeaderBytes + sizeof(uint32_t));
  attribute(attribute::Fingerprint, crc32({covered}) ^ FingerprintMask);
}

size_t MessageWriter::finish() {
  with_length(0);
  return writer_.ok() && writer_.size() - HeaderBytes <= std::numeric_limits<uint16_t>::max() ? writer_.size() : 0;
}

Bytes MessageWriter::with_length(size_t more_bytes) {
  if (!writer_.ok()) return {};
  const MutableBytes message = writer_.written();
  store_be16(&message[2], static_cast<uint16_t>(message.size() - HeaderBytes + more_bytes));
  return message;
}

}  // namespace viaduct::stun
