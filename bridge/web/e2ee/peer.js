// What we know of another participant: their identity of this join, and how far the agreement with them has come.

export class Peer {
  state = 'waiting';                         // waiting | agreed | failed
  reason = null;                             // why failed
  publicKey = null;                          // as they greeted with it; the same for as long as they are the same
  prefix = null;
  channel = null;                            // also null for somebody who has failed for good
  timesUnanswered = 0;                       // greetings of ours
  #latest = null;                            // {number, step} of the key they told last

  /** A newcomer joined after us: what we sent before is not for them. */
  constructor(id, isNewcomer) {
    this.id = id;
    this.isNewcomer = isNewcomer;
  }

  /** Who may still answer if we greet them again. */
  get isExpected() {
    return this.state === 'waiting' || this.reason === 'no-answer';
  }

  /** Whether this key of theirs comes after all that they told before; remembers it. */
  isNewKey({ number, step }) {
    const last = this.#latest;
    if (last && (number < last.number || (number === last.number && step <= last.step))) return false;
    this.#latest = { number, step };
    return true;
  }
}
