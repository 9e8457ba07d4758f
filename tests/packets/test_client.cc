#include "tests/packets/test_client.h"

#include <algorithm>

#include "base/check.h"
#include "protocol/codec/vp8.h"
#include "protocol/rtcp/parse.h"
#include "protocol/rtp/header_writer.h"
#include "protocol/rtp/rtx.h"

namespace viaduct::testing {

using codec::CodecType;
using codec::MediaKind;
using rtp::ExtensionType;

std::vector<uint8_t> write_rtp(const Rtp& packet, const rtp::ExtensionMap& ids) {
  std::vector<rtp::ExtensionElement> elements;
  for (const auto& [type, data] : packet.extensions) elements.push_back({ids.id(type), data});
  std::vector<uint8_t> out(rtp::header_bytes(elements));
  const rtp::HeaderFields fields{.padding = packet.padding,
                                 .marker = packet.marker,
                                 .payload_type = packet.payload_type,
                                 .sequence = packet.sequence,
                                 .timestamp = packet.timestamp,
                                 .ssrc = packet.ssrc};
  CHECK(rtp::write_header(out, fields, elements) == out.size());
  out.insert(out.end(), packet.payload.begin(), packet.payload.end());
  return out;
}

std::vector<uint8_t> pattern(size_t bytes, uint32_t seed) {
  std::vector<uint8_t> out(bytes);
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<uint8_t>(seed * 29 + i * 7 + 3);
  return out;
}

std::vector<uint8_t> write_vp8(const Vp8Frame& frame) {
  codec::Vp8Descriptor d;
  d.start_of_partition = true;
  d.picture_id = frame.picture_id;
  d.tl0_pic_idx = frame.tl0;
  d.temporal_id = 0;
  d.key_idx = 3;
  std::vector<uint8_t> out(codec::vp8_descriptor_bytes(d));
  codec::write_vp8_descriptor(out, d);
  // Frame tag, and for a key frame start code and size (RFC 6386 section 9.1).
  const uint8_t header[] = {
      static_cast<uint8_t>(frame.key ? 0x10 : 0x11), 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 180, 0};
  out.insert(out.end(), std::begin(header), std::end(header));
  const auto body = pattern(frame.body_bytes, frame.picture_id);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

namespace {

TestClient::Options numbered(uint32_t number) {
  TestClient::Options o;
  o.number = number;
  const uint32_t base = number << 8;
  o.sources = {{MediaKind::Audio, "mic", base | 0x01, {}},
               {MediaKind::Video, "cam", base | 0x02, base | 0x03}};
  for (uint32_t i = 0; i < 2; ++i) {
    o.slots.push_back({MediaKind::Audio, "a" + std::to_string(i), base | (0x10 + i), 0});
    o.slots.push_back(
        {MediaKind::Video, "v" + std::to_string(i), base | (0x20 + i), base | (0x30 + i)});
  }
  return o;
}

sdp::PayloadFormat video(CodecType codec, uint8_t payload_type, uint8_t rtx) {
  return {.payload_type = payload_type,
          .rtx_payload_type = rtx,
          .type = codec,
          .nack = true,
          .pli = true,
          .fir = true,
          .transport_cc = true};
}

// Identifiers 1, 2, 3 ... for the types as they stand.
rtp::ExtensionMap in_order(std::initializer_list<ExtensionType> types) {
  rtp::ExtensionMap map;
  uint8_t id = 1;
  for (const ExtensionType type : types) map.set(type, id++);
  return map;
}

}  // namespace

TestClient::Options TestClient::like_chromium(uint32_t number) {
  Options o = numbered(number);
  o.formats = {{.payload_type = 111, .type = CodecType::Opus},
               video(CodecType::Vp8, 96, 97),
               video(CodecType::Vp9, 98, 99),
               video(CodecType::H264, 102, 103),
               video(CodecType::Av1, 45, 46)};
  o.extensions = in_order({ExtensionType::AudioLevel, ExtensionType::AbsSendTime,
                           ExtensionType::TransportSequence, ExtensionType::Mid,
                           ExtensionType::VideoOrientation, ExtensionType::PlayoutDelay,
                           ExtensionType::DependencyDescriptor, ExtensionType::AbsCaptureTime});
  o.slot_extensions = o.extensions;
  return o;
}

TestClient::Options TestClient::like_firefox(uint32_t number) {
  Options o = numbered(number);
  o.formats = {{.payload_type = 109, .type = CodecType::Opus},
               video(CodecType::Vp8, 120, 124),
               video(CodecType::Vp9, 121, 125),
               video(CodecType::H264, 126, 127),
               video(CodecType::Av1, 100, 101)};
  o.extensions =
      in_order({ExtensionType::Mid, ExtensionType::VideoOrientation, ExtensionType::AudioLevel,
                ExtensionType::AbsCaptureTime, ExtensionType::PlayoutDelay,
                ExtensionType::AbsSendTime, ExtensionType::TransportSequence});
  o.slot_extensions = o.extensions;
  return o;
}

TestClient::Options TestClient::listener(uint32_t number) {
  Options o = like_chromium(number);
  o.sources.clear();
  return o;
}

TestClient::TestClient(Options o, const SocketAddress& bridge, Random& random, Timestamp now)
    : options(std::move(o)),
      bridge_ufrag("bridge" + std::to_string(options.number)),
      bridge_password("the-bridges-password-" + std::to_string(options.number)),
      ufrag("client" + std::to_string(options.number)),
      password("the-clients-password-" + std::to_string(options.number)),
      address{IpAddress::v4(0x0a000100 + options.number),
              static_cast<uint16_t>(40'000 + options.number)},
      ice({ufrag, password}, {bridge_ufrag, bridge_password}, bridge, random, now) {}

conference::AddEndpoint TestClient::describe() const {
  auto d = std::make_unique<conference::EndpointDescription>();
  d->id = id();
  d->name = "client " + std::to_string(options.number);
  d->cname = "cname" + std::to_string(options.number);
  d->feedback_ssrc = feedback_ssrc();
  d->local_ufrag = bridge_ufrag;
  d->local_pwd = bridge_password;
  d->remote_ufrag = ufrag;
  d->remote_pwd = password;
  d->fingerprint_algorithm = "sha-256";
  d->fingerprint = pattern(32, options.number);
  d->formats = options.formats;
  d->extensions = options.extensions;
  d->slot_extensions = options.slot_extensions;
  d->sources = options.sources;
  d->slots = options.slots;
  d->mixed = options.mixed;
  d->reporting = options.reporting;
  return {conference::ConferenceId{options.conference}, "room", std::move(d),
          options.e2ee};
}

uint8_t TestClient::payload_type(CodecType codec) const {
  const auto found = std::ranges::find(options.formats, codec, &sdp::PayloadFormat::type);
  CHECK(found != options.formats.end());
  return found->payload_type;
}

Rtp TestClient::mic(uint16_t sequence, uint8_t level) const {
  return {.payload_type = payload_type(CodecType::Opus),
          .sequence = sequence,
          .timestamp = sequence * 960u,
          .ssrc = ssrc(0x01),
          .extensions = {{ExtensionType::AudioLevel, {level}}},
          .payload = pattern(20, sequence)};
}

Rtp TestClient::cam(uint16_t sequence, bool key_frame) const {
  const auto frame = write_vp8({.key = key_frame,
                                .picture_id = static_cast<uint16_t>(sequence & 0x7fff),
                                .tl0 = static_cast<uint8_t>(sequence)});
  return {.payload_type = payload_type(CodecType::Vp8),
          .sequence = sequence,
          .timestamp = sequence * 3000u,
          .ssrc = ssrc(0x02),
          .marker = true,
          .payload = frame};
}

Rtp TestClient::rtx(uint16_t sequence, const Rtp& original) const {
  Rtp out = original;
  for (const auto& format : options.formats) {
    if (format.payload_type != original.payload_type) continue;
    out.payload_type = format.rtx_payload_type.value();
  }
  out.ssrc = ssrc(0x03);
  out.sequence = sequence;
  out.payload.insert(out.payload.begin(), rtp::OriginalSequenceBytes, 0);
  store_be16(out.payload.data(), original.sequence);
  return out;
}

void TestClient::handle(Bytes datagram, const SocketAddress& from, Timestamp now) {
  const std::vector<uint8_t> bytes(datagram.begin(), datagram.end());
  if (bytes.at(0) < 4) {
    stun.push_back(bytes);
    ice.handle(bytes, from, now);
  } else if (bytes[0] < 64) {
    dtls.push_back(bytes);
  } else if (!srtp) {
    ++undecryptable;
  } else if (rtcp::is_rtcp(bytes)) {
    const auto clear = srtp->unprotect_rtcp(bytes);
    if (!clear) return static_cast<void>(++undecryptable);
    rtcp.push_back(*clear);
  } else {
    const auto clear = srtp->unprotect_rtp(bytes);
    if (!clear) return static_cast<void>(++undecryptable);
    media.push_back({*clear, rtp::parse_header(*clear).value()});
  }
}

void TestClient::forget_received() {
  media.clear();
  rtcp.clear();
  stun.clear();
  dtls.clear();
  undecryptable = 0;
}

std::vector<ReceivedRtp> TestClient::received_on(uint32_t ssrc_) const {
  std::vector<ReceivedRtp> out;
  for (const ReceivedRtp& r : media) {
    if (r.header.ssrc == ssrc_) out.push_back(r);
  }
  return out;
}

}  // namespace viaduct::testing
