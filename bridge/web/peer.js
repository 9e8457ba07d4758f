// The media connection to the bridge. Negotiated once: first what we send (audio, video), then the receive slots
// (audio, then video). Afterwards sources move between slots without a word of SDP; only a change of our own video
// format may renegotiate, and then with ourselves alone. Frame encryption is installed on everything before the
// negotiation, because later it may be too late; until it is turned on frames pass as they are.

import { codecsToOffer, describeFrames, formatOf, sendFirst } from './codecs.js';
import { arrivals, summarize } from './stats.js';

const DisconnectedMilliseconds = 5_000;      // ICE may recover by itself from a shorter gap

/** Fires `connected` once and `lost` once at most. */
export class Peer extends EventTarget {
  #connection;
  #senders = {};                             // kind -> transceiver
  #tracks;                                   // kind -> our own track or null, also while nothing is sent
  #sending = true;
  #slots = new Map();                        // mid -> {kind, name, track, transceiver}; known once there is an offer
  #receivers = [];
  #answer = null;
  #wantedFormats = [];
  #work = Promise.resolve();                 // negotiations and parameter changes, one at a time
  #timer = null;
  #wasConnected = false;
  #over = false;
  #resolveClosed;
  #closed = new Promise((resolve) => { this.#resolveClosed = resolve; });

  /**
   * `slots` is {audio, video}; `tracks` our own, null where there is none yet; `formats` limits video formats, null
   * for all; `encryption` is a FrameEncryption or null, `options` what it wants of the connection.
   */
  constructor({ slots, tracks, formats = null, encryption = null, options = {} }) {
    super();
    this.#tracks = { ...tracks };
    this.#connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle', ...options });
    for (const kind of ['audio', 'video']) {
      this.#senders[kind] = this.#connection.addTransceiver(tracks[kind] ?? kind, { direction: 'sendonly' });
      encryption?.attachSender(this.#senders[kind].sender, { kind });
    }
    for (const kind of ['audio', 'video']) {
      for (let i = 0; i < slots[kind]; ++i) {
        const transceiver = this.#connection.addTransceiver(kind, { direction: 'recvonly' });
        const name = `${kind}-${i}`;
        encryption?.attachReceiver(transceiver.receiver, { kind, slot: name });
        this.#receivers.push({ kind, name, transceiver });
      }
    }
    const codecs = codecsToOffer(formats);
    for (const transceiver of this.#connection.getTransceivers()) {
      if (transceiver.receiver.track.kind !== 'video') continue;
      transceiver.setCodecPreferences(codecs);
      describeFrames(transceiver);
    }
    this.#connection.addEventListener('connectionstatechange', () => this.#watch());
  }

  /** The offer's SDP. It holds no candidates: the bridge is ICE-lite and learns our addresses from our checks. */
  async offer() {
    await this.#connection.setLocalDescription();
    for (const { kind, name, transceiver } of this.#receivers) {
      this.#slots.set(transceiver.mid, { kind, name, transceiver, track: transceiver.receiver.track });
    }
    return this.#connection.localDescription.sdp;
  }

  accept(sdp) {
    return this.#enqueue(async () => {
      this.#answer = sdp;
      await this.#connection.setRemoteDescription({ type: 'answer', sdp });
    });
  }

  /** What a slot receives; undefined for a mid that is no slot. */
  track(mid) {
    return this.#slots.get(mid)?.track;
  }

  /** The name that frame encryption knows a slot by. */
  slotName(mid) {
    return this.#slots.get(mid)?.name;
  }

  /** The microphone or camera was changed, turned on, or off (null). */
  replaceTrack(kind, track) {
    this.#tracks[kind] = track;
    return this.#enqueue(() => this.#applyTrack(kind));
  }

  /** Stops sending, or goes on, with the same tracks: what flows directly need not go to the bridge as well. */
  setSending(sending) {
    if (this.#sending === sending) return Promise.resolve();
    this.#sending = sending;
    return this.#enqueue(async () => {
      await this.#applyTrack('audio');
      await this.#applyVideoActive();
    });
  }

  /**
   * What has arrived on a slot since the connection began: {sound: samples, pictures: frames}, decoded ones only. A
   * starved audio slot invents samples, which are not counted.
   */
  arrivals(mid) {
    const slot = this.#slots.get(mid);
    return slot ? arrivals(slot.transceiver.receiver) : Promise.resolve({ sound: 0, pictures: 0, packets: 0 });
  }

  /**
   * Sends the first of `formats` ("VP8" ...) that this browser can encode and that was negotiated. Resolves to it, or
   * to null where there is none; undefined before the answer.
   */
  preferFormats(formats) {
    this.#wantedFormats = formats;
    return this.#enqueue(() => this.#applyFormats());
  }

  /** Caps what our video costs: bits per second, and by how much the picture is made smaller. */
  limitVideo({ maxBitrate, scale }) {
    return this.#enqueue(async () => {
      const { sender } = this.#senders.video;
      const parameters = sender.getParameters();
      const [encoding] = parameters.encodings;
      if (!encoding || (encoding.maxBitrate === maxBitrate && encoding.scaleResolutionDownBy === scale)) return;
      Object.assign(encoding, { maxBitrate, scaleResolutionDownBy: scale });
      await sender.setParameters(parameters);
    });
  }

  /** A summary of getStats (see stats.js), without the participants' names. Null when the peer is closed meanwhile. */
  stats() {
    // Firefox never answers for a connection that closes while it is asked.
    return Promise.race([summarize(this.#connection, this.#senders, this.#slots), this.#closed]);
  }

  close() {
    this.#over = true;
    this.#resolveClosed(null);
    clearTimeout(this.#timer);
    this.#connection.close();
  }

  async #applyFormats() {
    if (!this.#answer || this.#wantedFormats.length === 0) return undefined;
    const { sender, mid } = this.#senders.video;
    const negotiated = sender.getParameters().codecs.filter((codec) => codec.mimeType.startsWith('video/'));
    const format = this.#wantedFormats.find((name) =>
      negotiated.some((codec) => formatOf(codec) === name.toUpperCase()),
    );
    if (!format) return null;                // what we send shows elsewhere as undecodable
    const codec = negotiated.find((candidate) => formatOf(candidate) === format.toUpperCase());
    if (await chooseByParameters(sender, codec)) return format;
    // Without `encodings[].codec` a sender uses the first format of the answer. So answer ourselves again, in another
    // order.
    const reordered = sendFirst(this.#answer, mid, codec.payloadType);
    if (reordered === this.#answer) return format;
    this.#answer = reordered;
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: reordered });
    return format;
  }

  // Sound stops without a track, as Firefox does not stop it for an inactive encoding; pictures stop when the encoding
  // is inactive, as Firefox sends black ones without a track. Both are back within some 100 ms in either browser.
  #applyTrack(kind) {
    const isHeldBack = kind === 'audio' && !this.#sending;
    return this.#senders[kind].sender.replaceTrack(isHeldBack ? null : this.#tracks[kind]);
  }

  async #applyVideoActive() {
    const { sender } = this.#senders.video;
    const parameters = sender.getParameters();
    if (parameters.encodings.length === 0) return;
    for (const encoding of parameters.encodings) encoding.active = this.#sending;
    await sender.setParameters(parameters);
  }

  #enqueue(step) {
    const done = this.#work.then(() => (this.#over ? undefined : step()));
    this.#work = done.catch(() => {});       // one failed step must not stop the later ones
    return done;
  }

  #watch() {
    const state = this.#connection.connectionState;
    if (state === 'connected') {
      clearTimeout(this.#timer);
      if (!this.#wasConnected) this.dispatchEvent(new Event('connected'));
      this.#wasConnected = true;
    } else if (state === 'disconnected') {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#lose(), DisconnectedMilliseconds);
    } else if (state === 'failed') {
      this.#lose();
    }
  }

  #lose() {
    if (this.#over) return;
    this.close();
    this.dispatchEvent(new Event('lost'));
  }
}

// WebRTC Extensions: RTCRtpEncodingParameters.codec changes the format without negotiation. A browser that does not
// know the member drops it, which shows when it is read back. Returns whether the browser took it.
async function chooseByParameters(sender, { mimeType, clockRate, sdpFmtpLine }) {
  const parameters = sender.getParameters();
  if (parameters.encodings.length === 0) return false;
  const codec = sdpFmtpLine === undefined ? { mimeType, clockRate } : { mimeType, clockRate, sdpFmtpLine };
  if (parameters.encodings[0].codec?.mimeType.toLowerCase() === mimeType.toLowerCase()) return true;
  parameters.encodings[0].codec = codec;
  try {
    await sender.setParameters(parameters);
  } catch {
    return false;
  }
  return sender.getParameters().encodings[0].codec?.mimeType.toLowerCase() === mimeType.toLowerCase();
}
