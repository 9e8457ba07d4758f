// The way back to a conference after the network was gone: another socket that takes over our place on the bridge
// (`resume` in deploy/docs/signalling.md), then a restart of ICE over it. It holds no media and none of the
// conference's state: what comes on the new socket is for who follows its events.

import { Backoff, Signalling } from './signalling.js';

const GiveUpMilliseconds = 25_000;           // the bridge keeps a place for 30 s at most
const AttemptMilliseconds = 4_000;           // from opening a socket to `resumed`; what goes nowhere is not answered
const MostPauseMilliseconds = 4_000;
const MediaMilliseconds = 12_000;            // from `resumed` to media connected

const RealParts = {
  open: (url) => new Signalling(url),
  backoff: () => new Backoff(MostPauseMilliseconds),
  set: (task, milliseconds) => setTimeout(task, milliseconds),
  clear: (timer) => clearTimeout(timer),
};

/**
 * Fires `resumed` (detail: {signalling, message}) each time a socket has our place, and at the end once `back` or
 * `failed`. Whoever hears `resumed` listens to the socket from then on, and says what has become of it: `retry()` when
 * it was cut again, `mediaIsBack()` when media is connected over a restarted ICE.
 */
export class Reconnection extends EventTarget {
  #url;
  #place;                                    // {participant, resume}
  #parts;
  #backoff;
  #signalling = null;                        // of the attempt that is under way
  #pause = null;
  #limit = null;                             // of the attempt, or of media
  #end = null;
  #hasResumed = false;                       // a socket has our place
  #over = false;

  /** Tests set `parts`. */
  constructor({ url, participant, secret }, parts = RealParts) {
    super();
    this.#url = url;
    this.#place = { participant, resume: secret };
    this.#parts = parts;
    this.#backoff = parts.backoff();
  }

  start() {
    this.#giveUpLater();
    this.#attempt();
  }

  /** The network is said to be back: no more waiting. */
  hurry() {
    if (this.#pause === null) return;
    this.#backoff.reset();
    this.#attempt();
  }

  /** The bridge hears us again. */
  get hasResumed() {
    return this.#hasResumed;
  }

  /** The socket that had our place was cut, too. */
  retry() {
    if (this.#over) return;
    this.#hasResumed = false;
    this.#giveUpLater();
    this.#wait();
  }

  /** Means nothing before a socket has our place. */
  mediaIsBack() {
    if (this.#hasResumed) this.#finish('back');
  }

  close() {
    this.#over = true;
    for (const timer of [this.#pause, this.#limit, this.#end]) this.#parts.clear(timer);
    this.#signalling?.abandon();
    this.#signalling = null;
  }

  #attempt() {
    this.#stopTimers();
    const signalling = this.#signalling = this.#parts.open(this.#url);
    const isCurrent = () => this.#signalling === signalling;
    const fail = () => isCurrent() && this.#wait();
    this.#limit = this.#parts.set(fail, AttemptMilliseconds);
    signalling.addEventListener('close', fail);
    signalling.addEventListener('message', ({ detail }) => isCurrent() && this.#hear(detail));
    signalling.opened().then(() => isCurrent() && signalling.send('resume', this.#place), () => {});
  }

  #hear(message) {
    if (message.type === 'error' && message.final) return this.#finish('failed');
    if (message.type !== 'resumed') return;
    const signalling = this.#signalling;
    this.#signalling = null;
    this.#hasResumed = true;
    this.#backoff.reset();
    this.#stopTimers();
    this.#limit = this.#parts.set(() => this.#finish('failed'), MediaMilliseconds);
    this.#parts.clear(this.#end);            // the bridge gives media its time anew
    this.dispatchEvent(new CustomEvent('resumed', { detail: { signalling, message } }));
  }

  #wait() {
    this.#stopTimers();
    this.#signalling?.abandon();
    this.#signalling = null;
    this.#pause = this.#parts.set(() => this.#attempt(), this.#backoff.nextMilliseconds());
  }

  #giveUpLater() {
    this.#parts.clear(this.#end);
    this.#end = this.#parts.set(() => this.#finish('failed'), GiveUpMilliseconds);
  }

  #stopTimers() {
    this.#parts.clear(this.#pause);
    this.#parts.clear(this.#limit);
    this.#pause = this.#limit = null;
  }

  #finish(type) {
    if (this.#over) return;
    this.close();
    this.dispatchEvent(new Event(type));
  }
}
