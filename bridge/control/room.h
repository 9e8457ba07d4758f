// One conference: who is in it, what it has decided, and what its people are told of each other.
//
// A message of somebody in it, or a report of its worker, goes in; texts go to the outbox and
// commands to the worker. Its state ends with it. What people relay to each other is never read,
// kept or logged here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/control_metrics.h"
#include "control/outbox.h"
#include "control/peer.h"
#include "control/room_view.h"
#include "control/settings.h"
#include "control/worker_link.h"

namespace viaduct::control {

class Room {
 public:
  // What all rooms use; outlives them.
  struct Surroundings {
    const Settings& settings;
    std::vector<WorkerLink>& workers;
    ControlMetrics& metrics;
    Outbox& outbox;
  };

  Room(const Surroundings& around, std::string id, std::string name,
       conference::ConferenceId number, conference::E2eePolicy policy);
  ~Room();
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  conference::ConferenceId number() const { return number_; }
  // Where its people are, in the order in which workers were first needed, and how many on one.
  std::vector<size_t> workers() const;
  size_t people_on(size_t worker) const;
  const conference::E2eePolicy& e2ee() const { return e2ee_; }
  const std::vector<Peer*>& people() const { return people_; }  // in order of arrival
  RoomView view() const;

  // Takes somebody in, and tells everyone. `requires_e2ee`: from now on the conference does.
  void add(Peer& peer, bool requires_e2ee);
  void remove(Peer& peer);
  // It is back on another socket: gets all anew that it may have missed.
  void tell_anew(Peer& peer);
  // Gives the peer's worker its endpoint, and the other workers what they must know of it. False,
  // with nothing changed, when the worker is behind.
  bool offer(Peer& peer, std::unique_ptr<conference::EndpointDescription> endpoint);
  // It has answered: its workers get what was said before, and the peer what there is to say after
  // `answer`.
  void handle_offered(Peer& peer);

  // What somebody in it says. The refusal, if it is refused, which is never final.
  std::optional<Refusal> handle(Peer& peer, const ClientMessage& message);

  // What the worker tells of `peer`, or of the conference.
  void handle(Peer& peer, const conference::SlotsChanged& report);
  void handle(Peer& peer, const conference::BodiesObserved& report);
  void handle(Peer& peer, const conference::SourceHeldBack& report);
  void handle(Peer& peer, const conference::LayersWanted& report);
  void handle(Peer& peer, const conference::NetworkMeasured& report);
  void handle(Peer& peer, const conference::ScreenShown& report);
  void handle(const conference::SpeakerChanged& report);
  void handle(const conference::RecentSpeakersChanged& report);
  void handle(const conference::CodecsChanged& report);

 private:
  std::optional<Refusal> handle(Peer& peer, const MuteMessage& mute);
  // room_pictures.cc
  std::optional<Refusal> handle(Peer& peer, const ReceiveMessage& receive);
  std::optional<conference::PictureName> find(const ReceiveMessage::Picture& picture) const;
  std::string recent_speakers() const;
  // room_e2ee.cc
  std::optional<Refusal> handle(Peer& peer, const E2eeMessage& e2ee);
  std::optional<Refusal> handle(Peer& peer, const DeclareMessage& declare);
  void set_policy(conference::E2eePolicy policy);
  // room_direct.cc
  void handle(Peer& peer, const DirectMessage& direct);
  void handle(Peer& peer, const RelayMessage& relay);
  void forget_direct();
  void count_as_direct();

  JoinedView joined_view(const Peer& peer) const;
  void tell_slots(const Peer& peer);
  void tell_conference(const Peer& peer);
  ParticipantView view_of(const Peer& peer) const;
  std::optional<std::string> public_id(std::optional<conference::EndpointId> endpoint) const;
  // room_workers.cc
  // The workers that know of it, which they do from an offer on.
  std::vector<size_t> offered_workers() const;
  // Hands what somebody asks for to all of these; `busy` when one is behind.
  template <typename C>
  std::optional<Refusal> command(const C& command);
  template <typename C>
  void command_all(const C& command);
  void tell_of(const Peer& peer, WorkerLink& link);
  void relay(const Peer& peer, size_t worker);
  void relay_others_to(size_t worker);
  void end_relay(const Peer& peer, size_t worker);
  void end_relay_of_others_to(size_t worker);

  void send_to_all(std::string text);
  void send_to_offered(std::string text);
  void send_to_others(const Peer& peer, std::string text);
  void tell_change_of(const Peer& peer) {
    send_to_others(peer, write_participant_changed(view_of(peer)));
  }

  const Surroundings& around_;
  const std::string id_;
  const std::string name_;
  const conference::ConferenceId number_;
  conference::E2eePolicy e2ee_;
  std::vector<Peer*> people_;
  std::unordered_map<conference::EndpointId, Peer*> by_endpoint_;
  std::unordered_map<std::string, Peer*> by_id_;
  std::vector<codec::CodecType> video_codecs_;
  std::optional<conference::EndpointId> speaker_;
  std::vector<conference::EndpointId> recent_speakers_;
  bool counts_as_direct_ = false;
};

}  // namespace viaduct::control
