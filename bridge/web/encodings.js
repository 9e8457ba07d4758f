// The encodings of a video source of ours: which ones there are, and which of them run with what limits. Pure.

// Sizes of the camera (simulcast), least first, each in three frame rates, so that the bridge finds something for
// everyone. VP9 and AV1 make sizes of their own in one stream unless each encoding names its mode.
const Mode = 'L1T3';
const CameraRids = ['q', 'h', 'f'];
// A browser makes no more sizes than these of a picture with so many pixels: it would leave out the largest ones.
const PixelsForSizes = [0, 480 * 270, 960 * 540];
// Bits per second by pixels of an encoding, up to which they are. Two fifths of the least are its lowest frame rate,
// which fits into 100 kbit/s beside sound and what surrounds both (IP, UDP, RTCP).
const MaxBitrates = [[240 * 180, 60_000], [320 * 240, 75_000], [640 * 480, 500_000], [Infinity, 1_700_000]];
const LeastOfLargest = 150_000;               // for who has room for more: a small camera has one size alone
const ScreenMaxBitrate = 2_500_000;
const FormatsLayeredEverywhere = ['VP8', 'H264'];
const SmallestHeight = 90;                   // a picture is never made smaller than this, whatever is asked for

/** What addTransceiver is given for a camera with layers. */
export function cameraLayers() {
  return CameraRids.map((rid, index) => ({
    rid, scaleResolutionDownBy: 2 ** (CameraRids.length - 1 - index), scalabilityMode: Mode,
  }));
}

/** The same for a screen: one size, since text must stay sharp. It begins still. */
export function screenEncoding() {
  return [{ active: false, maxBitrate: ScreenMaxBitrate, scalabilityMode: Mode }];
}

/**
 * Sets `encodings` (of getParameters) to what is wanted; returns whether anything changed.
 *
 * `isSending`: anything at all; `wanted`: Map of rid (null without one) -> boolean, null while nobody has said;
 * `maxHeight`: the largest that anybody wants to see, -1 for no limit, 0 for nobody; `size`: {width, height} of the
 * track, 0 if not known; `caps`: {maxBitrate, scale} of a camera without layers, or null; `format`: "VP8" ... or null.
 */
export function shapeEncodings(encodings, state) {
  const before = JSON.stringify(encodings);
  const { wanted, maxHeight } = state;
  const isWanted = (rid) => wanted?.get(rid ?? null) ?? true;
  const areWanted = state.isSending && maxHeight !== 0 && encodings.some(({ rid }) => isWanted(rid));
  if (encodings.length > 1 && canLayer(state.format, encodings)) {
    shapeSizes(encodings, state.size, (rid) => areWanted && isWanted(rid));
  } else {
    shapeOne(encodings, state, areWanted);
  }
  return JSON.stringify(encodings) !== before;
}

function shapeSizes(encodings, { width, height }, isWanted) {
  const pixels = width * height;
  const count = pixels === 0 ? encodings.length : PixelsForSizes.filter((least) => pixels >= least).length;
  encodings.forEach((encoding, index) => {
    const scale = 2 ** Math.max(0, count - 1 - index);
    encoding.active = index < count && isWanted(encoding.rid);
    encoding.scaleResolutionDownBy = scale;
    const least = index === count - 1 ? LeastOfLargest : 0;
    if (pixels > 0) encoding.maxBitrate = Math.max(least, bitrateOf(pixels / scale ** 2));
  });
}

// The last one, alone.
function shapeOne(encodings, { maxHeight, size, caps }, isWanted) {
  encodings.forEach((encoding, index) => {
    const isLast = index === encodings.length - 1;
    encoding.active = isLast && isWanted;
    if (!isLast) return;
    encoding.scaleResolutionDownBy = Math.max(caps?.scale ?? 1, scaleFor(maxHeight, size.height));
    if (caps) encoding.maxBitrate = caps.maxBitrate;
  });
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

function bitrateOf(pixels) {
  return MaxBitrates.find(([most]) => pixels <= most)[1];
}
