// One client, from its socket's opening to its end.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "conference/messages.h"
#include "control/negotiation.h"
#include "control/outbox.h"
#include "control/signalling.h"
#include "secrecy/secret_string.h"

namespace viaduct::control {

class Room;

// What a client says of end-to-end encryption, and what its worker sees of the streams. The worker
// tells of no more streams than an endpoint has.
class PeerE2ee {
 public:
  bool capable = false;
  bool declared = false;

  // What was seen before says nothing of what follows.
  void declare(bool now_declared) {
    declared = now_declared;
    for (Stream& s : streams_) s.observed.reset();
  }
  // A stream that has never been clear may not have been sent: it does not count yet.
  void observe(std::string_view mid, codec::MediaKind kind, conference::ObservedBodies observed) {
    Stream& s = stream(mid, kind);
    if (s.observed || observed != conference::ObservedBodies::Undecided) s.observed = observed;
  }
  void hold_back(std::string_view mid, codec::MediaKind kind, conference::HeldBack reason) {
    stream(mid, kind).held_back = reason;
  }

  // The worst of the streams that count.
  E2eeVerdict verdict() const {
    std::optional<E2eeVerdict> worst;
    for (const Stream& s : streams_) {
      if (!s.observed) continue;
      const E2eeVerdict verdict = verdict_of(declared, *s.observed);
      worst = std::max(worst.value_or(verdict), verdict);
    }
    return worst.value_or(verdict_of(declared, conference::ObservedBodies::Undecided));
  }
  // Why streams of a kind are held back: the worst reason, or No.
  conference::HeldBack held_back(codec::MediaKind kind) const {
    auto worst = conference::HeldBack::No;
    for (const Stream& s : streams_) {
      if (s.kind == kind) worst = std::max(worst, s.held_back);
    }
    return worst;
  }

 private:
  struct Stream {
    std::string mid;
    codec::MediaKind kind{};
    std::optional<conference::ObservedBodies> observed;
    conference::HeldBack held_back{};
  };
  Stream& stream(std::string_view mid, codec::MediaKind kind) {
    for (Stream& s : streams_) {
      if (s.mid == mid) return s;
    }
    return streams_.emplace_back(
        Stream{std::string(mid), kind, std::nullopt, conference::HeldBack::No});
  }
  std::vector<Stream> streams_;
};

// What can be muted, as Peer::muted stands.
struct Muteable {
  codec::MediaKind kind{};
  conference::Content content{};
};
inline constexpr std::array<Muteable, 3> Muteables = {{{codec::MediaKind::Audio, conference::Content::Camera},
                                                       {codec::MediaKind::Video, conference::Content::Camera},
                                                       {codec::MediaKind::Video, conference::Content::Screen}}};
constexpr size_t index_of(const Muteable& m) {
  return m.content == conference::Content::Screen ? 2 : static_cast<size_t>(m.kind);
}

// What the worker has told of a client, to be said again on a further socket.
struct Told {
  std::optional<conference::SlotsChanged> slots;
  std::vector<conference::LayersWanted> layers;  // the last of each source
  std::optional<conference::NetworkMeasured> network;

  void keep(const conference::LayersWanted& wanted) {
    const auto same = std::ranges::find(layers, wanted.source_mid, &conference::LayersWanted::source_mid);
    if (same != layers.end()) *same = wanted;
    else layers.push_back(wanted);
  }
};

// A participant from `joined` on; its worker has an endpoint for it from `answer` on.
struct Peer {
  SocketId socket = NoSocket;
  std::optional<Timestamp> away_since;  // its socket was cut, and it has no other yet
  Timestamp since{};     // of the opened socket, then of `join`
  Room* room = nullptr;  // empty before `joined`
  std::string id;
  std::string name;
  conference::EndpointId endpoint{};
  size_t worker = 0;  // from `joined` on
  // What other workers of the conference are told of it, once it has offered.
  conference::EndpointDescription relayed;
  bool offered = false;
  Settled settled;               // once it has
  Told told;
  secrecy::SecretString resume;  // what a further socket has to show
  std::array<bool, 3> muted{};  // audio, video, screen: as the client says
  std::array<bool, 2> sends{true, true};
  bool shows_screen = false;             // as its worker sees
  conference::ReceiverWishes wishes;
  bool mixed = false;  // hears one mix instead of single voices
  Duration signalling{};
  PeerE2ee e2ee;
  std::optional<DirectProtection> direct;  // claimed; empty: media flows by way of the bridge
  std::optional<Timestamp> asked_privacy;  // last
};

}  // namespace viaduct::control
