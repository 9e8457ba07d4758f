// Hostile signalling: every message is read or refused, and whatever it brought can be written down again.

#include <string>

#include "base/check.h"
#include "control/signalling.h"
#include "limits.h"

using namespace viaduct;

namespace {

void check(const control::DirectProtection& p) {
  for (const auto* text :
       {&p.dtls_version, &p.dtls_cipher, &p.srtp_profile, &p.local_fingerprint, &p.remote_fingerprint}) {
    CHECK(text->size() <= limits::ProtectionTextBytes);
    for (const char c : *text) CHECK(c >= 0x20 && c < 0x7f);
  }
}

void check(const control::RelayMessage& relay) {
  size_t bytes = 0;
  if (relay.all) {
    CHECK(relay.to.empty() && relay.all->size() <= limits::RelayToAllBytes);
    CHECK(!control::write_relay("id", *relay.all).empty());
  }
  CHECK(relay.to.size() <= limits::EndpointsPerConference);
  for (const auto& [participant, data] : relay.to) {
    bytes += data.size();
    CHECK(!control::write_relay("id", data).empty());
  }
  CHECK(bytes <= limits::RelayBytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const control::ClientMessage message = control::parse_message({reinterpret_cast<const char*>(data), size});
  if (const auto* refusal = std::get_if<control::Refusal>(&message)) {
    CHECK(!refusal->code.empty() && refusal->message.size() < 200);
    CHECK(!control::write_error(*refusal).empty());
  }
  if (const auto* join = std::get_if<control::JoinMessage>(&message)) {
    CHECK(control::is_name(join->conference) && join->conference.size() <= 4 * limits::NameCharacters);
    CHECK(!control::write_joined({"id", join->conference, 1, 1, {{"other", join->name}}}).empty());
  }
  if (const auto* direct = std::get_if<control::DirectMessage>(&message)) check(direct->protection);
  if (const auto* relay = std::get_if<control::RelayMessage>(&message)) check(*relay);
  if (const auto* offer = std::get_if<control::OfferMessage>(&message)) CHECK(offer->sdp.size() <= limits::SdpBytes);
  return 0;
}
