// All clients and all conferences: the signalling contract as a state machine without sockets,
// threads or clocks.
//
// Messages and reports go in, `take_outgoing()` comes out, commands go to the workers' links. What
// happens inside a conference is its Room's business; here clients come, join, offer and go. A
// participant whose socket was cut is kept for limits::ResumeTimeout, and nothing is kept for them:
// they are told anew when they are back.
// Nothing here may be driven into unbounded growth: sockets, participants and conferences are all
// limited.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/random.h"
#include "conference/messages.h"
#include "control/control_metrics.h"
#include "control/outbox.h"
#include "control/peer.h"
#include "control/room.h"
#include "control/room_view.h"
#include "control/settings.h"
#include "control/signalling.h"
#include "control/token.h"
#include "control/worker_link.h"
#include "limits.h"

namespace viaduct::control {

class Rooms {
 public:
  static constexpr Duration JoinTimeout = 10s;     // from the socket's opening to `join`
  static constexpr Duration OfferTimeout = 30s;    // from `joined` to `offer`
  static constexpr Duration PrivacyInterval = 1s;  // between two questions of one client

  // All arguments outlive this object.
  Rooms(const Settings& settings, const TokenVerifier& tokens, std::vector<WorkerLink>& workers,
        Random& random, ControlMetrics& metrics);
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;

  void handle_opened(SocketId socket, Timestamp now);
  void handle_message(SocketId socket, std::string_view text, Timestamp now, Duration wall);
  void handle_closed(SocketId socket, SocketEnd end, Timestamp now);
  void handle_report(const conference::Report& report, Timestamp now);
  void handle_timers(Timestamp now);

  // Tells every client that the bridge goes down, and forgets them; the workers are told by Stop.
  void drain();

  // What has to be sent since the last call, in order.
  std::vector<Outgoing> take_outgoing() { return outbox_.take(); }

  // Who has asked, since the last call, who can read what; each only once.
  std::vector<SocketId> take_privacy_questions() { return std::exchange(privacy_questions_, {}); }
  // The conference that a client is in.
  const Room* room_of(SocketId socket) const;
  // The answer to its question, or, without one, `busy`. Ignored when the client is gone.
  void answer_privacy(SocketId socket, std::shared_ptr<const std::string> text);

  std::vector<RoomView> views() const;
  // A conference by its name, its id, or the id of somebody in it.
  std::optional<RoomView> find(std::string_view name_or_id) const;

 private:
  void handle(Peer& peer, const JoinMessage& join, Timestamp now, Duration wall);
  void handle(Peer& peer, const OfferMessage& offer, Timestamp now);
  void handle(Peer& opened, const ResumeMessage& resume, Timestamp now);
  void handle(Peer& peer, const RestartMessage& restart);
  void handle(Peer& peer, const PrivacyMessage& question, Timestamp now);
  void handle(const conference::EndpointConnected& report, Timestamp now);
  void handle(const conference::EndpointGone& report);

  // Whom a join's token and the configuration admit, under which name and condition.
  struct Admission {
    std::string name;
    bool requires_e2ee = false;
  };
  std::variant<Refusal, Admission> admit(const JoinMessage& join, Duration wall) const;
  // The room of that name, made when there is none; empty when the bridge is full.
  Room* find_or_open_room(const std::string& name, bool require_e2ee);
  // The worker for one more in that room, or for a new one; empty when none has room.
  std::optional<size_t> pick_worker(const Room* room) const;
  bool has_space(size_t worker, const Room* room) const;
  void leave_room(Peer& peer, bool tell_worker);
  void end_away(Timestamp now);
  std::unique_ptr<Peer> release(Peer& peer);
  void forget(Peer& peer, bool tell_worker);

  Peer* find_peer(conference::EndpointId endpoint) const;
  Peer* find_peer(const std::string& participant) const;

  void end_mixes(const Room& room);
  void refuse(Peer& peer, const Refusal& refusal);
  void end(Peer& peer, const Refusal& refusal, bool tell_worker);
  void refuse_join(Peer& peer, const Refusal& refusal);
  void show_totals();

  const Settings& settings_;
  const TokenVerifier& tokens_;
  std::vector<WorkerLink>& workers_;
  Random& random_;
  ControlMetrics& metrics_;

  Outbox outbox_;
  const Room::Surroundings around_rooms_;
  std::unordered_map<SocketId, std::unique_ptr<Peer>> peers_;
  std::unordered_map<std::string, std::unique_ptr<Peer>> away_;  // by participant: their sockets were cut
  std::unordered_map<std::string, Peer*> participants_;          // all of them
  std::unordered_map<std::string, std::unique_ptr<Room>> rooms_;  // by name
  std::unordered_map<conference::EndpointId, Peer*> endpoints_;
  std::unordered_map<conference::ConferenceId, Room*> rooms_by_number_;
  uint64_t last_endpoint_ = 0;
  uint64_t last_conference_ = 0;
  std::vector<SocketId> privacy_questions_;
};

}  // namespace viaduct::control
