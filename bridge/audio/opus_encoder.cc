#include "audio/opus_encoder.h"

#include <opus/opus.h>

#include <algorithm>

#include "audio/opus_decoder.h"
#include "base/check.h"

namespace viaduct::audio {
namespace {

constexpr int Channels = 1;

::OpusEncoder* encoder(const WipedBytes& state) {
  return reinterpret_cast<::OpusEncoder*>(state.data());
}

}  // namespace

OpusEncoder::OpusEncoder(int complexity)
    : state_(static_cast<size_t>(opus_encoder_get_size(Channels))) {
  ::OpusEncoder* const e = encoder(state_);
  CHECK(opus_encoder_init(e, SampleRate, Channels, OPUS_APPLICATION_VOIP) == OPUS_OK);
  opus_encoder_ctl(e, OPUS_SET_BITRATE(Bitrate));
  opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(complexity));
  opus_encoder_ctl(e, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(1));
  expect_loss(0);
}

void OpusEncoder::expect_loss(int percent) {
  percent = std::clamp(percent, limits::MixLossPercentLeast, limits::MixLossPercentMost);
  if (percent == expected_loss_) return;
  expected_loss_ = percent;
  opus_encoder_ctl(encoder(state_), OPUS_SET_PACKET_LOSS_PERC(percent));
}

size_t OpusEncoder::encode(std::span<const int16_t> frame, MutableBytes out) {
  const opus_int32 bytes =
      opus_encode(encoder(state_), frame.data(), static_cast<int>(frame.size()), out.data(),
                  static_cast<opus_int32>(out.size()));
  CHECK(bytes > 0);
  return static_cast<size_t>(bytes);
}

}  // namespace viaduct::audio
