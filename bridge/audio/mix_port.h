// Between one worker and the mixing thread: sound goes over, mixes come back. Opus costs some
// hundred microseconds a frame and must never delay a packet.
#pragma once

#include <memory>

#include "audio/mix_message.h"
#include "base/bell.h"
#include "edge/media_ring.h"

namespace viaduct::audio {

class MixPort {
 public:
  // `bell` wakes the mixing thread; null when nobody sleeps. It outlives the port.
  static Result<std::unique_ptr<MixPort>> open(Bell* bell = nullptr) {
    auto requests = Requests::open(limits::MixRequestRingEntries);
    if (!requests) return requests.error();
    auto frames = Frames::open(limits::MixedFrameRingEntries);
    if (!frames) return frames.error();
    return std::unique_ptr<MixPort>(new MixPort(std::move(*requests), std::move(*frames), bell));
  }
  bool is_locked() const { return requests_->is_locked() && frames_->is_locked(); }

  // Worker. A request to be filled in and posted; null when the ring is full.
  MixRequest* blank() { return requests_->blank(); }
  void post() { requests_->push(); }
  // The mixing thread sleeps while nobody listens.
  void wake() {
    if (bell_) bell_->ring();
  }
  const MixedFrame* front() { return frames_->front(); }
  void pop() { frames_->pop(); }

  // Mixing thread.
  const MixRequest* front_request() { return requests_->front(); }
  void pop_request() { requests_->pop(); }
  MixedFrame* blank_frame() { return frames_->blank(); }
  void push_frame() { frames_->push(); }
  bool has_frames() const { return frames_->size() > 0; }

 private:
  using Requests = edge::MediaRing<MixRequest>;
  using Frames = edge::MediaRing<MixedFrame>;
  MixPort(std::unique_ptr<Requests> requests, std::unique_ptr<Frames> frames, Bell* bell)
      : requests_(std::move(requests)), frames_(std::move(frames)), bell_(bell) {}

  std::unique_ptr<Requests> requests_;
  std::unique_ptr<Frames> frames_;
  Bell* bell_;
};

}  // namespace viaduct::audio
