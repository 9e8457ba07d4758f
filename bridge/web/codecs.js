// Which video formats this page offers and sends, what it asks to have said beside each frame, and the little SDP it
// ever rewrites.

// Formats whose packetizers let a frame be encrypted before it is cut into packets. H.264 looks for NAL units instead.
const Encryptable = ['VP8', 'VP9', 'AV1'];

// Header extensions by which a bridge tells key frames and layers without the payload. Chromium knows them, but offers
// them only when asked.
const Descriptors = [
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  'http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00',
];

/** "VP8", "VP9", "H264", "AV1" ... of an RTCRtpCodec. */
export function formatOf(codec) {
  return codec.mimeType.split('/')[1].toUpperCase();
}

/** Whether frames of a format ("VP8" ...) can be encrypted end to end. */
export function isEncryptable(format) {
  return Encryptable.includes(String(format).toUpperCase());
}

/**
 * What to send, most wanted first, when the conference wants `formats`. Where it is sealed (encrypted end to end) only
 * formats that can be: and any of these rather than none, so that at least those who decode it see something.
 */
export function formatsToSend(formats, sealed) {
  if (!sealed) return formats;
  const fitting = formats.filter(isEncryptable);
  return fitting.length > 0 ? fitting : Encryptable;
}

/** Asks for the extensions that describe frames, both ways, where the browser lets one ask. */
export function describeFrames(transceiver) {
  if (!transceiver.setHeaderExtensionsToNegotiate) return;
  const extensions = transceiver.getHeaderExtensionsToNegotiate();
  for (const extension of extensions) if (Descriptors.includes(extension.uri)) extension.direction = 'sendrecv';
  transceiver.setHeaderExtensionsToNegotiate(extensions);
}

/**
 * The receiver's video capabilities that a bridge forwards: one profile of each format, and RTX. A browser's complete
 * list has some forty payload types, which times the number of slots is more SDP than a bridge should have to read;
 * and red or ulpfec would wrap the video. `formats` (["VP8"] ...) limits them further; null means all.
 */
export function codecsToOffer(formats = null, all = RTCRtpReceiver.getCapabilities('video').codecs) {
  const allowed = formats?.map((name) => name.toUpperCase());
  return all.filter((codec) => {
    const format = formatOf(codec);
    if (format === 'RTX') return true;
    return isMainProfile(format, codec.sdpFmtpLine ?? '') && (!allowed || allowed.includes(format));
  });
}

function isMainProfile(format, fmtp) {
  switch (format) {
    case 'VP8':
      return true;
    case 'VP9':
      return /(^|;)profile-id=0/.test(fmtp) || !fmtp.includes('profile-id');
    case 'AV1':
      return /(^|;)profile=0/.test(fmtp) || !fmtp.includes('profile=');
    case 'H264':
      return fmtp.includes('packetization-mode=1') && /profile-level-id=42e0/i.test(fmtp); // constrained baseline
    default:
      return false;
  }
}

/**
 * The SDP without attributes of payload types that its m-lines do not list. Firefox leaves feedback of formats behind
 * that setCodecPreferences has taken out, and Chromium refuses the whole description for it.
 */
export function dropUnlisted(sdp) {
  return sdp.split(/(?=^m=)/m).map((section) => {
    const listed = new Set(/^m=\S+ \S+ \S+ ([\d ]+)/.exec(section)?.[1].split(' ') ?? []);
    return section.split(/(?<=\n)/).filter((line) => {
      const type = /^a=(?:rtcp-fb|fmtp|rtpmap):(\d+) /.exec(line)?.[1];
      return type === undefined || listed.has(type);
    }).join('');
  }).join('');
}

/** The SDP with `payloadType` moved to the front of the m-section `mid`: what the peer prefers to receive there. */
export function sendFirst(sdp, mid, payloadType) {
  const sections = sdp.split(/(?=^m=)/m);
  return sections.map((section) => {
    if (!section.split(/\r?\n/).includes(`a=mid:${mid}`)) return section;
    return section.replace(/^(m=\S+ \S+ \S+) ([\d ]+)/, (line, head, list) => {
      const types = list.trim().split(' ');
      if (!types.includes(String(payloadType))) return line;
      return `${head} ${[String(payloadType), ...types.filter((type) => type !== String(payloadType))].join(' ')}`;
    });
  }).join('');
}
