// One person's presence in one conference: joins, follows what the bridge says of the others, and joins again when the
// connection is lost. It owns the signalling socket and the peer connection, holds no page element, and keeps the
// local media untouched.

import { Peer } from './peer.js';
import { Backoff, Signalling } from './signalling.js';
import { Text } from './messages.js';

const AttemptMilliseconds = 30_000;          // from opening the socket to a working transport
const BusyMilliseconds = 1_000;              // before saying again what a busy bridge refused
// Final errors after which joining again makes sense.
const Transient = new Set([
  'connection-lost',
  'connection-failed',
  'connection-closed',
  'join-timeout',
  'shutting-down',
  'busy',
]);

/**
 * Fires `change` (anything that `view()` tells), `notice` (detail: a sentence worth a few seconds) and `ended`
 * (detail: {refusal} with {code, message}, or without when the person left).
 */
export class Call extends EventTarget {
  #options;                                  // {url, conference, name, token, formats}
  #media;
  #signalling = null;
  #peer = null;
  #backoff = new Backoff();
  #timer = null;
  #state = 'joining';                        // joining | in-call | reconnecting | ended
  #wasInCall = false;
  #self = null;                              // our participant id
  #people = new Map();                       // id -> {id, name, audioMuted, videoMuted}, in order of arrival
  #slots = [];                               // [{mid, kind, participant}]
  #undecodable = new Map();                  // participant id -> codec
  #formats = [];                             // what the conference wants of us
  #speaker = null;
  #told = {};                                // what the bridge and the peer know of our media: kind -> {muted, track}
  #onMediaChange = () => this.#syncMedia();
  #onOnline = () => this.#state === 'reconnecting' && this.#attempt();

  constructor(options, media) {
    super();
    this.#options = options;
    this.#media = media;
    media.addEventListener('change', this.#onMediaChange);
    window.addEventListener('online', this.#onOnline);
  }

  join() {
    this.#attempt();
  }

  leave() {
    this.#signalling?.send('leave');
    this.#end({});
  }

  get state() {
    return this.#state;
  }

  /** Everything that a screen shows, as plain values; tracks are live MediaStreamTracks. */
  view() {
    const videoOf = new Map(this.#slots.filter((slot) => slot.kind === 'video' && slot.participant)
      .map((slot) => [slot.participant, this.#peer?.track(slot.mid) ?? null]));
    return {
      state: this.#state,
      conference: this.#options.conference,
      wasInCall: this.#wasInCall,
      self: { id: this.#self, name: this.#options.name, speaking: this.#self !== null && this.#self === this.#speaker },
      people: [...this.#people.values()].map((person) => ({
        ...person,
        track: videoOf.get(person.id) ?? null,
        speaking: person.id === this.#speaker,
        undecodable: this.#undecodable.get(person.id) ?? null,
      })),
    };
  }

  /** [{mid, track}] of the audio slots, idle ones too: each is one continuous stream that somebody may start to use. */
  sounds() {
    return this.#slots
      .filter((slot) => slot.kind === 'audio')
      .map(({ mid }) => ({ mid, track: this.#peer?.track(mid) }))
      .filter(({ track }) => track);
  }

  /** Peer statistics with the participant (id and name) of each slot. Null while there is no connection. */
  async stats() {
    if (!this.#peer) return null;
    const carried = new Map(this.#slots.map((slot) => [slot.mid, slot.participant]));
    const stats = await this.#peer.stats();
    for (const slot of stats?.slots ?? []) {
      slot.participant = carried.get(slot.mid) ?? null;
      slot.name = this.#people.get(slot.participant)?.name ?? null;
    }
    return stats;
  }

  async #attempt() {
    this.#disconnect();
    this.#timer = setTimeout(() => this.#retry(), AttemptMilliseconds);
    const signalling = this.#signalling = new Signalling(this.#options.url);
    signalling.addEventListener('message', ({ detail }) => this.#handle(detail));
    signalling.addEventListener('close', () => this.#retry());
    try {
      await signalling.opened();
    } catch {
      return;                                // its `close` event has scheduled the next attempt
    }
    const { conference, name, token } = this.#options;
    signalling.send('join', token ? { conference, name, token } : { conference, name });
  }

  #retry() {
    if (this.#state === 'ended') return;
    this.#disconnect();
    this.#timer = setTimeout(() => this.#attempt(), this.#backoff.nextMilliseconds());
    this.#setState('reconnecting');
  }

  #disconnect() {
    clearTimeout(this.#timer);
    this.#signalling?.close();
    this.#peer?.close();
    this.#signalling = this.#peer = null;
  }

  #end(detail) {
    if (this.#state === 'ended') return;
    this.#disconnect();
    this.#media.removeEventListener('change', this.#onMediaChange);
    window.removeEventListener('online', this.#onOnline);
    this.#setState('ended');
    this.dispatchEvent(new CustomEvent('ended', { detail }));
  }

  #handle(message) {
    switch (message.type) {
      case 'joined':
        this.#joined(message).catch(() => this.#retry());
        break;
      case 'answer':
        this.#peer
          ?.accept(message.sdp)
          .then(() => this.#answered())
          .catch(() => this.#retry());
        break;
      case 'participant-joined':
        this.#personJoined(message.participant);
        break;
      case 'participant-changed':
        this.#keep(message.participant);
        break;
      case 'participant-left':
        this.#personLeft(message.id);
        break;
      case 'slots':
        this.#assign(message);
        break;
      case 'speaker':
        this.#speaker = message.participant ?? null;
        break;
      case 'codecs':
        this.#formats = strings(message.video);
        this.#peer?.preferFormats(this.#formats).catch(() => {});
        break;
      case 'error':
        return this.#refused(message);
      default:
        return; // a newer bridge may say more than this page knows
    }
    this.#changed();
  }

  async #joined({ participant, slots, participants }) {
    this.#self = participant;
    this.#people.clear();
    this.#slots = [];
    this.#undecodable.clear();
    this.#speaker = null;
    this.#told = {};
    for (const person of participants ?? []) this.#keep(person);

    const tracks = { ...this.#media.tracks };
    const peer = this.#peer = new Peer({ slots, tracks, formats: this.#options.formats });
    peer.addEventListener('connected', () => this.#connected());
    peer.addEventListener('lost', () => this.#retry());
    for (const kind of ['audio', 'video']) this.#told[kind] = { muted: false, track: tracks[kind] };
    this.#syncMedia();
    const sdp = await peer.offer();
    if (this.#peer === peer) this.#signalling.send('offer', { sdp });
  }

  async #answered() {
    this.#limitVideo();
    await this.#peer?.preferFormats(this.#formats);
  }

  #connected() {
    clearTimeout(this.#timer);
    this.#backoff.reset();
    if (this.#wasInCall) this.#notice(Text.reconnected);
    this.#wasInCall = true;
    this.#setState('in-call');
  }

  #refused({ code, message, final }) {
    if (final && Transient.has(code)) this.#retry();
    else if (final) this.#end({ refusal: { code, message } });
    else if (code === 'busy') setTimeout(() => this.#tellAgain(), BusyMilliseconds);
  }

  #personJoined(participant) {
    this.#keep(participant);
    if (typeof participant?.name === 'string') this.#notice(Text.personJoined(participant.name));
    this.#limitVideo();
  }

  #personLeft(id) {
    const person = this.#people.get(id);
    if (!person) return;
    this.#people.delete(id);
    this.#undecodable.delete(id);
    this.#notice(Text.personLeft(person.name));
    this.#limitVideo();
  }

  #keep(participant) {
    if (participant?.id === undefined || participant.id === this.#self) return;
    const { id, name, audio, video } = participant;
    this.#people.set(id, {
      id,
      name: String(name),
      audioMuted: Boolean(audio?.muted),
      videoMuted: Boolean(video?.muted),
    });
  }

  #assign({ slots, undecodable }) {
    this.#slots = (slots ?? []).map(({ mid, kind, participant }) => ({ mid, kind, participant: participant ?? null }));
    this.#undecodable = new Map((undecodable ?? []).map(({ participant, codec }) => [participant, codec]));
  }

  // Tells the peer and the bridge what they do not know yet of our devices.
  #syncMedia() {
    if (!this.#peer) return;
    for (const kind of ['audio', 'video']) {
      const told = this.#told[kind];
      const track = this.#media.tracks[kind];
      const muted = this.#media.muted[kind];
      if (told.track !== track) this.#peer.replaceTrack(kind, track).catch(() => this.#retry());
      if (told.muted !== muted) this.#signalling.send('mute', { kind, muted });
      this.#told[kind] = { track, muted };
    }
    this.#limitVideo();
  }

  #tellAgain() {
    for (const told of Object.values(this.#told)) told.muted = null;
    this.#syncMedia();
  }

  // Without layers everybody gets the same picture: in a full room a smaller one serves all.
  #limitVideo() {
    const height = this.#media.tracks.video?.getSettings().height ?? 0;
    const crowded = this.#people.size > 3;
    const scale = crowded ? Math.max(1, height / 360) : 1;
    this.#peer?.limitVideo({ maxBitrate: crowded ? 600_000 : 1_700_000, scale }).catch(() => {});
  }

  #setState(state) {
    this.#state = state;
    if (state === 'reconnecting') this.#self = null;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  #notice(text) {
    this.dispatchEvent(new CustomEvent('notice', { detail: text }));
  }
}

function strings(value) {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
