// Hostile signalling: every message is read or refused, and whatever it brought can be written down again.

#include <string>

#include "base/check.h"
#include "control/signalling.h"
#include "limits.h"

using namespace viaduct;

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
  if (const auto* offer = std::get_if<control::OfferMessage>(&message)) CHECK(offer->sdp.size() <= limits::SdpBytes);
  return 0;
}
