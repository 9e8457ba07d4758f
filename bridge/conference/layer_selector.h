// Which packets of a source a receive slot forwards: those of one layer at a time, switched where decoding can go on.
//
// Another encoding begins with a key frame of its own, and until that comes the slot goes on with what it has. Within
// an encoding a lower layer can be gone over to at any frame, a higher one where the frame says so
// (rtp::Indication::Switch) or at a key frame. Only header extensions and payload descriptors say this
// (rtp::FrameInfo).
#pragma once

#include <cstdint>
#include <optional>

#include "conference/layer.h"
#include "protocol/rtp/frame_info.h"

namespace viaduct::conference {

class LayerSelector {
 public:
  enum class Decision : uint8_t {
    Forward,
    Skip,   // of a layer that is not forwarded; receivers must not miss it
    Await,  // nothing can be forwarded before a key frame comes
  };
  struct Picked {
    Decision decision = Decision::Await;
    bool begins = false;       // Forward: the first packet of another encoding, or after restart()
    bool ends_picture = false; // Forward: the last packet that is forwarded of the picture (the RTP marker)
  };

  // What to forward from now on, as soon as decoding allows; nothing: forward nothing more.
  void aim(std::optional<Layer> target);
  std::optional<Layer> target() const { return target_; }
  // The source's frames mean nothing any more: it is another source, or begins anew. Nothing is forwarded before a key
  // frame.
  void restart();

  // Whether a packet of the encoding might be forwarded: asked before pick(), of every packet.
  bool may_want(uint8_t encoding) const;
  // Decides on one packet. Packets come in the order of arrival: late, doubled and missing ones among them. `sequence`
  // is the packet's, unwrapped, in its encoding.
  Picked pick(uint8_t encoding, int64_t sequence, const rtp::FrameInfo& frame);

  // The encoding whose key frame is waited for; nothing when the slot needs none.
  std::optional<uint8_t> awaited() const;
  // The layer that is forwarded now.
  std::optional<Layer> current() const { return current_; }

 private:
  std::optional<Layer> target_;
  std::optional<Layer> current_;
};

}  // namespace viaduct::conference
