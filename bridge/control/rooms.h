// Who is in which conference: the signalling contract as a state machine without sockets, threads
// or clocks.
//
// Messages and reports go in, `take_outgoing()` comes out, commands go to the workers' links. A
// client's state is one Peer by its socket; it is a participant from `joined` on and has an
// endpoint in a worker from `answer` on. Nothing here may be driven into unbounded growth: sockets,
// participants and conferences are all limited.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "conference/messages.h"
#include "control/control_metrics.h"
#include "control/settings.h"
#include "control/signalling.h"
#include "control/token.h"
#include "control/worker_link.h"

namespace viaduct::control {

using SocketId = uint64_t;  // drawn once for each WebSocket and never used again

namespace close_code {  // RFC 6455 section 7.4 and the contract
inline constexpr uint16_t None = 0;
inline constexpr uint16_t Normal = 1000;
inline constexpr uint16_t GoingAway = 1001;
inline constexpr uint16_t UnsupportedData = 1003;
inline constexpr uint16_t Abnormal = 1006;  // never on the wire: there was no closing frame
inline constexpr uint16_t PolicyViolation = 1008;
inline constexpr uint16_t FinalError = 4000;
}  // namespace close_code

// A text to send, or a socket to close after what was sent before, or both.
struct Outgoing {
  SocketId socket = 0;
  std::shared_ptr<const std::string> text;
  uint16_t close = close_code::None;
};

// What the admin API shows of a conference beside the worker's snapshot.
struct RoomView {
  struct Person {
    std::string id;
    std::string name;
    conference::EndpointId endpoint{};
    bool has_media = false;  // the worker knows the endpoint
  };
  std::string id;
  std::string name;
  conference::ConferenceId number{};
  size_t worker = 0;
  std::vector<Person> people;
};

class Rooms {
 public:
  static constexpr Duration JoinTimeout = 10s;   // from the socket's opening to `join`
  static constexpr Duration OfferTimeout = 30s;  // from `joined` to `offer`

  // All arguments outlive this object.
  Rooms(const Settings& settings, const TokenVerifier& tokens, std::vector<WorkerLink>& workers,
        Random& random, ControlMetrics& metrics);

  void handle_opened(SocketId socket, Timestamp now);
  void handle_message(SocketId socket, std::string_view text, Timestamp now, Duration wall);
  void handle_closed(SocketId socket);
  void handle_report(const conference::Report& report, Timestamp now);
  void handle_timers(Timestamp now);

  // Tells every client that the bridge goes down, and forgets them; the workers are told by Stop.
  void drain();

  // What has to be sent since the last call, in order.
  std::vector<Outgoing> take_outgoing() { return std::exchange(outgoing_, {}); }

  std::vector<RoomView> views() const;
  // A conference by its name, its id, or the id of somebody in it.
  std::optional<RoomView> find(std::string_view name_or_id) const;

 private:
  struct Room;
  struct Peer {
    SocketId socket = 0;
    Timestamp since{};     // of the opened socket, then of `join`
    Room* room = nullptr;  // empty before `joined`
    std::string id;
    std::string name;
    conference::EndpointId endpoint{};
    bool offered = false;
    std::array<bool, 2> muted{};  // by MediaKind: as the client says
    std::array<bool, 2> sends{true, true};
    Duration signalling{};
  };
  struct Room {
    std::string id;
    std::string name;
    conference::ConferenceId number{};
    size_t worker = 0;
    std::vector<Peer*> people;  // in order of arrival
    std::vector<codec::CodecType> video_codecs;
    std::optional<conference::EndpointId> speaker;
    conference::E2eePolicy e2ee;
  };

  void handle(Peer& peer, const JoinMessage& join, Timestamp now, Duration wall);
  void handle(Peer& peer, const OfferMessage& offer, Timestamp now);
  void handle(Peer& peer, const MuteMessage& mute);

  void handle(const conference::EndpointConnected& report, Timestamp now);
  void handle(const conference::EndpointGone& report);
  void handle(const conference::SlotsChanged& report);
  void handle(const conference::SpeakerChanged& report);
  void handle(const conference::CodecsChanged& report);

  // The room of that name, made when there is none; empty when the bridge is full.
  Room* find_or_open_room(const std::string& name);
  std::optional<size_t> pick_worker() const;
  void leave_room(Peer& peer, bool tell_worker);
  void forget(SocketId socket, bool tell_worker);

  ParticipantView view_of(const Peer& peer) const;
  std::optional<std::string> public_id(std::optional<conference::EndpointId> endpoint) const;
  Peer* find_peer(conference::EndpointId endpoint) const;
  Room* find_room(conference::ConferenceId number) const;

  void send(const Peer& peer, std::string text);
  void send_to_others(const Peer& peer, std::string text);
  void refuse(Peer& peer, const Refusal& refusal);
  void end(Peer& peer, const Refusal& refusal, bool tell_worker);
  void refuse_join(Peer& peer, std::string_view code, std::string text);
  void show_totals();

  const Settings& settings_;
  const TokenVerifier& tokens_;
  std::vector<WorkerLink>& workers_;
  Random& random_;
  ControlMetrics& metrics_;

  std::unordered_map<SocketId, std::unique_ptr<Peer>> peers_;
  std::unordered_map<std::string, std::unique_ptr<Room>> rooms_;  // by name
  std::unordered_map<conference::EndpointId, Peer*> endpoints_;
  std::unordered_map<conference::ConferenceId, Room*> rooms_by_number_;
  uint64_t last_endpoint_ = 0;
  uint64_t last_conference_ = 0;
  std::vector<Outgoing> outgoing_;
};

}  // namespace viaduct::control
