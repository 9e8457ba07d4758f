#include "tests/support/call_bot/media_client.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "protocol/codec/vp8.h"
#include "protocol/rtcp/parse.h"
#include "protocol/rtcp/write.h"
#include "protocol/rtp/header_writer.h"
#include "protocol/rtp/rtx.h"
#include "protocol/srtp/key_derivation.h"
#include "tests/support/client/dependency_descriptor.h"

namespace viaduct::call_bot {
namespace {

constexpr Duration AudioInterval = 20ms;
constexpr uint32_t AudioTicks = 960;
constexpr Duration VideoInterval = 50ms;
constexpr uint32_t VideoTicks = 4500;
constexpr Duration ReportInterval = 1s;
constexpr Duration AssumedRoundTrip = 50ms;
constexpr size_t MaxPieceBytes = 1100;
constexpr size_t KeptForResend = 512;
constexpr uint8_t LoudLevel = 30;  // -dBov (RFC 6464)

std::vector<uint8_t> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

void add_keys(const srtp::SrtpKeys& keys, SharedSecrets& out) {
  out.srtp_master_keys.push_back(copy_of(keys.master_key));
  const size_t authentication =
      keys.profile == srtp::SrtpProfile::Aes128CmHmacSha1_80 ? srtp::AuthenticationKeyBytes : 0;
  const size_t encryption = srtp::master_key_bytes(keys.profile);
  using Label = srtp::KeyLabel;
  for (const auto& [label, bytes] :
       {std::pair(Label::RtpEncryption, encryption), std::pair(Label::RtcpEncryption, encryption),
        std::pair(Label::RtpAuthentication, authentication),
        std::pair(Label::RtcpAuthentication, authentication)}) {
    std::vector<uint8_t> key(bytes);
    if (bytes > 0 && srtp::derive_key(keys, label, key).ok()) out.srtp_session_keys.push_back(key);
  }
}

}  // namespace

MediaClient::MediaClient(const Options& options, const dtls::Context& context,
                         SentBodies& sent_bodies, Random& random, Send send)
    : options_(options),
      context_(context),
      sent_bodies_(sent_bodies),
      random_(random),
      send_(std::move(send)),
      credentials_{random.ice_chars(8), random.ice_chars(24)},
      frames_(options.bodies, options.needle, random),
      audio_sequence_(static_cast<uint16_t>(random.u32())),
      video_sequence_(static_cast<uint16_t>(random.u32())),
      audio_timestamp_(random.u32()),
      video_timestamp_(random.u32()),
      picture_id_(random.u32() & 0x7fff) {
  if (options.audio) streams_.push_back({codec::MediaKind::Audio, "mic", random.u32(), 0});
  if (options.video)
    streams_.push_back({codec::MediaKind::Video, "cam", random.u32(), random.u32()});
}

client::OfferDescription MediaClient::describe(size_t audio_slots, size_t video_slots) const {
  return {credentials_, context_.fingerprint(), streams_, audio_slots, video_slots};
}

void MediaClient::connect(const client::AnswerView& answer, Timestamp now) {
  ice_ = std::make_unique<testing::IceClient>(credentials_, answer.credentials, answer.bridge,
                                              random_, now);
  dtls_ = std::make_unique<dtls::Session>(context_, dtls::Role::Client, answer.fingerprint, now);
  for (const client::ReceiveSlot& slot : answer.slots) incoming_.push_back({slot, {}});
}

void MediaClient::turn(Timestamp now) {
  if (!ice_ || !failure_.empty()) return;
  if (now >= ice_->next_deadline()) ice_->handle_timeout(now);
  for (std::vector<uint8_t> out; ice_->poll_output(&out);) send_(out);
  if (ice_->failed()) return fail("ICE found no way to the bridge, or lost it");
  if (!ice_->connected()) return;
  if (now >= dtls_->next_deadline()) dtls_->handle_timeout(now);
  flush_dtls(now);
  if (!srtp_) return;

  if (now >= needle_ends_) {
    frames_.drop_needle();
    needle_ends_ = Never;
  }
  if (now >= next_audio_) send_audio(now);
  if (now >= next_video_) send_video(now);
  if (now >= next_report_) send_reports(now);
  ask_for_missing(now);
}

void MediaClient::flush_dtls(Timestamp now) {
  for (std::vector<uint8_t> out; dtls_->poll_output(&out);) send_(out);
  if (dtls_->state() == dtls::Session::State::Failed) return fail(dtls_->failure());
  if (dtls_->state() == dtls::Session::State::Closed) return fail("the bridge has closed DTLS");
  if (!srtp_ && dtls_->state() == dtls::Session::State::Connected) finish_dtls(now);
}

void MediaClient::finish_dtls(Timestamp now) {
  const auto keys = dtls_->export_keys();
  srtp_ = std::make_unique<testing::SrtpSession>(keys.local(), keys.remote());
  if (options_.show_keys) {
    add_keys(keys.local(), secrets_);
    add_keys(keys.remote(), secrets_);
  }
  next_report_ = now;
  if (options_.audio) next_audio_ = now;
  if (options_.video) next_video_ = now;
  if (options_.needle_for) needle_ends_ = now + *options_.needle_for;
}

void MediaClient::handle(Bytes datagram, const SocketAddress& from, Timestamp now) {
  if (!ice_ || datagram.empty() || !failure_.empty()) return;
  const uint8_t first = datagram[0];  // RFC 7983
  if (first < 4) {
    ice_->handle(datagram, from, now);
  } else if (first >= 20 && first <= 63) {
    dtls_->handle(datagram, now);
    flush_dtls(now);
  } else if (!srtp_) {
    return;
  } else if (rtcp::is_rtcp(datagram)) {
    if (const auto clear = srtp_->unprotect_rtcp(datagram)) handle_rtcp(*clear, now);
  } else if (const auto clear = srtp_->unprotect_rtp(datagram)) {
    handle_rtp(*clear, now);
  }
}

void MediaClient::handle_rtp(Bytes packet, Timestamp now) {
  const auto header = rtp::parse_header(packet);
  const auto size = header ? rtp::payload_bytes_without_padding(packet, *header) : std::nullopt;
  if (!size || *size == 0) return;
  const auto in = std::ranges::find_if(incoming_, [&](const Incoming& i) {
    return header->ssrc == i.slot.ssrc || (i.slot.rtx_ssrc != 0 && header->ssrc == i.slot.rtx_ssrc);
  });
  if (in == incoming_.end()) return;
  Bytes payload = packet.subspan(header->header_bytes, *size);
  uint16_t sequence = header->sequence;
  if (header->ssrc != in->slot.ssrc) {
    const auto original = rtp::read_original_sequence(payload);
    if (!original) return;
    sequence = *original;
    payload = payload.subspan(rtp::OriginalSequenceBytes);
  }
  if (in->slot.kind == codec::MediaKind::Video) in->missing.on_packet(sequence, now);
  count_body(in->slot.kind, payload);
}

void MediaClient::count_body(codec::MediaKind kind, Bytes payload) {
  ++(kind == codec::MediaKind::Audio ? counts_.audio_received : counts_.video_received);
  if (options_.mixed && kind == codec::MediaKind::Audio) return;  // made by the bridge
  const Bytes body = body_of(payload, kind);
  ++(sent_bodies_.contains(body) ? counts_.equal_bodies : counts_.unknown_bodies);
}

void MediaClient::handle_rtcp(Bytes packet, Timestamp) {
  const client::SendStream* video = stream_of(codec::MediaKind::Video);
  if (!video) return;
  rtcp::for_each_packet(packet, [&](const rtcp::Packet& p) {
    if (const auto pli = rtcp::parse_pli(p); pli && pli->media == video->ssrc) {
      ++counts_.key_frame_requests;
      key_frame_wanted_ = true;
    }
    if (const auto nack = rtcp::parse_nack(p); nack && nack->media == video->ssrc)
      nack->for_each_lost([&](uint16_t sequence) { resend(sequence); });
  });
}

void MediaClient::send_audio(Timestamp now) {
  next_audio_ = std::max(next_audio_ + AudioInterval, now);
  audio_timestamp_ += AudioTicks;
  const std::vector<uint8_t> frame = frames_.audio_frame();
  sent_bodies_.add(frame);
  rtp::HeaderView header;
  header.payload_type = client::OpusPayloadType;
  header.sequence = audio_sequence_++;
  header.timestamp = audio_timestamp_;
  send_rtp(*stream_of(codec::MediaKind::Audio), header, frame, {});
  ++counts_.audio_sent;
}

void MediaClient::send_video(Timestamp now) {
  next_video_ = std::max(next_video_ + VideoInterval, now);
  video_timestamp_ += VideoTicks;
  const bool key = std::exchange(key_frame_wanted_, false);
  const std::vector<uint8_t> frame = frames_.video_frame(key);
  Bytes rest = frame;
  while (!rest.empty()) {
    const Bytes piece = rest.first(std::min(rest.size(), MaxPieceBytes));
    const bool first = rest.size() == frame.size();
    rest = rest.subspan(piece.size());
    codec::Vp8Descriptor descriptor;
    descriptor.start_of_partition = first;
    descriptor.picture_id = picture_id_;
    std::vector<uint8_t> payload(codec::vp8_descriptor_bytes(descriptor));
    codec::write_vp8_descriptor(payload, descriptor);
    payload.insert(payload.end(), piece.begin(), piece.end());

    sent_bodies_.add(piece);
    rtp::HeaderView header;
    header.payload_type = client::Vp8PayloadType;
    header.marker = rest.empty();
    header.sequence = video_sequence_++;
    header.timestamp = video_timestamp_;
    send_rtp(*stream_of(codec::MediaKind::Video), header, payload,
             client::write_dependency_descriptor({key, first, rest.empty(), frame_number_},
                                                 PictureWidth, PictureHeight));
    sent_video_[header.sequence] = {header, std::move(payload)};
    sent_video_.erase(static_cast<uint16_t>(header.sequence - KeptForResend));
    ++counts_.video_sent;
  }
  picture_id_ = static_cast<uint16_t>((picture_id_ + 1) & 0x7fff);
  ++frame_number_;
}

void MediaClient::send_rtp(const client::SendStream& stream, const rtp::HeaderView& header,
                           Bytes payload, Bytes descriptor) {
  uint8_t transport[2];
  store_be16(transport, transport_sequence_++);
  const uint8_t level[] = {LoudLevel};
  std::vector<rtp::ExtensionElement> elements = {{client::TransportSequenceId, transport},
                                                 {client::MidId, as_bytes(stream.mid)}};
  if (stream.kind == codec::MediaKind::Audio) elements.push_back({client::AudioLevelId, level});
  if (!descriptor.empty()) elements.push_back({client::DependencyDescriptorId, descriptor});
  const bool rtx = header.payload_type == client::Vp8RtxPayloadType;
  std::vector<uint8_t> packet(rtp::header_bytes(elements) + payload.size());
  const size_t head = rtp::write_header(packet,
                                        {.marker = header.marker,
                                         .payload_type = header.payload_type,
                                         .sequence = header.sequence,
                                         .timestamp = header.timestamp,
                                         .ssrc = rtx ? stream.rtx_ssrc : stream.ssrc},
                                        elements);
  std::ranges::copy(payload, packet.begin() + static_cast<std::ptrdiff_t>(head));
  send_(srtp_->protect_rtp(packet));
}

void MediaClient::resend(uint16_t sequence) {
  const auto kept = sent_video_.find(sequence);
  if (kept == sent_video_.end()) return;
  rtp::HeaderView header = kept->second.header;
  header.payload_type = client::Vp8RtxPayloadType;
  header.sequence = rtx_sequence_++;
  std::vector<uint8_t> payload(rtp::OriginalSequenceBytes);
  store_be16(payload.data(), sequence);
  payload.insert(payload.end(), kept->second.payload.begin(), kept->second.payload.end());
  send_rtp(*stream_of(codec::MediaKind::Video), header, payload, {});
  ++counts_.resent;
}

void MediaClient::ask_for_missing(Timestamp now) {
  const client::SendStream* self = streams_.empty() ? nullptr : &streams_.back();
  std::array<uint8_t, 1200> space;
  rtcp::CompoundWriter out(space);
  for (Incoming& in : incoming_) {
    std::array<uint16_t, 64> lost;
    const size_t count = in.missing.due(now, AssumedRoundTrip, lost);
    if (count > 0) out.nack(self ? self->ssrc : 1, in.slot.ssrc, std::span(lost).first(count));
  }
  if (!out.empty()) send_(srtp_->protect_rtcp(out.written()));
}

void MediaClient::send_reports(Timestamp now) {
  static const NtpClock Clock = ntp_clock_from_now();
  next_report_ = now + ReportInterval;
  std::array<uint8_t, 1200> space;
  rtcp::CompoundWriter out(space);
  for (const client::SendStream& stream : streams_) {
    const bool audio = stream.kind == codec::MediaKind::Audio;
    out.sender_report({.ssrc = stream.ssrc,
                       .ntp = Clock.at(now),
                       .rtp_timestamp = audio ? audio_timestamp_ : video_timestamp_});
  }
  if (!out.empty()) send_(srtp_->protect_rtcp(out.written()));
}

void MediaClient::fail(std::string sentence) {
  if (failure_.empty()) failure_ = std::move(sentence);
}

const client::SendStream* MediaClient::stream_of(codec::MediaKind kind) const {
  const auto found = std::ranges::find(streams_, kind, &client::SendStream::kind);
  return found == streams_.end() ? nullptr : &*found;
}

}  // namespace viaduct::call_bot
