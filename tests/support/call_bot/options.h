// What the call bot is asked to do: its command line, checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace viaduct::call_bot {

// What the frames of a client hold.
enum class BodyKind : uint8_t {
  PlainVp8,  // frame headers that a decoder would take, for audio an Opus packet; then noise
  Random,    // noise from the first byte on
  SFrame,    // encrypted end to end (RFC 9605), of video behind one byte for the packetizer, as the
             // page does it
  Needle,    // the needle and nothing else
};

struct Options {
  std::string host;  // of the bridge's page
  std::string port;
  std::string conference = "call-bot";
  std::string token;
  std::string from = "127.0.0.1";  // the address that the clients have
  size_t clients = 2;
  bool audio = false;
  bool video = false;
  BodyKind bodies = BodyKind::PlainVp8;
  // Repeated in place of the noise; under SFrame it is what gets encrypted.
  std::vector<uint8_t> needle;
  std::optional<Duration> needle_for;  // from the first packet on; then noise
  bool declare_e2ee = false;
  bool e2ee_wanted = false;
  bool require_e2ee = false;
  bool mixed = false;
  Duration seconds = 10s;               // of media, once everybody is connected
  std::optional<Duration> leave_after;  // when all clients but the first leave
  bool stay = false;                    // until stdin ends, at most `seconds`
  bool show_keys = false;
};

// Prints what is wrong, or the help, and sets `exit_code` when there is nothing to do.
std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code);

}  // namespace viaduct::call_bot
