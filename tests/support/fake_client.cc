#include "tests/support/fake_client.h"

#include <algorithm>

#include "base/log.h"
#include "protocol/codec/vp8.h"
#include "protocol/rtcp/parse.h"
#include "protocol/rtcp/write.h"
#include "protocol/rtp/dependency_descriptor.h"
#include "protocol/rtp/header_writer.h"
#include "protocol/rtp/rtx.h"
#include "protocol/sframe/header.h"
#include "tests/support/encrypted_frames.h"

namespace viaduct::testing {
namespace {

constexpr Duration AudioInterval = 20ms;
constexpr Duration VideoInterval = 66ms;
constexpr Duration ReportInterval = 500ms;
constexpr size_t PacketsPerFrame = 3;
constexpr size_t KeptForResend = 512;
constexpr size_t MarkBytes = 12;
constexpr size_t AudioBytes = 73;
constexpr uint8_t StructureBytes = 20;      // too long for a one-byte header extension
constexpr uint32_t AudioMark = 0x41554449;  // "AUDI"
constexpr uint32_t VideoMark = 0x56494445;  // "VIDE"

uint8_t pattern(uint32_t sender, uint32_t sequence, size_t i) {
  return static_cast<uint8_t>(sender * 31 + sequence * 7 + i);
}

std::vector<uint8_t> marked_payload(uint32_t mark, uint32_t sender, uint32_t sequence,
                                    size_t bytes) {
  std::vector<uint8_t> out(MarkBytes + bytes);
  store_be32(&out[0], mark);
  store_be32(&out[4], sender);
  store_be32(&out[8], sequence);
  for (size_t i = 0; i < bytes; ++i) out[MarkBytes + i] = pattern(sender, sequence, i);
  return out;
}

// What stands in front of the mark in the first packet of a frame: the byte that says how Opus is
// packed (hybrid, 20 ms), or a VP8 frame header as long as a key frame's (RFC 6386 section 9.1).
constexpr size_t front_bytes(bool video) { return video ? 10 : 1; }

std::vector<uint8_t> plain_front(bool video, bool key) {
  if (!video) return {0x78};
  return {static_cast<uint8_t>(key ? 0x10 : 0x11), 0x02, 0, 0x9d, 0x01, 0x2a, 64, 1, 180, 0};
}

void scramble(MutableBytes bytes, uint32_t seed) {
  SeededRandom stream(seed);
  for (uint8_t& b : bytes) b ^= static_cast<uint8_t>(stream.next());
}

constexpr size_t SeedBytes = 4;

// The marked part of a payload, in whichever way its sender has hidden it; `front` bytes may stand
// before a plain one.
std::optional<std::vector<uint8_t>> find_mark(Bytes payload, uint32_t mark, size_t front) {
  const auto is_marked = [&](Bytes b) {
    return b.size() >= MarkBytes && load_be32(b.data()) == mark;
  };
  if (payload.size() < front) return std::nullopt;
  const Bytes plain = payload.subspan(front);
  if (is_marked(plain)) return std::vector<uint8_t>(plain.begin(), plain.end());
  const auto unscrambled = [&](Bytes b) -> std::vector<uint8_t> {
    if (b.size() < SeedBytes + MarkBytes) return {};
    std::vector<uint8_t> out(b.begin() + SeedBytes, b.end());
    scramble(out, load_be32(b.data()));
    return out;
  };
  if (auto noise = unscrambled(payload); is_marked(noise)) return noise;
  for (const size_t synthetic : {size_t{0}, size_t{1}}) {
    if (payload.size() <= synthetic) break;
    const auto header = sframe::parse_header(payload.subspan(synthetic));
    if (!header) continue;
    auto sealed = unscrambled(payload.subspan(synthetic + header->header_bytes));
    if (is_marked(sealed)) return sealed;
  }
  return std::nullopt;
}

}  // namespace

FakeClient::FakeClient(const Options& options, SimulatedNetwork& network,
                       const dtls::Certificate& certificate, Random& random)
    : options_(options),
      network_(network),
      context_(*dtls::Context::make(certificate)),
      random_(random),
      ufrag_(random.ice_chars(8)),
      password_(random.ice_chars(24)),
      bridge_ufrag_(random.ice_chars(8)),
      bridge_password_(random.ice_chars(24)),
      audio_ssrc_(random.u32()),
      video_ssrc_(random.u32()),
      video_rtx_ssrc_(random.u32()),
      audio_sequence_(static_cast<uint16_t>(random.u32())),
      video_sequence_(static_cast<uint16_t>(random.u32())),
      audio_timestamp_(random.u32()),
      video_timestamp_(random.u32()),
      picture_id_(random.u32() & 0x7fff),
      noise_(options.number) {
  network_.attach(options_.address);
  for (size_t i = 0; i < options_.audio_slots; ++i) {
    slots_.push_back({codec::MediaKind::Audio, "a" + std::to_string(i), random.u32(), 0});
  }
  for (size_t i = 0; i < options_.video_slots; ++i) {
    slots_.push_back(
        {codec::MediaKind::Video, "v" + std::to_string(i), random.u32(), random.u32()});
  }
}

std::unique_ptr<conference::EndpointDescription> FakeClient::describe(conference::EndpointId id) {
  auto d = std::make_unique<conference::EndpointDescription>();
  d->id = id;
  d->name = "client " + std::to_string(options_.number);
  d->cname = "cname";
  d->feedback_ssrc = random_.u32();
  d->local_ufrag = bridge_ufrag_;
  d->local_pwd = bridge_password_;
  d->remote_ufrag = ufrag_;
  d->remote_pwd = password_;
  d->fingerprint_algorithm = context_.fingerprint().algorithm;
  d->fingerprint = context_.fingerprint().digest;
  d->dtls_active = options_.dtls_server;
  for (const codec::CodecType c : options_.decodes) {
    if (c == codec::CodecType::Opus)
      d->formats.push_back({.payload_type = OpusPayloadType, .type = c});
    if (c == codec::CodecType::Vp8) {
      d->formats.push_back({.payload_type = Vp8PayloadType,
                            .rtx_payload_type = Vp8RtxPayloadType,
                            .type = c,
                            .nack = true,
                            .pli = true,
                            .fir = true,
                            .transport_cc = true});
    }
    if (c == codec::CodecType::H264)
      d->formats.push_back({.payload_type = H264PayloadType, .type = c, .pli = true});
  }
  d->extensions.set(rtp::ExtensionType::AudioLevel, AudioLevelId);
  d->extensions.set(rtp::ExtensionType::TransportSequence, TransportSequenceId);
  d->extensions.set(rtp::ExtensionType::Mid, MidId);
  d->slot_extensions.set(rtp::ExtensionType::Mid, MidId);
  if (options_.describes_frames) {
    d->extensions.set(rtp::ExtensionType::DependencyDescriptor, DependencyDescriptorId);
    d->slot_extensions.set(rtp::ExtensionType::DependencyDescriptor, DependencyDescriptorId);
  }
  if (options_.sends_audio)
    d->sources.push_back({codec::MediaKind::Audio, "mic", audio_ssrc_, std::nullopt});
  if (options_.sends_video)
    d->sources.push_back({codec::MediaKind::Video, "cam", video_ssrc_, video_rtx_ssrc_});
  d->slots = slots_;
  d->mixed = options_.mixed;
  return d;
}

void FakeClient::connect(const SocketAddress& bridge, const dtls::Fingerprint& certificate,
                         Timestamp now) {
  bridge_ = bridge;
  ice_ = std::make_unique<IceClient>(ice::Credentials{ufrag_, password_},
                                     ice::Credentials{bridge_ufrag_, bridge_password_}, bridge,
                                     random_, now);
  dtls_ = std::make_unique<dtls::Session>(
      context_, options_.dtls_server ? dtls::Role::Server : dtls::Role::Client, certificate, now);
}

void FakeClient::turn(Timestamp now) {
  if (vanished_ || !ice_) return;
  for (const Datagram& d : network_.receive(options_.address, now)) handle(d, now);

  if (now >= ice_->next_deadline()) ice_->handle_timeout(now);
  for (std::vector<uint8_t> out; ice_->poll_output(&out);)
    network_.send(options_.address, bridge_, out, now);
  if (!ice_->connected()) return;
  if (now >= dtls_->next_deadline()) dtls_->handle_timeout(now);
  flush_dtls(now);
  if (!srtp_) return;

  if (now >= next_audio_) send_audio(now);
  if (now >= next_video_) send_video_frame(now);
  if (now >= next_report_) send_reports(now);
  if (options_.asks_for_resends) ask_for_missing(now);
}

Timestamp FakeClient::next_deadline() const {
  if (vanished_ || !ice_) return Never;
  Timestamp next = ice_->next_deadline();
  if (ice_->connected()) next = std::min(next, dtls_->next_deadline());
  if (!srtp_) return next;
  for (const auto& [ssrc, stream] : streams_) next = std::min(next, stream.missing.next_deadline());
  return std::min({next, next_audio_, next_video_, next_report_});
}

void FakeClient::move_to(const SocketAddress& address, Timestamp now) {
  network_.detach(options_.address);
  options_.address = address;
  network_.attach(address);
  ice_->restart_checks(now);
}

void FakeClient::begin_new_video_stream() {
  video_ssrc_ = random_.u32();
  video_sequence_ = static_cast<uint16_t>(random_.u32());
  video_timestamp_ = random_.u32();
  picture_id_ = random_.u32() & 0x7fff;
  sent_video_.clear();
}

void FakeClient::flush_dtls(Timestamp now) {
  for (std::vector<uint8_t> out; dtls_->poll_output(&out);)
    network_.send(options_.address, bridge_, out, now);
  if (srtp_ || dtls_->state() != dtls::Session::State::Connected) return;
  const auto keys = dtls_->export_keys();
  srtp_ = std::make_unique<SrtpSession>(keys.local(), keys.remote());
  next_audio_ = next_video_ = next_report_ = now;
}

void FakeClient::handle(const Datagram& d, Timestamp now) {
  if (d.bytes.empty()) return;
  const uint8_t first = d.bytes[0];
  if (first < 4) {
    ice_->handle(d.bytes, d.from, now);
  } else if (first >= 20 && first <= 63) {
    dtls_->handle(d.bytes, now);
    flush_dtls(now);
  } else if (!srtp_) {
    return;
  } else if (rtcp::is_rtcp(d.bytes)) {
    if (const auto clear = srtp_->unprotect_rtcp(d.bytes)) handle_rtcp(*clear, now);
  } else if (const auto clear = srtp_->unprotect_rtp(d.bytes)) {
    handle_media(*clear, now);
  }
}

void FakeClient::handle_media(Bytes packet, Timestamp now) {
  const auto header = rtp::parse_header(packet);
  if (!header) return;
  const auto slot = std::ranges::find_if(slots_, [&](const auto& s) {
    return s.ssrc == header->ssrc || (s.rtx_ssrc != 0 && s.rtx_ssrc == header->ssrc);
  });
  if (slot == slots_.end()) {
    streams_[0].faults.push_back("a packet of an SSRC that is no slot's");
    return;
  }
  ReceivedStream& stream = streams_[slot->ssrc];
  const bool video = slot->kind == codec::MediaKind::Video;
  const auto media = rtp::payload_bytes_without_padding(packet, *header);
  if (!media) return stream.faults.push_back("padding that is longer than its packet");
  Bytes payload = packet.subspan(header->header_bytes, *media);
  uint16_t sequence = header->sequence;
  if (header->ssrc == slot->rtx_ssrc) {
    const auto original = rtp::read_original_sequence(payload);
    if (!original) return;
    sequence = *original;
    payload = payload.subspan(rtp::OriginalSequenceBytes);
    ++stream.recovered;
  }

  const int64_t number = stream.unwrapper.unwrap(sequence);
  ++stream.packets;
  if (stream.timestamps.contains(number)) ++stream.duplicates;
  stream.lowest = std::min(stream.lowest.value_or(number), number);
  stream.highest = std::max(stream.highest.value_or(number), number);
  stream.timestamps[number] = header->timestamp;
  // Timestamps grow with sequence numbers, whatever the slot carried before.
  const auto at = stream.timestamps.find(number);
  if (at != stream.timestamps.begin() &&
      rtp::is_newer_timestamp(std::prev(at)->second, at->second)) {
    stream.faults.push_back("the timestamp ran backwards at sequence number " +
                            std::to_string(number));
  }
  if (stream.timestamps.size() > 2000) stream.timestamps.erase(stream.timestamps.begin());
  if (video) stream.missing.on_packet(sequence, now);
  if (payload.empty()) return;  // it stands for one that this client does not get
  if (!video && options_.listen) return options_.listen(*header, payload, now);
  check_payload(stream, payload, video);
  if (video && header->ssrc == slot->ssrc) check_descriptor(stream, packet, *header);
}

void FakeClient::check_payload(ReceivedStream& stream, Bytes payload, bool video) {
  bool begins_frame = !video;
  if (video) {
    const auto descriptor = codec::parse_vp8(payload);
    if (!descriptor) {
      stream.faults.push_back("a video packet without a VP8 descriptor");
      return;
    }
    begins_frame = descriptor->starts_frame();
    if (descriptor->key_frame) ++stream.key_frames;
    payload = payload.subspan(descriptor->descriptor_bytes);
    if (descriptor->key_frame && stream.awaits_key_frame) {
      stream.awaits_key_frame = false;
      stream.last_picture_id.reset();
    }
    if (descriptor->picture_id && stream.last_picture_id && !sealed_ && !stream.awaits_key_frame) {
      const auto ahead =
          static_cast<uint16_t>((*descriptor->picture_id - *stream.last_picture_id) & 0x7fff);
      if (ahead > 1000 && ahead < 0x7fff - 1000)
        stream.faults.push_back("the picture id jumped by " + std::to_string(ahead));
    }
    if (descriptor->picture_id) stream.last_picture_id = descriptor->picture_id;
  }
  const uint32_t mark = video ? VideoMark : AudioMark;
  const auto marked = find_mark(payload, mark, begins_frame ? front_bytes(video) : 0);
  if (marked) {
    check_mark(stream, *marked);
  } else {
    stream.faults.push_back("a payload that no client sent");
  }
}

void FakeClient::check_mark(ReceivedStream& stream, Bytes marked) {
  const uint32_t sender = load_be32(marked.data() + 4);
  const uint32_t sequence = load_be32(marked.data() + 8);
  if (sender == options_.number)
    stream.faults.push_back("the client's own voice or picture came back");
  for (size_t i = MarkBytes; i < marked.size(); ++i) {
    if (marked[i] == pattern(sender, sequence, i - MarkBytes)) continue;
    stream.faults.push_back("byte " + std::to_string(i) + " of a payload is not what was sent");
    break;
  }
  ++stream.packets_from[sender];
}

// A browser drops a structure whose frame number is older than the last one's, and everything
// between it and the next.
void FakeClient::check_descriptor(ReceivedStream& stream, Bytes packet,
                                  const rtp::HeaderView& header) {
  const auto descriptor =
      rtp::parse_dependency_descriptor(rtp::find_extension(packet, header, DependencyDescriptorId));
  if (!descriptor) return;
  const int64_t number = stream.frame_numbers.unwrap(descriptor->frame_number);
  if (!descriptor->begins_key_frame()) return;
  if (stream.last_structure && number < *stream.last_structure)
    stream.faults.push_back("a key frame's number is older than the last one's");
  stream.last_structure = number;
}

void FakeClient::handle_rtcp(Bytes packet, Timestamp now) {
  rtcp::for_each_packet(packet, [&](const rtcp::Packet& p) {
    if (const auto pli = rtcp::parse_pli(p); pli && pli->media == video_ssrc_) {
      ++key_frame_requests_;
      key_frame_wanted_ = true;
    }
    if (const auto nack = rtcp::parse_nack(p); nack && nack->media == video_ssrc_) {
      nack->for_each_lost([&](uint16_t sequence) { resend(sequence, now); });
    }
  });
}

void FakeClient::send_audio(Timestamp now) {
  next_audio_ += AudioInterval;
  audio_timestamp_ += 960;
  if (!sending_ || !options_.sends_audio) return;
  const auto number = static_cast<uint32_t>(audio_sequence_sent_++);
  const auto payload =
      options_.speak ? options_.speak() : body(false, true, false, number, AudioBytes);
  send_rtp(audio_ssrc_, OpusPayloadType, audio_sequence_++, audio_timestamp_, false, payload, now);
}

void FakeClient::send_video_frame(Timestamp now) {
  next_video_ += VideoInterval;
  video_timestamp_ += 5940;
  if (!sending_ || !options_.sends_video) return;
  const bool key = std::exchange(key_frame_wanted_, false);
  if (key) ++tl0_;
  ++frame_number_;
  for (size_t i = 0; i < PacketsPerFrame; ++i) {
    codec::Vp8Descriptor d;
    d.start_of_partition = i == 0;
    d.picture_id = picture_id_;
    d.tl0_pic_idx = tl0_;
    d.temporal_id = 0;
    std::vector<uint8_t> payload(codec::vp8_descriptor_bytes(d));
    codec::write_vp8_descriptor(payload, d);
    const auto bytes =
        body(true, i == 0, key, static_cast<uint32_t>(video_sequence_sent_++), 722 + 13 * i);
    payload.insert(payload.end(), bytes.begin(), bytes.end());
    const bool last = i + 1 == PacketsPerFrame;
    describe_frame(i == 0, last, key);
    send_rtp(video_ssrc_, Vp8PayloadType, video_sequence_++, video_timestamp_, last, payload, now);
  }
  picture_id_ = static_cast<uint16_t>((picture_id_ + 1) & 0x7fff);
}

// The dependency descriptor of the packet that comes next, with a structure where a key frame
// begins.
void FakeClient::describe_frame(bool first, bool last, bool key) {
  descriptor_.assign({static_cast<uint8_t>((first ? 0x80 : 0) | (last ? 0x40 : 0)), 0, 0});
  store_be16(&descriptor_[1], frame_number_);
  if (!first || !key) return;
  // One template of one layer and one target that can be switched to (AV1 RTP, section A.8.3), and what fills up.
  descriptor_.insert(descriptor_.end(), {0x80, 0x00, 0xe0});
  for (uint8_t i = 3; i <= StructureBytes; ++i) descriptor_.push_back(i);
}

// `bytes` bytes that hold the mark of the client and of this packet.
std::vector<uint8_t> FakeClient::body(bool video, bool begins_frame, bool key, uint32_t sequence,
                                      size_t bytes) {
  std::vector<uint8_t> out;
  const bool sframe = options_.bodies == Bodies::Sframe;
  if (begins_frame && options_.bodies == Bodies::Plain) out = plain_front(video, key);
  if (begins_frame && sframe) {
    if (video) out = {static_cast<uint8_t>(key ? 0x00 : 0x01)};
    const auto header = sframe_header(0x10203040506000 + options_.number, frame_counter_++);
    out.insert(out.end(), header.begin(), header.end());
  }
  const bool scrambled = options_.bodies != Bodies::Plain;
  uint8_t seed[SeedBytes];
  noise_.fill(seed);
  if (scrambled) out.insert(out.end(), seed, seed + SeedBytes);
  const size_t front = out.size();
  const auto marked = marked_payload(video ? VideoMark : AudioMark, options_.number, sequence,
                                     bytes - front - MarkBytes);
  out.insert(out.end(), marked.begin(), marked.end());
  if (scrambled) scramble(MutableBytes(out).subspan(front), load_be32(seed));
  return out;
}

void FakeClient::send_rtp(uint32_t ssrc, uint8_t payload_type, uint16_t sequence,
                          uint32_t timestamp, bool marker, Bytes payload, Timestamp now) {
  uint8_t transport[2];
  store_be16(transport, transport_sequence_++);
  // Speech has pauses, by which it is told from a hum.
  constexpr uint8_t Silence = 127, PauseLower = 12;
  constexpr uint64_t SyllablePackets = 14;
  const bool pauses = audio_sequence_sent_ % SyllablePackets == 1;
  const uint8_t level[1] = {std::min<uint8_t>(Silence, static_cast<uint8_t>(level_ + (pauses ? PauseLower : 0)))};
  const std::string_view mid = ssrc == audio_ssrc_ ? "mic" : "cam";
  std::vector<rtp::ExtensionElement> elements = {{TransportSequenceId, transport},
                                                 {MidId, as_bytes(mid)}};
  if (ssrc == audio_ssrc_) elements.push_back({AudioLevelId, level});
  if (ssrc != audio_ssrc_ && options_.describes_frames)
    elements.push_back({DependencyDescriptorId, descriptor_});
  std::vector<uint8_t> packet(rtp::header_bytes(elements) + payload.size());
  const size_t header = rtp::write_header(packet,
                                          {.marker = marker,
                                           .payload_type = payload_type,
                                           .sequence = sequence,
                                           .timestamp = timestamp,
                                           .ssrc = ssrc},
                                          elements);
  std::ranges::copy(payload, packet.begin() + static_cast<std::ptrdiff_t>(header));
  if (ssrc == video_ssrc_) {
    sent_video_[sequence] = packet;
    sent_video_.erase(static_cast<uint16_t>(sequence - KeptForResend));
  }
  network_.send(options_.address, bridge_, srtp_->protect_rtp(packet), now);
}

void FakeClient::resend(uint16_t sequence, Timestamp now) {
  const auto kept = sent_video_.find(sequence);
  if (kept == sent_video_.end()) return;
  const auto header = rtp::parse_header(kept->second);
  const Bytes payload = Bytes(kept->second).subspan(header->header_bytes);
  std::vector<uint8_t> rtx(rtp::OriginalSequenceBytes + payload.size());
  store_be16(rtx.data(), sequence);
  std::ranges::copy(payload, rtx.begin() + rtp::OriginalSequenceBytes);
  const Bytes descriptor = rtp::find_extension(kept->second, *header, DependencyDescriptorId);
  descriptor_.assign(descriptor.begin(), descriptor.end());
  send_rtp(video_rtx_ssrc_, Vp8RtxPayloadType, rtx_sequence_++, header->timestamp, header->marker,
           rtx, now);
}

void FakeClient::ask_for_missing(Timestamp now) {
  std::array<uint8_t, 1200> space;
  rtcp::CompoundWriter out(space);
  for (auto& [ssrc, stream] : streams_) {
    std::array<uint16_t, 64> lost;
    const size_t count = stream.missing.due(now, 50ms, lost);
    if (count > 0) out.nack(video_ssrc_, ssrc, std::span(lost).first(count));
  }
  if (!out.empty())
    network_.send(options_.address, bridge_, srtp_->protect_rtcp(out.written()), now);
}

void FakeClient::send_reports(Timestamp now) {
  next_report_ += ReportInterval;
  std::array<uint8_t, 1200> space;
  rtcp::CompoundWriter out(space);
  const NtpClock clock(Timestamp{}, 1'700'000'000s);
  if (options_.sends_video)
    out.sender_report(
        {.ssrc = video_ssrc_, .ntp = clock.at(now), .rtp_timestamp = video_timestamp_});
  if (options_.sends_audio)
    out.sender_report(
        {.ssrc = audio_ssrc_, .ntp = clock.at(now), .rtp_timestamp = audio_timestamp_});
  if (!out.empty())
    network_.send(options_.address, bridge_, srtp_->protect_rtcp(out.written()), now);
}

uint64_t FakeClient::received_from(uint32_t sender, codec::MediaKind kind) const {
  uint64_t sum = 0;
  for (const auto& slot : slots_) {
    const auto stream = streams_.find(slot.ssrc);
    if (slot.kind != kind || stream == streams_.end()) continue;
    const auto from = stream->second.packets_from.find(sender);
    if (from != stream->second.packets_from.end()) sum += from->second;
  }
  return sum;
}

std::vector<std::string> FakeClient::faults() const {
  std::vector<std::string> all;
  for (const auto& [ssrc, stream] : streams_) {
    for (const std::string& fault : stream.faults)
      all.push_back("client " + std::to_string(options_.number) + ": " + fault);
  }
  return all;
}

}  // namespace viaduct::testing
