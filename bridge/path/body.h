// A media payload on its way through the bridge: what follows the RTP header, without padding.
//
// It can be measured, shortened, handed to a cipher and copied, but not looked at: forwarding needs
// no more, and what is encrypted end to end has nothing to show. Only two steps may see the bytes:
// `read_payload`, which gets the packets of conferences in clear alone, and `witness`, whose one
// output is what a stream's bodies look like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "edge/batch_cipher.h"

namespace viaduct::path {

class Body {
 public:
  Body() = default;
  // The last `bytes.size()` bytes of a decrypted packet, which stays where it is.
  explicit Body(Bytes bytes) : bytes_(bytes) {}

  size_t size() const { return bytes_.size(); }
  // The same but for its first `n` bytes; it has at least so many.
  Body without_front(size_t n) const { return Body(bytes_.subspan(n)); }
  // The job reads it from where it is.
  void hand_to(edge::CipherJob& job) const {
    job.payload = bytes_.data();
    job.payload_bytes = static_cast<uint32_t>(bytes_.size());
  }
  // `to` has room for size() bytes.
  void copy_to(uint8_t* to) const {
    if (!bytes_.empty()) std::memcpy(to, bytes_.data(), bytes_.size());
  }

 private:
  friend class ReadPayload;
  friend class Witness;

  Bytes bytes_;
};

}  // namespace viaduct::path
