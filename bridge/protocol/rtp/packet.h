// A checked view of what SRTP leaves in clear of an RTP packet: the header (RFC 3550 section 5.1) and its extensions
// (RFC 8285).
//
// Parsing looks at no byte beyond the header and never past the end of the packet, whatever the peer has written (test
// S05). The payload may still be encrypted; only payload_bytes_without_padding() needs it decrypted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace viaduct::rtp {

inline constexpr size_t FixedHeaderBytes = 12;
inline constexpr uint16_t OneByteProfile = 0xBEDE;      // RFC 8285 section 4.2
inline constexpr uint16_t TwoByteProfile = 0x1000;      // RFC 8285 section 4.3: 0x100X, X is the application's
inline constexpr uint16_t TwoByteProfileMask = 0xFFF0;

struct HeaderView {
  bool padding = false;
  bool marker = false;
  uint8_t payload_type = 0;
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  uint8_t csrc_count = 0;
  uint16_t extension_profile = 0;  // 0 = no extension
  uint16_t extension_offset = 0;   // of the extension elements, from the start of the packet
  uint16_t extension_bytes = 0;
  uint16_t header_bytes = 0;       // fixed header, CSRCs and extension: where the payload starts
};

// The header of `packet`, or nothing when the version is not 2 or a part of the header lies beyond the end.
std::optional<HeaderView> parse_header(Bytes packet);

// Walks the extension elements of a parsed header. A malformed element ends the walk; those before it stand (RFC 8285
// section 4.2).
class ExtensionReader {
 public:
  ExtensionReader(Bytes packet, const HeaderView& header);
  // The next element's identifier and data, or false at the end. `data` points into the packet.
  bool next(uint8_t& id, Bytes& data);

 private:
  bool next_one_byte(uint8_t& id, Bytes& data);
  bool next_two_byte(uint8_t& id, Bytes& data);

  Bytes rest_;
  bool two_byte_ = false;
};

// Calls f(uint8_t id, Bytes data) for each extension element, in the order of the packet.
template <typename F>
void for_each_extension(Bytes packet, const HeaderView& header, F&& f) {
  ExtensionReader reader(packet, header);
  uint8_t id = 0;
  Bytes data;
  while (reader.next(id, data)) f(id, data);
}

// The data of the first element with this identifier, pointing into `packet`; empty when there is none.
Bytes find_extension(Bytes packet, const HeaderView& header, uint8_t id);

// How many payload bytes of a decrypted packet are media. Nothing when the padding count, which is the last byte, is 0
// or longer than the payload (test S16). 0 for a packet of padding alone.
std::optional<size_t> payload_bytes_without_padding(Bytes packet, const HeaderView& header);

// RFC 6464: the loudness of an audio packet.
struct AudioLevel {
  uint8_t level = 127;  // in -dBov: 0 is the loudest, 127 is silence
  bool voice = false;   // the sender believes that it is speech
  friend bool operator==(const AudioLevel&, const AudioLevel&) = default;
};

// Element readers; nothing (or an empty view) when the element has the wrong length.
std::optional<AudioLevel> read_audio_level(Bytes element);
std::optional<uint16_t> read_transport_sequence(Bytes element);
// The MID as text (RFC 8843 section 15.1), pointing into the packet. The peer chose the bytes: compare, never print.
std::string_view read_mid(Bytes element);

}  // namespace viaduct::rtp
