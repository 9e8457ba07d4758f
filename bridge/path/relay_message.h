// What one worker hands to another of a conference that both have people in.
//
// Plain values without a pointer among them: the other side may as well be another machine.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "base/time.h"
#include "conference/layer.h"
#include "conference/layer_needs.h"
#include "conference/relayed_state.h"
#include "limits.h"
#include "protocol/codec/payload_front.h"
#include "protocol/rtp/frame_info.h"
#include "protocol/rtp/packet.h"

namespace viaduct::path {

enum class RelayKind : uint8_t {
  Packet,  // of an encoding that has people of the other worker among its receivers
  State,   // what has become of a source
  Demand,  // of a source of the other worker: which encodings are wanted, and key frames of which
};

struct RelayMessage {
  RelayKind kind{};
  conference::EndpointId endpoint{};  // whose source it is about, and which of them
  uint16_t source = 0;

  // Packet: in clear, with what the path has learned about it
  struct Learned {
    Timestamp arrival;
    rtp::HeaderView header;
    int64_t sequence = 0;  // unwrapped by the encoding
    int64_t withheld = 0;  // the encoding's, when the packet was sent
    uint8_t encoding = 0;
    uint16_t bytes = 0;    // of the whole packet, which stands at the end of the message
    uint16_t payload_bytes = 0;
    codec::CodecType codec{};
    rtp::FrameInfo frame;
    std::optional<codec::PayloadFront> front;
    std::optional<uint8_t> red_block_type;
    uint16_t red_front = 0;
  } learned;

  // State: with the source's ladder, whose rungs stand at the end of the message
  conference::RelayedState state;
  uint16_t rungs = 0;

  struct Demand {
    uint8_t encodings = 0;  // bit i is Source::encodings[i]
    uint8_t key_frames = 0;
    conference::LayerNeed need;  // of people of the worker that asks
  } demand;

  std::array<uint8_t, limits::MaxPacketBytes> packet;
};
static_assert(std::is_trivially_copyable_v<RelayMessage>);
static_assert(conference::LayerLadder::MaxRungs * sizeof(conference::LayerInfo) <= limits::MaxPacketBytes);

}  // namespace viaduct::path
