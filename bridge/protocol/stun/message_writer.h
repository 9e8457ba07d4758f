// Builds a STUN message attribute by attribute (RFC 8489 sections 5 and 14): lengths, padding, integrity, fingerprint.
//
// The binding messages of stun.h are made with it, and so are the odd ones of the tests. It never writes beyond `out`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "protocol/stun/stun.h"

namespace viaduct::stun {

class MessageWriter {
 public:
  MessageWriter(MutableBytes out, MessageClass message_class, uint16_t method, const TransactionId& transaction);

  // Writes the attribute and zeros up to the next multiple of four bytes.
  void attribute(uint16_t type, Bytes value);
  void attribute(uint16_t type, uint32_t value);
  void attribute(uint16_t type, uint64_t value);
  void xor_mapped_address(const SocketAddress& address);
  // These two close the message, in this order; each covers all that was written before it.
  void message_integrity(std::string_view password);
  void fingerprint();

  // The size of the message in bytes, or 0 when it did not fit.
  size_t finish();

 private:
  // Sets the length of the header to what has been written and `more_bytes`, and returns the message so far.
  Bytes with_length(size_t more_bytes);

  ByteWriter writer_;
  TransactionId transaction_;
};

}  // namespace viaduct::stun
