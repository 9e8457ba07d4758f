// A client that was not made by a browser: ICE, DTLS and SRTP on our own sans-IO cores, a
// microphone and a camera that send packets which can be recognised, and slots whose streams are
// watched.
//
// Payloads say who sent them and in which order: |marker 4|sender 4|sequence 4|pattern from these
// ...|. VP8 has its descriptor in front, and frames look plain, like SFrame, or like nothing at
// all: then this is scrambled under the four bytes in front of it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "conference/messages.h"
#include "protocol/dtls/context.h"
#include "protocol/dtls/session.h"
#include "protocol/rtp/missing_packets.h"
#include "protocol/rtp/packet.h"
#include "protocol/rtp/sequence.h"
#include "tests/support/ice_client.h"
#include "tests/support/simulated_network.h"
#include "tests/support/srtp_session.h"

namespace viaduct::testing {

// What came in on one receive slot, in clear, and what was wrong with it.
struct ReceivedStream {
  uint64_t packets = 0;
  uint64_t key_frames = 0;
  std::map<uint32_t, uint64_t> packets_from;  // by sender number
  std::vector<std::string> faults;            // sentences; a good stream has none
  std::map<int64_t, uint32_t> timestamps;     // by unwrapped sequence number, of the last ones
  std::optional<int64_t> lowest;
  std::optional<int64_t> highest;
  uint64_t duplicates = 0;
  uint64_t recovered = 0;  // came by RTX
  std::optional<uint16_t> last_picture_id;
  bool awaits_key_frame = false;          // until then picture ids say nothing
  std::optional<int64_t> last_structure;  // frame number of the last dependency structure
  rtp::SequenceUnwrapper frame_numbers;
  rtp::SequenceUnwrapper unwrapper;
  rtp::MissingPackets missing;
  // Sequence numbers between lowest and highest that never came.
  uint64_t holes() const {
    return lowest ? static_cast<uint64_t>(*highest - *lowest + 1) - (packets - duplicates) : 0;
  }
};

class FakeClient {
 public:
  // What the bodies that it sends look like. All kinds have the same sizes.
  enum class Bodies { Plain, Sframe, Noise };

  struct Options {
    uint32_t number = 1;    // who it is; part of every payload
    SocketAddress address;  // on the simulated network
    bool sends_audio = true;
    bool sends_video = true;
    size_t audio_slots = 3;
    size_t video_slots = 4;
    bool asks_for_resends = true;
    bool dtls_server = false;  // the bridge is the DTLS client then
    Bodies bodies = Bodies::Plain;
    bool describes_frames = false;  // sends and takes dependency descriptors
    std::vector<codec::CodecType> decodes = {codec::CodecType::Opus, codec::CodecType::Vp8};
    bool mixed = false;  // hears a mix in its first audio slot
    // What the microphone sends instead of marked bodies, and who takes what the audio slots bring.
    std::function<std::vector<uint8_t>()> speak;
    std::function<void(const rtp::HeaderView&, Bytes payload, Timestamp now)> listen;
  };

  FakeClient(const Options& options, SimulatedNetwork& network,
             const dtls::Certificate& certificate, Random& random);

  // What control would tell the worker. `bridge` is where the bridge listens and what it shows in
  // DTLS.
  std::unique_ptr<conference::EndpointDescription> describe(conference::EndpointId id);
  void connect(const SocketAddress& bridge, const dtls::Fingerprint& certificate, Timestamp now);

  // Takes what has arrived, sends what is due.
  void turn(Timestamp now);
  Timestamp next_deadline() const;

  void set_sending(bool sending) { sending_ = sending; }
  void set_bodies(Bodies bodies) { options_.bodies = bodies; }
  // The conference is encrypted end to end from now on, or no longer. While it is, VP8 picture ids
  // are their senders' own; afterwards they count on again, from the next key frame.
  void set_sealed(bool sealed) {
    sealed_ = sealed;
    for (auto& [ssrc, stream] : streams_) stream.awaits_key_frame = true;
  }
  void set_audio_level(uint8_t level) { level_ = level; }  // RFC 6464: 0 loudest, 127 silence
  // The camera goes on under another SSRC with other numbers, which nobody is told: the MID
  // extension says whose it is.
  void begin_new_video_stream();
  // The client moves to another address and checks from there.
  void move_to(const SocketAddress& address, Timestamp now);
  // Falls silent altogether, as when its network is gone.
  void vanish() { vanished_ = true; }

  bool connected() const { return srtp_ != nullptr; }
  uint32_t number() const { return options_.number; }
  const SocketAddress& address() const { return options_.address; }
  uint64_t audio_sent() const { return audio_sequence_sent_; }
  uint64_t video_sent() const { return video_sequence_sent_; }
  uint64_t key_frame_requests() const { return key_frame_requests_; }
  const std::map<uint32_t, ReceivedStream>& streams() const {
    return streams_;
  }  // by the slot's SSRC
  const std::vector<conference::SlotDescription>& slots() const { return slots_; }
  // Packets of `sender` on slots of the kind.
  uint64_t received_from(uint32_t sender, codec::MediaKind kind) const;
  std::vector<std::string> faults() const;
  const dtls::Session& dtls() const { return *dtls_; }
  // Sends bytes as they are, from the client's address.
  void send_raw(Bytes bytes, Timestamp now) {
    network_.send(options_.address, bridge_, bytes, now);
  }
  SrtpSession& srtp() { return *srtp_; }
  uint32_t audio_ssrc() const { return audio_ssrc_; }
  uint32_t video_ssrc() const { return video_ssrc_; }

  static constexpr uint8_t OpusPayloadType = 111;
  static constexpr uint8_t Vp8PayloadType = 96;
  static constexpr uint8_t Vp8RtxPayloadType = 97;
  static constexpr uint8_t H264PayloadType = 102;
  static constexpr uint8_t AudioLevelId = 1;
  static constexpr uint8_t TransportSequenceId = 3;
  static constexpr uint8_t MidId = 5;
  static constexpr uint8_t DependencyDescriptorId = 6;

 private:
  void handle(const Datagram& datagram, Timestamp now);
  void handle_media(Bytes packet, Timestamp now);
  void handle_rtcp(Bytes packet, Timestamp now);
  void check_payload(ReceivedStream& stream, Bytes payload, bool video);
  void check_mark(ReceivedStream& stream, Bytes marked);
  void check_descriptor(ReceivedStream& stream, Bytes packet, const rtp::HeaderView& header);
  std::vector<uint8_t> body(bool video, bool begins_frame, bool key, uint32_t sequence,
                            size_t bytes);
  void send_audio(Timestamp now);
  void send_video_frame(Timestamp now);
  void describe_frame(bool first, bool last, bool key);
  void send_rtp(uint32_t ssrc, uint8_t payload_type, uint16_t sequence, uint32_t timestamp,
                bool marker, Bytes payload, Timestamp now);
  void resend(uint16_t sequence, Timestamp now);
  void ask_for_missing(Timestamp now);
  void send_reports(Timestamp now);
  void flush_dtls(Timestamp now);

  Options options_;
  SimulatedNetwork& network_;
  const dtls::Context context_;
  Random& random_;
  SocketAddress bridge_;
  std::string ufrag_, password_, bridge_ufrag_, bridge_password_;
  std::vector<conference::SlotDescription> slots_;
  std::unique_ptr<IceClient> ice_;
  std::unique_ptr<dtls::Session> dtls_;
  std::unique_ptr<SrtpSession> srtp_;

  uint32_t audio_ssrc_, video_ssrc_, video_rtx_ssrc_;
  uint16_t audio_sequence_, video_sequence_, rtx_sequence_ = 1, transport_sequence_ = 0;
  uint32_t audio_timestamp_, video_timestamp_;
  uint16_t picture_id_;
  uint8_t tl0_ = 0;
  uint8_t level_ = 40;
  bool sending_ = true;
  bool sealed_ = false;
  SeededRandom noise_;            // its own, so that bodies change nothing else
  uint64_t frame_counter_ = 250;  // of SFrame, for sound and pictures
  uint16_t frame_number_ = 65'500;
  std::vector<uint8_t> descriptor_;  // of the frame that is being sent
  bool vanished_ = false;
  bool key_frame_wanted_ = true;
  uint64_t audio_sequence_sent_ = 0, video_sequence_sent_ = 0, key_frame_requests_ = 0;
  Timestamp next_audio_ = Never, next_video_ = Never, next_report_ = Never;
  std::map<uint16_t, std::vector<uint8_t>> sent_video_;  // in clear, for NACKs
  std::map<uint32_t, ReceivedStream> streams_;
};

}  // namespace viaduct::testing
