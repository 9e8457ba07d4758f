// What an encrypted frame looks like to the browsers' packetizers: the fewest bytes before the SFrame that make them
// carry it whole and tell key frames from others. These bytes are made up, hold nothing of the picture, and are
// authenticated with the frame.
//
//   VP8   [0x00 key frame | 0x01 other] SFrame    the depacketizer reads bit 0 of the first byte, as in a frame tag
//   AV1   [0x08 key frame | 0x30 other] SFrame    an OBU header without a size; see below
//   VP9, and all audio   SFrame                   the payload descriptor, written beside the frame, says it all
//   H.264                never                    NAL units and parameter sets would have to stay readable
//
// AV1's packetizer splits a frame into OBUs, so the frame has to be one. It marks a key frame (the N bit of its
// aggregation header, all that the receiver goes by) only if the first OBU is a sequence header, so that is what a
// key frame pretends to be; other frames are an OBU_FRAME. Its counterpart puts back the size that RTP leaves out: 0x08
// arrives as 0x0A, and 0x30 as 0x32, followed by the rest's length in leb128.
//
// A VP8 depacketizer also takes a key frame's width and height from bytes 6 to 9, which are the SFrame's here. That
// does no harm: no decoder in software asks for them, it finds the true ones in the opened frame.

const None = new Uint8Array(0);
const Vp8Key = Uint8Array.of(0x00);
const Vp8Delta = Uint8Array.of(0x01);
const Av1Key = Uint8Array.of(0x08);
const Av1Delta = Uint8Array.of(0x30);
const HasSize = 0x02;                        // obu_has_size_field

/** Whether frames of this format ("video/VP8" ...) can be encrypted. */
export function canEncrypt(mimeType) {
  return clearBytes(mimeType, false) !== null;
}

/** The bytes that stand before the SFrame; null for a format that cannot be encrypted. */
export function clearBytes(mimeType, isKeyFrame) {
  const [kind, format] = mimeType.toLowerCase().split('/');
  if (kind === 'audio') return None;
  switch (format) {
    case 'vp8': return isKeyFrame ? Vp8Key : Vp8Delta;
    case 'av1': return isKeyFrame ? Av1Key : Av1Delta;
    case 'vp9': return None;
    default: return null;
  }
}

/** The frame as it goes to the packetizer. */
export function assemble(clear, { header, ciphertext }) {
  const frame = new Uint8Array(clear.length + header.length + ciphertext.length);
  frame.set(clear);
  frame.set(header, clear.length);
  frame.set(ciphertext, clear.length + header.length);
  return frame;
}

/**
 * {clear, sframe} of a received video or audio frame. Which form it has shows by its first byte: the KIDs of
 * participants have seven bytes, so an SFrame begins with 0xE0 to 0xEF, which none of the clear bytes is. Plain frames
 * pass this, too, as something that no key opens.
 */
export function disassemble(kind, frame) {
  if (kind === 'video') {
    for (const clear of [Vp8Key, Vp8Delta, Av1Key, Av1Delta]) {
      if (frame[0] === clear[0]) return { clear, sframe: frame.subarray(1) };
    }
    for (const clear of [Av1Key, Av1Delta]) {
      if (frame[0] === (clear[0] | HasSize)) return { clear, sframe: afterSize(frame, 1) };
    }
  }
  return { clear: None, sframe: frame };
}

// What follows a leb128 number that must be the length of all that follows; nothing if it is not.
function afterSize(frame, at) {
  let size = 0;
  for (let shift = 0; at < frame.length && shift < 32; shift += 7) {
    const byte = frame[at++];
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return size === frame.length - at ? frame.subarray(at) : None;
  }
  return None;
}
