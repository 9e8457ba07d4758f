// Which packets of a source a receive slot forwards: those of one layer at a time, switched where decoding can go on.
//
// Another encoding begins with a key frame of its own, and until that comes the slot goes on with what it has. Within
// an encoding a layer can be gone over to when the receiver has all that its frames build on: because every frame of
// it was forwarded as part of the former one (most lower layers), or because a frame says that the layer can be begun
// with it (rtp::Indication::Switch) and what that frame is predicted from was forwarded. Only header extensions and
// payload descriptors say this (rtp::FrameInfo).
//
// A frame is told from others by its timestamp and spatial layer; all of its packets share one fate, in whatever order
// they come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "conference/layer.h"
#include "protocol/rtp/frame_info.h"

namespace viaduct::conference {

class LayerSelector {
 public:
  enum class Decision : uint8_t {
    Forward,
    Skip,   // not forwarded, and receivers must not miss it (Projection::skip)
    Await,  // nothing can be forwarded before a key frame comes
  };
  struct Picked {
    Decision decision = Decision::Await;
    bool is_older = false;      // Skip: it is from before the key frame that was begun with
    bool begins = false;        // Forward: the first packet of another encoding, or after restart() (Projection::start)
    bool ends_picture = false;  // Forward: the last packet that is forwarded of the picture (the RTP marker), unless it
                                // has the sender's own marker, which is to stay
  };
  // One packet. Where it stands, beside what its frame is.
  struct Arrived {
    uint8_t encoding = 0;
    int64_t sequence = 0;  // unwrapped by the encoding
    uint32_t timestamp = 0;
  };

  // What to forward from now on, as soon as decoding allows. Nothing: no more, and what is forwarded after that begins
  // with a key frame.
  void aim(std::optional<Layer> target);
  std::optional<Layer> target() const { return target_; }
  // The source's frames mean nothing any more: it is another source, or begins anew. Nothing is forwarded before a key
  // frame.
  void restart();

  // Whether a packet of the encoding might be forwarded: asked before pick(), of every packet.
  bool may_want(uint8_t encoding) const;
  // Decides on one packet. Packets come in the order of arrival: late, doubled and missing ones among them.
  Picked pick(const Arrived& packet, const rtp::FrameInfo& frame);

  // What helps a receiver that has lost a packet which was forwarded.
  enum class Remedy : uint8_t { Resend, KeyFrame, None };
  // Of what is not forwarded any more nothing is resent: the network has just become too narrow for it. But browsers do
  // not decode the lower layers of a picture of which an upper one was lost, nor what builds on it; so where spatial
  // layers were taken away in the midst of losses, decoding has to begin anew.
  Remedy remedy_of(uint8_t encoding, int64_t sequence, const rtp::FrameInfo& frame) const;

  // Spatial layers of the encoding are about to be taken away.
  bool shrinks() const;

  // The encoding whose key frame is waited for; nothing when the slot needs none.
  std::optional<uint8_t> awaited() const;
  // The layer that is forwarded now. Of layers that the stream has not, the target falls to the best below.
  std::optional<Layer> current() const { return current_; }

 private:
  struct Frame {
    uint32_t timestamp = 0;
    uint8_t spatial = 0;
    bool forwarded = false;
    bool ends_picture = false;  // its last packet does
  };
  // How long a layer was forwarded, for frames that come late.
  struct Stretch {
    rtp::LayerId layer;
    int64_t whole_from = 0;  // the frame that the layer could be begun with
    int64_t from = 0;        // the first one that was decided on by it
  };
  static constexpr size_t FramesKept = 64;
  static constexpr size_t StretchesKept = 8;

  bool begins_with(const Arrived& packet, const rtp::FrameInfo& frame) const;
  void begin(const Arrived& packet);
  const Frame& frame_of(const Arrived& packet, const rtp::FrameInfo& frame);
  Frame decide_in_time(const Arrived& packet, const rtp::FrameInfo& frame, bool new_picture);
  Frame decide_late(const Arrived& packet, const rtp::FrameInfo& frame);
  bool decodable(const Arrived& packet, const rtp::FrameInfo& frame) const;
  bool has_all_needed(const rtp::FrameInfo& frame) const;
  rtp::LayerId best_of(uint16_t layers) const;
  void go_over(rtp::LayerId to, int64_t sequence);
  void make_whole(uint16_t layers, int64_t sequence);
  void note_number(const rtp::FrameInfo& frame, bool forwarded);
  const Frame* find(uint32_t timestamp, uint8_t spatial) const;
  const Stretch& stretch(size_t age) const {
    return stretches_[(newest_stretch_ + StretchesKept - age) % StretchesKept];
  }

  std::optional<Layer> target_;
  std::optional<Layer> current_;

  // All below is of the encoding that is forwarded.
  int64_t begun_at_ = 0;
  uint16_t layers_ = 0;  // that the stream has
  // Layers that the receiver can decode all further frames of, when they are forwarded; and from which frame on.
  uint16_t whole_ = 0;
  std::array<int64_t, rtp::StreamLayers> whole_from_{};
  int64_t key_from_ = 0;             // the newest picture that decoding can begin with, of those forwarded
  int64_t shrunk_from_ = 0;          // since when spatial layers lack that were forwarded before
  bool key_picture_ = false;         // the newest picture is one that decoding can begin with
  uint16_t skipped_in_picture_ = 0;  // layers that frames of the newest picture were skipped of
  std::array<Frame, FramesKept> frames_{};  // a ring, by decision
  size_t frames_decided_ = 0;
  uint32_t newest_timestamp_ = 0;
  std::array<Stretch, StretchesKept> stretches_{};  // a ring; the newest is that of current_
  size_t newest_stretch_ = 0;
  size_t stretch_count_ = 0;
  std::optional<uint16_t> newest_number_;
  uint64_t forwarded_numbers_ = 0;  // bit i: frame *newest_number_ - i was forwarded
};

}  // namespace viaduct::conference
