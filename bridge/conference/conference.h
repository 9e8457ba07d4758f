// The members of one conference and what follows from who they are: slots, formats, the speaker.
//
// Nothing here runs per packet: the path notes what packets teach in the sources, and timers look
// at it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/slot_map.h"
#include "base/time.h"
#include "conference/dominant_speaker.h"
#include "conference/layer_choice.h"
#include "conference/messages.h"
#include "conference/source.h"

namespace viaduct::conference {

class Directory;
class Endpoint;
class Subscription;

class Conference {
 public:
  Conference(ConferenceId id_, std::string name_, std::vector<codec::CodecType> video_preference,
             Directory& directory)
      : id(id_),
        name(std::move(name_)),
        video_preference_(std::move(video_preference)),
        directory_(directory) {}

  const ConferenceId id;
  const std::string name;

  void add(Handle<Endpoint> member);
  void remove(Handle<Endpoint> member);
  const std::vector<Handle<Endpoint>>& members() const { return members_; }

  // Other workers that have members of the conference: bit i is worker i.
  uint64_t other_workers() const { return other_workers_; }
  // Of these workers and this one, the first speaks for the conference as a whole.
  bool leads() const;

  // A source began or stopped to send, was muted, or changed its format: who is shown where may
  // change.
  void on_source_changed() { reallocation_due_ = true; }
  const E2eePolicy& e2ee_policy() const { return e2ee_policy_; }
  // Whether sound is decoded here, for people of this worker who hear a mix. Never of a conference
  // that is encrypted end to end.
  bool mixes() const { return mixed_listeners_ > 0 && !e2ee_policy_.sealed(); }
  // Takes effect at once: what the policy holds back is carried to nobody when this returns.
  void set_e2ee_policy(const E2eePolicy& policy);
  // The same for what a member says of the frames that it sends.
  void declare_e2ee(Endpoint& member, bool declared);
  void set_wishes(Endpoint& receiver, ReceiverWishes wishes);
  // Speaker, loudness order, slots and layers, as far as they are due.
  void run_timers(Timestamp now);

  std::optional<EndpointId> speaker() const { return speaker_.current(); }
  const std::vector<codec::CodecType>& video_codecs() const { return video_codecs_; }

 private:
  void note_workers();
  void settle_codecs();
  void tell_codecs();
  void tell(const DominantSpeaker::Changes& changes);
  void restart_video();
  void judge_sources();
  HeldBack judge(const Endpoint& sender, const Source& source) const;
  // conference_slots.cc
  void rank_audio(Timestamp now);
  void note_speaker_in_video_order();
  void choose_mixed();
  bool may_be_mixed(const SourceRef& ref) const;
  void allocate_slots();
  void allocate_sound();
  void allocate_slots_of(Handle<Endpoint> receiver, Endpoint& endpoint);
  bool place(Handle<Endpoint> receiver, codec::MediaKind kind, std::span<const SourceRef> wanted);
  std::vector<SourceRef> sound_wanted_by(const Endpoint& receiver, Handle<Endpoint> self) const;
  std::vector<SourceRef> pictures_wanted_by(const Endpoint& receiver, Handle<Endpoint> self) const;
  bool may_carry(const SourceRef& ref, const Endpoint& receiver, Handle<Endpoint> self) const;
  PictureName name_of(const SourceRef& ref) const;
  std::optional<SourceRef> find(const PictureName& picture) const;
  static bool order_pictures(Endpoint& receiver, std::span<const SourceRef> wanted);
  void carry(SlotRef slot, std::optional<SourceRef> source);
  void report_slots(const Endpoint& receiver) const;
  // conference_layers.cc
  void run_layers(Timestamp now);
  void look_at_sources(Endpoint& sender, Timestamp now);
  void look_for_screen(const Endpoint& sender, Source& source, Timestamp now);
  void look_at_room(Endpoint& receiver, Timestamp now);
  PictureWish wish_of(const Endpoint& receiver, const SourceRef& ref) const;
  void aim(Subscription& slot, Timestamp now);
  static void want_awaited(const Subscription& slot, Source& source);
  void settle_needs(Endpoint& sender, Timestamp now);
  void tell_network(Endpoint& receiver, Timestamp now);

  const std::vector<codec::CodecType> video_preference_;
  Directory& directory_;
  E2eePolicy e2ee_policy_;
  std::vector<Handle<Endpoint>> members_;
  std::vector<codec::CodecType> video_codecs_;
  std::vector<SourceRef> audio_order_;  // all audio sources, loudest first
  std::vector<SourceRef> video_order_;  // all video sources, those of recent speakers first
  std::vector<std::pair<int, SourceRef>> ranks_;  // kept for their memory alone, like voices_
  std::vector<DominantSpeaker::Voice> voices_;
  uint64_t other_workers_ = 0;
  size_t mixed_listeners_ = 0;
  DominantSpeaker speaker_;
  bool reallocation_due_ = false;
  bool sound_due_ = false;
  bool codecs_told_ = true;
  Timestamp next_ranking_{};
  Timestamp next_look_at_sources_{};
  Timestamp next_look_at_rooms_{};
};

}  // namespace viaduct::conference
