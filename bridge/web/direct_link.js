// One attempt at a media connection between two participants, without the bridge: the peer connection, its one
// negotiation, and what has arrived. It decides nothing: `Direct` does. Both kinds are negotiated in both directions
// at once, so that muting, cameras and devices never need another offer.

import { codecsToOffer, dropUnlisted, formatOf, isEncryptable } from './codecs.js';
import { arrivals, inbound, outbound, protection } from './stats.js';

const Kinds = ['audio', 'video'];
const CandidateMilliseconds = 50;            // candidates that come together travel together

let links = 0;                               // names of receivers must not come twice in one page

/** Fires `candidates` (detail: a list, to be sent to the other side) and `lost` once at most. */
export class DirectLink extends EventTarget {
  #connection;
  #encryption;
  #formats;
  #tracks;
  #names;                                    // kind -> what frame encryption and the page call the receiver
  #transceivers = {};                        // kind -> transceiver
  #waiting = [];                             // candidates from the other side that came before its description
  #gathered = [];
  #timer = null;
  #over = false;

  /** `tracks`: {audio, video}, null where there is none. `encryption`: a FrameEncryption or null. */
  constructor({ tracks, encryption, options = {}, iceServers = [], formats = null }) {
    super();
    this.#tracks = { ...tracks };
    this.#encryption = encryption;
    this.#formats = formats;
    const number = ++links;
    this.#names = { audio: `direct-audio-${number}`, video: `direct-video-${number}` };
    this.#connection = new RTCPeerConnection({
      bundlePolicy: 'max-bundle',
      iceServers: iceServers.map((urls) => ({ urls })),
      ...options,
    });
    this.#connection.addEventListener('icecandidate', ({ candidate }) => candidate && this.#gather(candidate));
    this.#connection.addEventListener('connectionstatechange', () => this.#watch());
  }

  async offer() {
    for (const kind of Kinds) this.#equip(kind, this.#connection.addTransceiver(kind, { direction: 'sendrecv' }));
    await this.#connection.setLocalDescription();
    await this.#startSending();
    // We begin DTLS, when we have the answer: what the other side would begin reaches us before its answer does, which
    // comes a longer way, and is lost for seconds.
    return dropUnlisted(this.#connection.localDescription.sdp).replaceAll('a=setup:actpass', 'a=setup:active');
  }

  async answer(sdp) {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp });
    for (const transceiver of this.#connection.getTransceivers()) {
      transceiver.direction = 'sendrecv';
      this.#equip(transceiver.receiver.track.kind, transceiver);
    }
    await this.#startSending();
    await this.#connection.setLocalDescription();
    this.#takeWaiting();
    return dropUnlisted(this.#connection.localDescription.sdp);
  }

  async accept(sdp) {
    await this.#connection.setRemoteDescription({ type: 'answer', sdp });
    this.#takeWaiting();
  }

  addCandidates(list) {
    this.#waiting.push(...list);
    if (this.#connection.remoteDescription) this.#takeWaiting();
  }

  name(kind) {
    return this.#names[kind];
  }

  /** What arrives of a kind; undefined before the negotiation. */
  track(kind) {
    return this.#transceivers[kind]?.receiver.track;
  }

  /** The microphone or camera was changed, turned on, or off (null). */
  async replaceTrack(kind, track) {
    this.#tracks[kind] = track;
    if (!this.#over) await this.#transceivers[kind]?.sender.replaceTrack(track);
  }

  /** False when all the formats that both have are ones that cannot be encrypted end to end. Known once negotiated. */
  canEncryptVideo() {
    const codecs = this.#transceivers.video?.sender.getParameters().codecs ?? [];
    const formats = codecs.map(formatOf).filter((format) => !['RTX', 'RED', 'ULPFEC'].includes(format));
    return formats.length === 0 || isEncryptable(formats[0]);
  }

  /** {sound, pictures, packets}: decoded samples and frames, and packets of sound, since the link began. */
  async arrivals() {
    const { audio, video } = this.#transceivers;
    if (!audio || !video || this.#over) return { sound: 0, pictures: 0, packets: 0 };
    const [heard, seen] = await Promise.all([arrivals(audio.receiver), arrivals(video.receiver)]);
    return { sound: heard.sound, pictures: seen.pictures, packets: heard.packets };
  }

  /** How loud the other side is, 0 to 1. */
  level() {
    const sources = this.#transceivers.audio?.receiver.getSynchronizationSources() ?? [];
    return Math.max(0, ...sources.map(({ audioLevel }) => audioLevel ?? 0));
  }

  /** {sending, slots} as in stats.js, without the participants' names. */
  async stats() {
    const entries = Object.entries(this.#transceivers);
    const sending = await Promise.all(entries.map(([kind, { sender }]) => outbound(kind, sender)));
    const slots = await Promise.all(
      entries.map(([kind, transceiver]) => inbound(this.#names[kind], { kind, transceiver })),
    );
    return { sending: sending.flat(), slots };
  }

  protection() {
    return protection(this.#connection);
  }

  get over() {
    return this.#over;
  }

  close() {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#connection.close();
  }

  // Before the description that negotiates the transceiver: a transform set later may be ignored.
  #equip(kind, transceiver) {
    this.#transceivers[kind] = transceiver;
    this.#encryption?.attachSender(transceiver.sender, { kind });
    this.#encryption?.attachReceiver(transceiver.receiver, { kind, slot: this.#names[kind] });
    if (kind === 'video') transceiver.setCodecPreferences(encryptableFirst(codecsToOffer(this.#formats)));
  }

  #startSending() {
    return Promise.all(Kinds.map((kind) => this.replaceTrack(kind, this.#tracks[kind] ?? null)));
  }

  #gather(candidate) {
    this.#gathered.push(candidate.toJSON());
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.dispatchEvent(new CustomEvent('candidates', { detail: this.#gathered.splice(0) }));
    }, CandidateMilliseconds);
  }

  // A candidate that cannot be used is not worth more than its loss: others may work, and the attempt has its limit.
  #takeWaiting() {
    for (const candidate of this.#waiting.splice(0)) this.#connection.addIceCandidate(candidate).catch(() => {});
  }

  #watch() {
    const state = this.#connection.connectionState;
    if (this.#over || (state !== 'failed' && state !== 'disconnected')) return;
    this.close();
    this.dispatchEvent(new Event('lost'));
  }
}

// The first of the list is what gets sent, and turning encryption on must not need another negotiation.
function encryptableFirst(codecs) {
  const fits = (codec) => isEncryptable(formatOf(codec));
  return [...codecs.filter(fits), ...codecs.filter((codec) => !fits(codec))];
}
