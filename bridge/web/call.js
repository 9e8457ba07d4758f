// One person's call: joins a conference, and joins again when the connection is lost for good, until the person leaves
// or the bridge refuses. What happens between a join and its end is a Presence. It holds no page element, and keeps the
// local media untouched.

import { ChatLog } from './chat.js';
import { Presence } from './presence.js';
import { Backoff } from './signalling.js';
import { Text } from './messages.js';
import { canSeal } from './sealing.js';

const AttemptMilliseconds = 30_000;          // from opening the socket to a working transport
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
  chat = new ChatLog();
  #options;                                  // as Presence wants them
  #media;
  #presence = null;                          // the last one stays to be shown while the next is not in yet
  #backoff = new Backoff();
  #timer = null;
  #state = 'joining';                        // joining | in-call | reconnecting | ended
  #wasInCall = false;
  #wishes = null;                            // what is to be received, as wishes.js makes it
  #wantsE2ee;                                // also of a conference that has begun anew while we were away
  #onMediaChange = () => this.#presence?.syncMedia();
  #onOnline = () => this.#networkIsBack();

  /** `options`: {url, conference, name, token, formats, e2ee, requireE2ee, direct, mixed}. */
  constructor(options, media) {
    super();
    this.#options = options;
    this.#media = media;
    this.#wantsE2ee = Boolean(options.e2ee || options.requireE2ee);
    media.addEventListener('change', this.#onMediaChange);
    window.addEventListener('online', this.#onOnline);
  }

  join() {
    if (this.#options.requireE2ee && !canSeal()) this.#end({ refusal: { code: 'e2ee-unsupported', message: '' } });
    else this.#attempt();
  }

  leave() {
    this.#presence?.leave();
    this.#end({});
  }

  get state() {
    return this.#state;
  }

  /** Everything that a screen shows, as plain values; tracks are live MediaStreamTracks. Null before join(). */
  view() {
    if (!this.#presence) return null;
    const { isReturning } = this.#presence;
    return { state: this.#state, wasInCall: this.#wasInCall, isReturning, ...this.#presence.view() };
  }

  /** [{mid, track, volume}] of everything that may be heard. */
  sounds() {
    return this.#presence?.sounds() ?? [];
  }

  /** Statistics with the participant of each slot (see Presence). Null while there is no connection. */
  stats() {
    return this.#presence?.stats() ?? Promise.resolve(null);
  }

  /** Turns end-to-end encryption on or off, for everyone. */
  setE2ee(wanted) {
    this.#presence?.setE2ee(wanted);
  }

  /** What the screen shows of the others: the bridge sends that and no more. */
  setWishes(wishes) {
    this.#wishes = wishes;
    this.#presence?.setWishes(wishes);
  }

  /** Writes to everyone. Resolves to null, or to why not (see Chat.say()). */
  say(text) {
    return this.#presence?.say(text) ?? Promise.resolve('not-joined');
  }

  /** Asks the bridge who can read what; the answer shows in view().report. */
  askPrivacy() {
    this.#presence?.askPrivacy();
  }

  #attempt() {
    this.#disconnect();
    this.#timer = setTimeout(() => this.#retry(), AttemptMilliseconds);
    const presence = new Presence(this.#options, this.#media, {
      wantsE2ee: this.#wantsE2ee,
      people: this.#presence?.people,
    });
    this.#presence = presence;
    presence.addEventListener('change', () => this.#changed());
    presence.addEventListener('notice', ({ detail }) => this.#notice(detail));
    presence.addEventListener('chat', ({ detail }) => this.chat.add(detail));
    presence.addEventListener('connected', () => this.#connected());
    presence.addEventListener('away', () => this.#setState('reconnecting'));
    presence.addEventListener('lost', () => this.#retry());
    presence.addEventListener('refused', ({ detail }) => this.#refused(detail));
    if (this.#wishes) presence.setWishes(this.#wishes);
    presence.join();
    this.#changed();
  }

  // A presence that keeps its place looks whether it still has its connection.
  #networkIsBack() {
    if (this.#presence?.isReturning || this.#state === 'in-call') this.#presence.reconnect();
    else if (this.#state === 'reconnecting') this.#attempt();
  }

  #retry() {
    if (this.#state === 'ended') return;
    this.#disconnect();
    this.#timer = setTimeout(() => this.#attempt(), this.#backoff.nextMilliseconds());
    this.#setState('reconnecting');
  }

  #disconnect() {
    clearTimeout(this.#timer);
    if (!this.#presence) return;
    this.#wantsE2ee = this.#presence.wantsE2ee;
    this.#presence.close();
  }

  #end(detail) {
    if (this.#state === 'ended') return;
    this.#disconnect();
    this.#media.removeEventListener('change', this.#onMediaChange);
    window.removeEventListener('online', this.#onOnline);
    this.#setState('ended');
    this.dispatchEvent(new CustomEvent('ended', { detail }));
  }

  #connected() {
    clearTimeout(this.#timer);
    this.#backoff.reset();
    if (this.#wasInCall) this.#notice(Text.reconnected);
    this.#wasInCall = true;
    this.#setState('in-call');
  }

  #refused({ code, message }) {
    if (Transient.has(code)) this.#retry();
    else this.#end({ refusal: { code, message } });
  }

  #setState(state) {
    this.#state = state;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  #notice(text) {
    this.dispatchEvent(new CustomEvent('notice', { detail: text }));
  }
}
