// Hostile STUN: parsing, integrity, and the ICE-lite agent before and behind its authentication.
//
// An input is a row of messages: who sends it and how long after the one before, then its bytes: as they are, or as the
// attributes of a request that is made authentic, so that the code behind the HMAC is reached too.

#include <algorithm>
#include <array>

#include "base/check.h"
#include "protocol/ice/ice_lite.h"
#include "protocol/stun/message_writer.h"
#include "protocol/stun/wire.h"

using namespace viaduct;

namespace {

const ice::Credentials Local{"bridgeuf", "bridgepasswordbridgepassword"};
const ice::Credentials Remote{"peer", "peerpasswordpeerpassword"};

SocketAddress address_of(uint8_t n) { return {IpAddress::v4(0xc0000200u + n % 12), 4000}; }

// Whatever the message, the agent keeps its promises.
void handle(ice::IceLite& agent, Bytes datagram, const SocketAddress& from, Timestamp now) {
  const std::optional<stun::MessageView> message = stun::parse_message(datagram);
  if (!message) return;
  std::array<uint8_t, 2 * limits::MaxPacketBytes> out;
  const ice::IceLite::Outcome outcome = agent.handle(*message, from, now, out);
  CHECK(outcome.reply_bytes <= datagram.size());
  CHECK(agent.validated().size() <= limits::ValidatedAddressesPerEndpoint);
  CHECK(!agent.selected() || agent.is_validated(*agent.selected()));
  CHECK(!outcome.selected || agent.selected() == from);
  if (outcome.reply_bytes == 0) return;
  const std::optional<stun::MessageView> reply = stun::parse_message(Bytes(out).first(outcome.reply_bytes));
  CHECK(reply && stun::integrity_ok(*reply, Local.password));
  CHECK(stun::integrity_ok(*message, Local.password));
}

size_t make_authentic(MutableBytes out, Bytes attributes) {
  stun::MessageWriter writer(out, stun::MessageClass::Request, stun::BindingMethod, {});
  writer.attribute(stun::attribute::Username, as_bytes("bridgeuf:peer"));
  ByteReader reader(attributes);
  while (reader.remaining() >= 3) {
    const uint16_t type = reader.be16();
    const size_t length = std::min<size_t>(reader.u8() & 31, reader.remaining());
    if (type != stun::attribute::MessageIntegrity) writer.attribute(type, reader.bytes(length));
  }
  writer.message_integrity(Local.password);
  writer.fingerprint();
  return writer.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ice::IceLite agent(Local, Remote, Timestamp{});
  Timestamp now{};
  ByteReader input({data, size});
  while (input.remaining() >= 4) {
    const uint8_t choice = input.u8();
    now += 100ms * input.u8();
    const SocketAddress from = address_of(choice);
    const size_t wanted = input.be16();
    const Bytes rest = input.bytes(std::min(wanted, input.remaining()));
    if (choice & 0x80) {
      handle(agent, rest, from, now);
    } else {
      std::array<uint8_t, limits::MaxPacketBytes> request;
      handle(agent, Bytes(request).first(make_authentic(request, rest)), from, now);
    }
    agent.has_consent(now);
  }
  return 0;
}
