// Everyone on one worker: endpoints and conferences by handle and by the numbers that control knows
// them by.
#pragma once

#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "base/slot_map.h"
#include "conference/conference.h"
#include "conference/endpoint.h"
#include "limits.h"

namespace viaduct::conference {

class Directory {
 public:
  Directory(Random& random, std::vector<codec::CodecType> video_preference)
      : random_(random), video_preference_(std::move(video_preference)) {}

  // Makes the endpoint a member of its conference, which begins with its first member. An empty
  // handle when a bound of limits.h is reached.
  Handle<Endpoint> add(const AddEndpoint& command, Timestamp now);
  // Takes the endpoint out of its conference, which ends with its last member, and appends the
  // packets that it kept to `freed`.
  void remove(Handle<Endpoint> endpoint, std::vector<Packet>& freed);

  Endpoint* find(Handle<Endpoint> h) const { return endpoints_.find(h); }
  Conference* find(Handle<Conference> h) const { return conferences_.find(h); }
  Conference& conference_of(const Endpoint& e) const { return *conferences_.find(e.conference); }
  Handle<Endpoint> with_id(EndpointId id) const {
    const auto it = by_id_.find(id);
    return it == by_id_.end() ? Handle<Endpoint>{} : it->second;
  }
  Handle<Conference> with_id(ConferenceId id) const {
    const auto it = conference_by_id_.find(id);
    return it == conference_by_id_.end() ? Handle<Conference>{} : it->second;
  }
  Source* find(const SourceRef& ref) const {
    Endpoint* e = find(ref.endpoint);
    return e ? &e->sources[ref.source] : nullptr;
  }
  Subscription* find(const SlotRef& ref) const {
    Endpoint* e = find(ref.endpoint);
    return e ? &e->slots[ref.slot] : nullptr;
  }

  template <typename F>
  void for_each_endpoint(F&& f) {
    endpoints_.for_each(std::forward<F>(f));
  }
  template <typename F>
  void for_each_conference(F&& f) {
    conferences_.for_each(std::forward<F>(f));
  }

  size_t endpoint_count() const { return endpoints_.size(); }
  size_t conference_count() const { return conferences_.size(); }

  WorkerSnapshot snapshot(uint32_t worker, const dtls::Fingerprint& local, Timestamp now);

  // An encoding goes on under another SSRC: the slots that carry the source begin a new stream.
  void begin_stream(Source& source, uint8_t encoding, uint32_t ssrc);

  // The encodings of which people of this worker receive packets: bit i is Source::encodings[i].
  uint8_t wanted_here(const Source& source) const;

  // Which worker this is, among those that share conferences.
  uint32_t this_worker = 0;
  // What control should learn; whoever runs the worker takes it from here.
  std::vector<Report> reports;

 private:
  Random& random_;
  const std::vector<codec::CodecType> video_preference_;
  SlotMap<Endpoint> endpoints_{limits::EndpointsPerWorker};
  SlotMap<Conference> conferences_{limits::ConferencesPerWorker};
  std::unordered_map<EndpointId, Handle<Endpoint>> by_id_;
  std::unordered_map<ConferenceId, Handle<Conference>> conference_by_id_;
};

}  // namespace viaduct::conference
