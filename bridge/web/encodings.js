// The encodings of a video source of ours: which ones there are, and which of them run with what limits. Pure.

// Three sizes of the camera (simulcast), least first, each in three frame rates, so that the bridge finds something for
// everyone. VP9 and AV1 make three sizes of their own in one stream unless each encoding names its mode.
const Mode = 'L1T3';
const CameraLayers = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: Mode },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode: Mode },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_700_000, scalabilityMode: Mode },
];
const ScreenMaxBitrate = 2_500_000;
const FormatsLayeredEverywhere = ['VP8', 'H264'];
const SmallestHeight = 90;                   // a picture is never made smaller than this, whatever is asked for

/** What addTransceiver is given for a camera with layers. */
export function cameraLayers() {
  return CameraLayers.map((layer) => ({ ...layer }));
}

/** The same for a screen: one size, since text must stay sharp. It begins still. */
export function screenEncoding() {
  return [{ active: false, maxBitrate: ScreenMaxBitrate, scalabilityMode: Mode }];
}

/**
 * Sets `encodings` (of getParameters) to what is wanted; returns whether anything changed.
 *
 * `isSending`: anything at all; `wanted`: Map of rid (null without one) -> boolean, null while nobody has said;
 * `maxHeight`: the largest that anybody wants to see, -1 for no limit, 0 for nobody; `height`: of the track, 0 if not
 * known; `caps`: {maxBitrate, scale} of a camera without layers, or null; `format`: "VP8" ... or null.
 */
export function shapeEncodings(encodings, { isSending, wanted, maxHeight, height, caps, format }) {
  const before = JSON.stringify(encodings);
  const isLayered = encodings.length > 1;
  const isWanted = (rid) => wanted?.get(rid ?? null) ?? true;
  const areWanted = maxHeight !== 0 && encodings.some(({ rid }) => isWanted(rid));
  const takesLayers = isLayered && canLayer(format, encodings);
  const needed = scaleFor(maxHeight, height);
  encodings.forEach((encoding, index) => {
    const isLargest = index === encodings.length - 1;
    encoding.active = isSending && areWanted && (takesLayers ? isWanted(encoding.rid) : isLargest);
    if (takesLayers) {
      encoding.scaleResolutionDownBy = CameraLayers[index].scaleResolutionDownBy;
    } else if (isLargest) {
      encoding.scaleResolutionDownBy = Math.max(caps?.scale ?? 1, needed);
      if (caps) encoding.maxBitrate = caps.maxBitrate;
    }
  });
  return JSON.stringify(encodings) !== before;
}

// A browser that does not know modes (it has dropped them when read back) makes several sizes of the older formats
// only.
function canLayer(format, encodings) {
  if (format === null || FormatsLayeredEverywhere.includes(format.toUpperCase())) return true;
  return encodings.every(({ scalabilityMode }) => scalabilityMode !== undefined);
}

function scaleFor(maxHeight, height) {
  if (maxHeight <= 0 || height <= 0) return 1;
  return Math.max(1, height / Math.max(maxHeight, SmallestHeight));
}
