// The media connection to the bridge. Negotiated once: first what we send (audio, camera, and a screen that may be
// shared later), then the receive slots (audio, then video). Afterwards sources move between slots without a word of
// SDP; only a change of our own video format may renegotiate, and then with ourselves alone. Frame encryption is
// installed on everything before the negotiation, because later it may be too late; until it is turned on frames pass
// as they are.

import { codecsToOffer, describeFrames, sendFirst } from './codecs.js';
import { cameraLayers, screenEncoding } from './encodings.js';
import { arrivals, summarize } from './stats.js';
import { VideoSender } from './video_sender.js';

const DisconnectedMilliseconds = 1_000;      // ICE may recover by itself from a shorter gap

/**
 * Fires `connected` whenever it is; `silent` when nothing comes any more, after which restart() may help; and `lost`
 * once at most, when there is no connection at all.
 */
export class Peer extends EventTarget {
  #connection;
  #encryption;
  #transceivers = {};                        // kind ("audio", "video", "screen") -> transceiver
  #videos = {};                              // "video" and perhaps "screen" -> VideoSender
  #audioTrack;                               // also while nothing is sent
  #sending = true;
  #slots = new Map();                        // mid -> {kind, name, track, transceiver}; known once there is an offer
  #receivers = [];
  #answer = null;
  #wantedFormats = [];
  #work = Promise.resolve();                 // negotiations and parameter changes, one at a time
  #isRestarting = false;                     // a restart is offered and not answered yet
  #timer = null;
  #wasConnected = false;
  #over = false;
  #resolveClosed;
  #closed = new Promise((resolve) => { this.#resolveClosed = resolve; });

  /**
   * `slots` is {audio, video}; `tracks` our own, null where there is none yet; `formats` limits video formats, null
   * for all; `isLayered`: the camera is sent in several sizes; `hasScreen`: a screen may be shared; `encryption` is a
   * FrameEncryption or null, `options` what it wants of the connection.
   */
  constructor({ slots, tracks, formats = null, isLayered, hasScreen, encryption = null, options = {} }) {
    super();
    this.#encryption = encryption;
    this.#audioTrack = tracks.audio;
    this.#connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle', ...options });
    this.#addSender('audio', tracks.audio);
    this.#addSender('video', tracks.video, isLayered ? cameraLayers() : undefined);
    if (hasScreen) this.#addSender('screen', null, screenEncoding());
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

  /** The m-section in which a screen is sent; null without one. Known once there is an offer. */
  get screenMid() {
    return this.#videos.screen?.mid ?? null;
  }

  /** The offer's SDP for a restart of ICE: new credentials, and nothing else new. */
  restart() {
    return this.#enqueue(async () => {
      this.#isRestarting = true;
      this.#connection.restartIce();
      await this.#connection.setLocalDescription(await this.#connection.createOffer());
      return this.#connection.localDescription.sdp;
    });
  }

  get isConnected() {
    return this.#connection.connectionState === 'connected';
  }

  accept(sdp) {
    return this.#enqueue(async () => {
      this.#answer = sdp;
      this.#isRestarting = false;
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

  /** The microphone, camera ("video") or screen was changed, turned on, or off (null). */
  replaceTrack(kind, track) {
    if (kind === 'audio') {
      this.#audioTrack = track;
      return this.#enqueue(() => this.#applyAudio());
    }
    return this.#enqueue(() => this.#videos[kind]?.replaceTrack(track));
  }

  /**
   * Stops sending sound and camera, or goes on, with the same tracks: what flows directly need not go to the bridge as
   * well.
   */
  setSending(sending) {
    if (this.#sending === sending) return Promise.resolve();
    this.#sending = sending;
    return this.#enqueue(async () => {
      await this.#applyAudio();
      await this.#videos.video.setSending(sending);
    });
  }

  /** What the others need of our pictures: [{mid, layers: [{rid, wanted}], maxHeight}]. */
  setWanted(sources) {
    return this.#enqueue(async () => {
      for (const { mid, layers, maxHeight } of sources) {
        const video = Object.values(this.#videos).find((candidate) => candidate.mid === mid);
        await video?.setWanted(layers, maxHeight);
      }
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
   * Sends the first of `formats` ("VP8" ...) that this browser can encode and that was negotiated. Resolves to that of
   * the camera, or to null where there is none; undefined before the answer.
   */
  preferFormats(formats) {
    this.#wantedFormats = formats;
    return this.#enqueue(() => this.#applyFormats());
  }

  /** Caps what our camera costs where it has no layers: bits per second, and by how much it is made smaller. */
  limitVideo(caps) {
    return this.#enqueue(() => this.#videos.video.limit(caps));
  }

  /** A summary of getStats (see stats.js), without the participants' names. Null when the peer is closed meanwhile. */
  stats() {
    // Firefox never answers for a connection that closes while it is asked.
    return Promise.race([summarize(this.#connection, this.#transceivers, this.#slots), this.#closed]);
  }

  close() {
    this.#over = true;
    this.#resolveClosed(null);
    clearTimeout(this.#timer);
    this.#connection.close();
  }

  #addSender(kind, track, sendEncodings) {
    const init = { direction: 'sendonly', ...(sendEncodings ? { sendEncodings } : {}) };
    const medium = kind === 'audio' ? 'audio' : 'video';
    const transceiver = this.#transceivers[kind] = this.#connection.addTransceiver(track ?? medium, init);
    const rids = (sendEncodings ?? []).map(({ rid }) => rid).filter(Boolean);
    this.#encryption?.attachSender(transceiver.sender, { kind: medium, rids });
    if (medium === 'video') {
      this.#videos[kind] = new VideoSender(transceiver, { track, restsWithoutTrack: kind === 'screen' });
    }
  }

  async #applyFormats() {
    // The answer to a restart is on its way, and formats are looked at again after it.
    if (!this.#answer || this.#isRestarting || this.#wantedFormats.length === 0) return undefined;
    let reordered = this.#answer;
    let ofCamera = null;
    for (const [kind, video] of Object.entries(this.#videos)) {
      const { format, reorder } = await video.prefer(this.#wantedFormats);
      if (kind === 'video') ofCamera = format;
      if (reorder !== undefined) reordered = sendFirst(reordered, video.mid, reorder);
    }
    // Without `encodings[].codec` a sender uses the first format of the answer. So answer ourselves again, in another
    // order.
    if (reordered !== this.#answer) {
      this.#answer = reordered;
      await this.#connection.setLocalDescription(await this.#connection.createOffer());
      await this.#connection.setRemoteDescription({ type: 'answer', sdp: reordered });
    }
    return ofCamera;
  }

  // Sound stops without a track, as Firefox does not stop it for an inactive encoding; pictures stop when the encoding
  // is inactive, as Firefox sends black ones without a track. Both are back within some 100 ms in either browser.
  #applyAudio() {
    return this.#transceivers.audio.sender.replaceTrack(this.#sending ? this.#audioTrack : null);
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
      this.#wasConnected = true;
      this.dispatchEvent(new Event('connected'));
    } else if (state === 'disconnected') {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#tellSilent(), DisconnectedMilliseconds);
    } else if (state === 'failed') {
      clearTimeout(this.#timer);
      if (this.#wasConnected) this.#tellSilent();
      else this.#lose();
    }
  }

  #tellSilent() {
    this.dispatchEvent(new Event('silent'));
  }

  #lose() {
    if (this.#over) return;
    this.close();
    this.dispatchEvent(new Event('lost'));
  }
}
