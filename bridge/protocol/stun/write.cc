#include <algorithm>

#include "protocol/stun/message_writer.h"
#include "protocol/stun/stun.h"
#include "protocol/stun/wire.h"

namespace viaduct::stun {

size_t write_binding_request(MutableBytes out, const BindingRequest& request) {
  MessageWriter message(out, MessageClass::Request, BindingMethod, request.transaction);
  message.attribute(attribute::Username, as_bytes(request.username));
  message.attribute(attribute::Priority, request.priority);
  if (request.controlling) message.attribute(attribute::IceControlling, *request.controlling);
  if (request.controlled) message.attribute(attribute::IceControlled, *request.controlled);
  if (request.use_candidate) message.attribute(attribute::UseCandidate, Bytes{});
  message.message_integrity(request.password);
  message.fingerprint();
  return message.finish();
}

size_t write_binding_success(MutableBytes out, const BindingSuccess& success) {
  MessageWriter message(out, MessageClass::Success, BindingMethod, success.transaction);
  message.xor_mapped_address(success.mapped);
  message.message_integrity(success.password);
  if (success.fingerprint) message.fingerprint();
  return message.finish();
}

size_t write_binding_error(MutableBytes out, const BindingError& error) {
  MessageWriter message(out, MessageClass::Error, BindingMethod, error.transaction);
  // RFC 8489 section 14.8: 21 bits reserved, the hundreds, the rest modulo 100.
  message.attribute(attribute::ErrorCode, (static_cast<uint32_t>(error.code / 100) << 8) | error.code % 100u);
  if (!error.unknown.empty()) {
    std::array<uint8_t, 2 * MaxUnknownAttributes> types{};
    const size_t count = std::min(error.unknown.size(), MaxUnknownAttributes);
    for (size_t i = 0; i < count; ++i) store_be16(&types[2 * i], error.unknown[i]);
    message.attribute(attribute::UnknownAttributes, Bytes(types).first(2 * count));
  }
  message.message_integrity(error.password);
  if (error.fingerprint) message.fingerprint();
  return message.finish();
}

}  // namespace viaduct::stun
