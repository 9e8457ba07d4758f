// The media of one client: ICE, DTLS and SRTP on the sans-IO cores, a microphone and a camera that
// send frames by the clock it is told, and a count of what arrives.
//
// Sans-IO itself: datagrams and `now` in, datagrams and a deadline out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "protocol/dtls/context.h"
#include "protocol/dtls/session.h"
#include "protocol/rtp/missing_packets.h"
#include "protocol/rtp/packet.h"
#include "tests/support/call_bot/frames.h"
#include "tests/support/call_bot/sent_bodies.h"
#include "tests/support/client/session_description.h"
#include "tests/support/ice_client.h"
#include "tests/support/srtp_session.h"

namespace viaduct::call_bot {

struct MediaCounts {
  uint64_t audio_sent = 0;  // packets
  uint64_t video_sent = 0;
  uint64_t audio_received = 0;
  uint64_t video_received = 0;
  uint64_t equal_bodies = 0;  // of what was received, those that a client of this process sent
  uint64_t unknown_bodies = 0;
  uint64_t resent = 0;
  uint64_t key_frame_requests = 0;
};

// What a client and the bridge know and nobody else may.
struct SharedSecrets {
  std::vector<std::vector<uint8_t>> srtp_master_keys;
  std::vector<std::vector<uint8_t>>
      srtp_session_keys;  // encryption and authentication, RTP and RTCP, both ways
  std::vector<uint8_t> dtls_master_secret;
};

class MediaClient {
 public:
  using Send = std::function<void(Bytes datagram)>;

  // `context`, `sent_bodies` and `random` outlive it. `send` takes what goes to the bridge.
  MediaClient(const Options& options, const dtls::Context& context, SentBodies& sent_bodies,
              Random& random, Send send);

  // What the offer says of this client. The bridge has `audio_slots` and `video_slots` for it.
  client::OfferDescription describe(size_t audio_slots, size_t video_slots) const;
  void connect(const client::AnswerView& answer, Timestamp now);

  void handle(Bytes datagram, const SocketAddress& from, Timestamp now);
  // Sends what is due.
  void turn(Timestamp now);

  bool connected() const { return srtp_ != nullptr; }
  // One sentence once the connection can no longer come about, or has ended.
  const std::string& failure() const { return failure_; }
  const MediaCounts& counts() const { return counts_; }
  const dtls::SessionInfo& dtls_info() const { return dtls_->info(); }
  std::string_view password() const { return credentials_.password; }
  const SharedSecrets& secrets() const { return secrets_; }  // once connected

 private:
  struct Incoming {
    client::ReceiveSlot slot;
    rtp::MissingPackets missing;
  };

  void flush_dtls(Timestamp now);
  void finish_dtls(Timestamp now);
  void handle_rtp(Bytes packet, Timestamp now);
  void handle_rtcp(Bytes packet, Timestamp now);
  void count_body(codec::MediaKind kind, Bytes payload);
  void send_audio(Timestamp now);
  void send_video(Timestamp now);
  void send_rtp(const client::SendStream& stream, const rtp::HeaderView& header, Bytes payload,
                Bytes descriptor);
  void resend(uint16_t sequence);
  void ask_for_missing(Timestamp now);
  void send_reports(Timestamp now);
  void fail(std::string sentence);
  const client::SendStream* stream_of(codec::MediaKind kind) const;

  const Options& options_;
  const dtls::Context& context_;
  SentBodies& sent_bodies_;
  Random& random_;
  const Send send_;
  const ice::Credentials credentials_;
  std::vector<client::SendStream> streams_;
  FrameMaker frames_;
  std::unique_ptr<testing::IceClient> ice_;
  std::unique_ptr<dtls::Session> dtls_;
  std::unique_ptr<testing::SrtpSession> srtp_;
  SharedSecrets secrets_;
  std::vector<Incoming> incoming_;
  std::string failure_;
  MediaCounts counts_;

  Timestamp needle_ends_ = Never;
  Timestamp next_audio_ = Never, next_video_ = Never, next_report_ = Never;
  uint16_t audio_sequence_, video_sequence_, rtx_sequence_ = 1, transport_sequence_ = 0;
  uint32_t audio_timestamp_, video_timestamp_;
  uint16_t picture_id_;
  uint16_t frame_number_ = 0;
  bool key_frame_wanted_ = true;

  struct SentPacket {
    rtp::HeaderView header;
    std::vector<uint8_t> payload;
  };
  std::map<uint16_t, SentPacket> sent_video_;  // in clear, for NACKs
};

}  // namespace viaduct::call_bot
