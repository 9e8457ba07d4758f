#include "protocol/codec/payload_front.h"

#include <algorithm>

namespace viaduct::codec {

size_t write_payload_front(MutableBytes out, const PayloadFront& front, const PictureNumbers& numbers) {
  std::copy_n(front.bytes.begin(), front.size, out.begin());
  store_be16(&out[front.picture_id_at], static_cast<uint16_t>(0x8000 | numbers.picture_id));
  if (front.tl0_at != 0 && numbers.tl0_picture_index) out[front.tl0_at] = *numbers.tl0_picture_index;
  return front.size;
}

}  // namespace viaduct::codec
