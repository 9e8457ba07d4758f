#include "audio/opus_decoder.h"

#include <opus/opus.h>

#include "base/check.h"

namespace viaduct::audio {
namespace {

constexpr int Channels = 1;
constexpr uint8_t CeltOnly = 0x80;  // of the first byte (RFC 6716 section 3.1)

::OpusDecoder* decoder(const WipedBytes& state) {
  return reinterpret_cast<::OpusDecoder*>(state.data());
}

size_t samples_of(int decoded) { return decoded > 0 ? static_cast<size_t>(decoded) : 0; }

}  // namespace

std::optional<uint32_t> duration_of(Bytes packet) {
  if (packet.empty()) return std::nullopt;
  const int samples = opus_packet_get_nb_samples(
      packet.data(), static_cast<opus_int32>(packet.size()), static_cast<opus_int32>(SampleRate));
  return samples > 0 ? std::optional(static_cast<uint32_t>(samples)) : std::nullopt;
}

// RFC 6716 section 4.2.3: a SILK frame begins with one bit for each 20 ms that says whether there
// is a voice, then one that says whether there is redundancy; stereo has the same once more.
bool has_redundancy(Bytes packet) {
  if (packet.empty() || (packet[0] & CeltOnly) != 0) return false;
  const unsigned char* frames[48];
  opus_int16 sizes[48];
  const int count = opus_packet_parse(packet.data(), static_cast<opus_int32>(packet.size()),
                                      nullptr, frames, sizes, nullptr);
  if (count <= 0 || sizes[0] == 0) return false;
  const int samples = opus_packet_get_samples_per_frame(packet.data(), SampleRate);
  const int voices = samples > 960 ? samples / 960 : 1;
  const bool middle = (frames[0][0] >> (7 - voices) & 1) != 0;
  const bool is_stereo = opus_packet_get_nb_channels(packet.data()) == 2;
  return middle || (is_stereo && (frames[0][0] >> (6 - 2 * voices) & 1) != 0);
}

OpusDecoder::OpusDecoder() : state_(static_cast<size_t>(opus_decoder_get_size(Channels))) {
  CHECK(opus_decoder_init(decoder(state_), SampleRate, Channels) == OPUS_OK);
}

size_t OpusDecoder::decode(Bytes packet, std::span<int16_t> out) {
  return samples_of(opus_decode(decoder(state_), packet.data(),
                                static_cast<opus_int32>(packet.size()), out.data(),
                                static_cast<int>(out.size()), 0));
}

size_t OpusDecoder::recover(Bytes next, std::span<int16_t> out) {
  return samples_of(opus_decode(decoder(state_), next.data(), static_cast<opus_int32>(next.size()),
                                out.data(), static_cast<int>(out.size()), 1));
}

size_t OpusDecoder::conceal(std::span<int16_t> out) {
  return samples_of(
      opus_decode(decoder(state_), nullptr, 0, out.data(), static_cast<int>(out.size()), 0));
}

void OpusDecoder::reset() { opus_decoder_ctl(decoder(state_), OPUS_RESET_STATE); }

}  // namespace viaduct::audio
