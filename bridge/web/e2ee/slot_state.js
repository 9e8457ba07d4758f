// What one receive slot has seen lately, in one word that a page can show. Takes the time from outside.

const IdleMilliseconds = 2_000;              // without any frame
const GraceMilliseconds = 1_000;             // of failures only, before something is called wrong
const KeyFramePauseMilliseconds = 500;       // between two requests for a key frame

export class SlotState {
  participant = null;                        // whom the bridge says it carries
  owner = null;                              // whose key opened the last frame; null for a plain one
  counts = { opened: 0, plain: 0, refused: 0, unknown: 0, failed: 0, replayed: 0 };
  #success = null;                           // 'open' or 'plain', and when
  #successAt = -Infinity;
  #failure = null;                           // why the last frame was dropped, if it was
  #failingSince = Infinity;                  // the first of the frames dropped one after the other
  #lastAt = -Infinity;
  #needsKeyFrame = false;
  #requestedAt = -Infinity;

  /** The slot carries somebody else from now on. */
  assign(participant) {
    if (participant === this.participant) return;
    this.participant = participant;
    this.owner = null;
    this.#success = null;
    this.#failure = null;
    this.#failingSince = Infinity;
    this.#lastAt = -Infinity;
    this.#needsKeyFrame = participant !== null;
  }

  /** A frame goes to the decoder, opened with `owner`'s key or plain (null). True: ask for a key frame. */
  passed(owner, isKeyFrame, now) {
    if (owner === null) this.counts.plain++;
    else this.counts.opened++;
    if (owner !== this.owner && this.#success !== null) this.#needsKeyFrame = true;
    this.owner = owner;
    this.#success = owner === null ? 'plain' : 'open';
    this.#successAt = this.#lastAt = now;
    this.#failure = null;
    this.#failingSince = Infinity;
    if (isKeyFrame) this.#needsKeyFrame = false;
    if (!this.#needsKeyFrame || now - this.#requestedAt < KeyFramePauseMilliseconds) return false;
    this.#requestedAt = now;
    return true;
  }

  /** A frame was dropped, for an SFrameError's reason. */
  dropped(reason, now) {
    const counter = { 'not-sframe': 'refused', 'unknown-key': 'unknown', 'replayed': 'replayed' }[reason] ?? 'failed';
    this.counts[counter]++;
    if (reason === 'replayed') return;       // says nothing about the stream: anybody may send an old frame again
    this.#failure = reason;
    this.#lastAt = now;
    this.#failingSince = Math.min(this.#failingSince, now);
    this.#needsKeyFrame = true;
  }

  /**
   * "idle": nothing comes. "open", "plain": goes to the decoder. "waiting": no key yet. "wrong-key": a key is there
   * but opens nothing. "refused": plain frames of somebody who declares encryption.
   */
  state(now) {
    if (now - this.#lastAt > IdleMilliseconds) return 'idle';
    if (this.#failure === null) return this.#success;
    if (this.#success !== null && now - this.#successAt < GraceMilliseconds) return this.#success;
    if (this.#failure === 'unknown-key' || now - this.#failingSince < GraceMilliseconds) return 'waiting';
    return this.#failure === 'not-sframe' ? 'refused' : 'wrong-key';
  }
}
