// A client whose network was gone for a while: its socket is cut, the participant stays, comes back on another socket,
// and restarts ICE.
#include "base/log.h"
#include "control/negotiation.h"
#include "control/rooms.h"

namespace viaduct::control {

void Rooms::handle_closed(SocketId socket, SocketEnd end, Timestamp now) {
  const auto found = peers_.find(socket);
  if (found == peers_.end()) return;
  Peer& peer = *found->second;
  if (end == SocketEnd::Left || !peer.offered) return forget(peer, /*tell_worker=*/true);
  std::unique_ptr<Peer> kept = release(peer);
  kept->socket = NoSocket;
  kept->away_since = now;
  log::info("participant {} has lost its socket", peer.id);
  away_.emplace(peer.id, std::move(kept));
  show_totals();
}

void Rooms::end_away(Timestamp now) {
  std::vector<Peer*> late;
  for (const auto& [id, peer] : away_) {
    if (now - *peer->away_since > limits::ResumeTimeout) late.push_back(peer.get());
  }
  for (Peer* peer : late) {
    metrics_.lost_participants["not-resumed"].add();
    forget(*peer, /*tell_worker=*/true);
  }
}

// `opened` is what there is of the new socket, and gone afterwards.
void Rooms::handle(Peer& opened, const ResumeMessage& resume, Timestamp now) {
  if (opened.room)
    return refuse(opened, {"already-joined", "this socket is in a conference already", false});
  Peer* peer = find_peer(resume.participant);
  if (!peer || !peer->offered || !(peer->resume == resume.secret)) {
    metrics_.resumes["resume-failed"].add();
    return end(opened, {"resume-failed", "nobody here can be resumed by that; join anew", true},
               /*tell_worker=*/false);
  }
  const Duration away = peer->away_since ? now - *peer->away_since : Duration{};
  outbox_.close(peer->socket, nullptr, close_code::Resuming);
  std::unique_ptr<Peer> kept = release(*peer);
  peer->socket = opened.socket;
  peer->away_since.reset();
  peers_[peer->socket] = std::move(kept);
  metrics_.resumes["resumed"].add();
  log::info("participant {} is back on another socket after {} ms", peer->id, to_ms(away));
  peer->room->tell_anew(*peer);
  show_totals();
}

void Rooms::handle(Peer& peer, const RestartMessage& message) {
  const auto refused = [&](const std::string& why) { refuse(peer, {"restart-refused", why, false}); };
  if (!peer.offered) return refused("there is no offer yet");
  const Result<sdp::Offer> offer = sdp::parse_offer(message.sdp);
  if (!offer) return refused(offer.error().text);
  const Result<sdp::Answer> answer = answer_restart(*offer, peer.settled, random_);
  if (!answer) return refused(answer.error().text);
  conference::RestartIce restart{peer.endpoint, answer->ice_ufrag, offer->ice_ufrag, answer->ice_pwd, offer->ice_pwd};
  if (!workers_[peer.worker].try_send(std::move(restart)))
    return refuse(peer, {"busy", "the bridge is too busy now; try again", false});
  outbox_.send(peer.socket, write_answer(sdp::write_answer(*offer, *answer, settings_.video_preference)));
}

}  // namespace viaduct::control
