// Sender keys, RFC 9605 section 5.1: everyone seals with a key of their own and tells it to the others. A key is known
// by {prefix, number, step}: who (four random bytes, drawn for each join), which fresh key of theirs, and how often it
// was ratcheted; written one after the other they are the KID. Whoever leaves is shut out by a fresh key, whoever
// joins learns nothing of before by a ratchet, which receivers follow by themselves.

import {
  decodeHeader, deriveFrameKey, importBaseKey, open, ratchetBaseKey, seal, SFrameError, Suites,
} from './sframe.js';

export const Suite = 0x0004;                 // the agreement behind the keys is no stronger than 128 bits either
export const KeyBytes = Suites[Suite].hashBytes;     // as many as a ratchet gives
export const MaxStep = 0xff;
export const MaxNumber = 0xffff;
const MaxFramesOfKey = 2 ** 32;              // years of media; far below what AES-GCM allows under one key
const MaxStepsAhead = 32;
const LookAheadPauseMilliseconds = 250;      // between attempts that failed: each costs up to 32 derivations
const RetiredMilliseconds = 5_000;           // how long frames sealed before a change of keys may be under way
const MaxKeysOfParticipant = 8;
const MaxPrefixesOfParticipant = 4;
const ReplayWindow = 4096;                   // frames; half a minute of a sender's audio and three sizes of video

/** A participant's first key: {prefix, number, step, key}. The prefix does not begin with 0: every KID has 7 bytes. */
export function newSenderKey() {
  const prefix = crypto.getRandomValues(new Uint8Array(4));
  prefix[0] ||= 1;
  return { prefix, number: 0, step: 0, key: crypto.getRandomValues(new Uint8Array(KeyBytes)) };
}

/** A fresh key under the same prefix: nothing of the old one helps with it. */
export function nextSenderKey({ prefix, number }) {
  if (number >= MaxNumber) throw new RangeError('this prefix has had all its keys: join again');
  return { prefix, number: number + 1, step: 0, key: crypto.getRandomValues(new Uint8Array(KeyBytes)) };
}

/** The key one step further; null where its steps are used up and a fresh key must come instead. */
export async function ratchet({ prefix, number, step, key }) {
  if (step >= MaxStep) return null;
  return { prefix, number, step: step + 1, key: await ratchetBaseKey(await importBaseKey(key), Suite) };
}

/** The KID as BigInt: prefix (32 bits), number (16), step (8). */
export function kidOf({ prefix, number, step }) {
  return (BigInt(prefixNumber(prefix)) << 24n) | BigInt(number << 8 | step);
}

export function isSenderKey({ prefix, number, step }) {
  const isWithin = (value, most) => Number.isInteger(value) && value >= 0 && value <= most;
  return prefix instanceof Uint8Array && prefix.length === 4 && prefix[0] !== 0 &&
    isWithin(number, MaxNumber) && isWithin(step, MaxStep);
}

/**
 * Our own key. One object counts for all media and connections: a counter is used once under a key, and a KID that
 * was left is never taken up again. `derive` gives what seals from the base key; of each there is one object.
 */
export class SendingKey {
  #derive;
  #kid = null;
  #frameKey = null;
  #counter = 0;
  #latest = new Map();                       // prefix, as a number -> the last KID used with it

  constructor(derive = deriveFrameKey) {
    this.#derive = derive;
  }

  get isSet() { return this.#kid !== null; }
  get kid() { return this.#kid; }

  /** `baseKey` as importBaseKey gives it. False for a key that is not newer than those used with its prefix. */
  async set(name, baseKey) {
    if (!isSenderKey(name)) return false;
    const kid = kidOf(name);
    const prefix = prefixNumber(name.prefix);
    const frameKey = await this.#derive(baseKey, kid, Suite, 'encrypt');
    if (kid <= (this.#latest.get(prefix) ?? -1n)) return false;
    this.#latest.set(prefix, kid);
    this.#kid = kid;
    this.#frameKey = frameKey;
    this.#counter = 0;
    return true;
  }

  /** {header, ciphertext}. Takes its counter before anything else can, also when several frames are under way. */
  seal(metadata, plaintext) {
    if (this.#counter >= MaxFramesOfKey) throw new RangeError('this key has sealed all the frames it may');
    return seal(this.#frameKey, this.#kid, this.#counter++, metadata, plaintext);
  }
}

/** The keys of the others, by KID. Gives out frames only with the participant whose key opened them. */
export class ReceivingKeys {
  #people = new Map();                       // participant -> Map of KID -> entry
  #owners = new Map();                       // prefix, as a number -> participant
  #pausedUntil = new Map();                  // participant -> when a key may be looked for ahead again
  #now;
  #derive;
  #ownPrefix = null;

  constructor(now = () => performance.now(), derive = deriveFrameKey) {
    this.#now = now;
    this.#derive = derive;
  }

  /** What we seal under nobody else may claim. */
  reserve(prefix) {
    this.#ownPrefix = prefixNumber(prefix);
  }

  /**
   * A key that `participant` announced. False when it names no key, its prefix is somebody else's, or they have too
   * many prefixes.
   */
  async add(participant, name, baseKey) {
    if (!isSenderKey(name)) return false;
    const prefix = prefixNumber(name.prefix);
    if (prefix === this.#ownPrefix || (this.#owners.get(prefix) ?? participant) !== participant) return false;
    if (!this.#owners.has(prefix) && this.#prefixCount(participant) >= MaxPrefixesOfParticipant) return false;
    this.#owners.set(prefix, participant);
    if (!this.#people.has(participant)) this.#people.set(participant, new Map());
    const entry = await this.#entryOf(kidOf(name), baseKey);
    // Forgotten meanwhile: the key must not come back.
    if (this.#owners.get(prefix) === participant) this.#keep(participant, entry);
    return true;
  }

  forget(participant) {
    this.#people.delete(participant);
    this.#pausedUntil.delete(participant);
    for (const [prefix, owner] of this.#owners) if (owner === participant) this.#owners.delete(prefix);
  }

  /** {participant, plaintext} of an SFrame; throws SFrameError when it is none or no key opens it. */
  async open(metadata, sframe) {
    const header = decodeHeader(sframe);
    // RED, which the bridge makes of plain sound, has a header and counter of an SFrame, but none that is ever reached.
    const isOurs = header && isSenderKid(header.kid) && header.counter < MaxFramesOfKey;
    if (!isOurs) throw new SFrameError('not-sframe');
    const found = this.#find(header.kid);
    if (!found) throw new SFrameError('unknown-key');
    const { participant, entry } = found;
    if (entry.kid !== header.kid) return this.#openAhead(participant, entry, header, metadata, sframe);
    if (entry.replay.hasSeen(header.counter)) throw new SFrameError('replayed');
    const plaintext = await open(entry.frameKey, header, metadata, sframe);
    this.#authenticated(participant, entry, header);
    return { participant, plaintext };
  }

  // The sender has ratcheted: so do we, and believe it only if the frame authenticates.
  async #openAhead(participant, entry, header, metadata, sframe) {
    if (this.#now() < (this.#pausedUntil.get(participant) ?? 0)) throw new SFrameError('not-authentic');
    try {
      let { baseKey } = entry;
      for (let kid = entry.kid; kid < header.kid; ++kid) {
        const bytes = await ratchetBaseKey(baseKey, Suite);
        baseKey = await importBaseKey(bytes);
        bytes.fill(0);
      }
      // Another slot's frame may have brought us here meanwhile; its replay window is the one that counts.
      const ahead = this.#people.get(participant)?.get(header.kid) ?? await this.#entryOf(header.kid, baseKey);
      if (ahead.replay.hasSeen(header.counter)) throw new SFrameError('replayed');
      const plaintext = await open(ahead.frameKey, header, metadata, sframe);
      const kept = this.#keep(participant, ahead);
      if (kept) this.#authenticated(participant, kept, header);
      return { participant, plaintext };
    } catch (error) {
      this.#pausedUntil.set(participant, this.#now() + LookAheadPauseMilliseconds);
      throw error;
    }
  }

  // {participant, entry}: the key itself, or the latest of the same number from which it can be reached.
  #find(kid) {
    const participant = this.#owners.get(Number(kid >> 24n));
    const keys = this.#people.get(participant);
    if (!keys) return null;
    this.#dropRetired(keys);
    if (keys.has(kid)) return { participant, entry: keys.get(kid) };
    let best = null;
    for (const entry of keys.values()) {
      const ahead = kid - entry.kid;
      const isReachable = entry.kid >> 8n === kid >> 8n && ahead > 0n && ahead <= BigInt(MaxStepsAhead);
      if (isReachable && (!best || entry.kid > best.kid)) best = entry;
    }
    return best && { participant, entry: best };
  }

  // Returns the entry that stands for this KID from now on; null when its participant is gone.
  #keep(participant, entry) {
    const keys = this.#people.get(participant);
    if (!keys) return null;
    const present = keys.get(entry.kid);
    // The same key told twice must not open its frames twice.
    if (present && sameBytes(present.frameKey.salt, entry.frameKey.salt)) return present;
    keys.set(entry.kid, entry);
    while (keys.size > MaxKeysOfParticipant) keys.delete([...keys.keys()].reduce((a, b) => (a < b ? a : b)));
    return entry;
  }

  // Whoever seals with a key has done with those before it.
  #authenticated(participant, entry, { counter }) {
    if (entry.replay.hasSeen(counter)) throw new SFrameError('replayed');      // its twin was faster
    entry.replay.mark(counter);
    for (const other of this.#people.get(participant)?.values() ?? []) {
      if (other.kid < entry.kid) other.retiredAt ??= this.#now();
    }
  }

  #dropRetired(keys) {
    for (const [kid, { retiredAt }] of keys) {
      if (retiredAt !== null && this.#now() - retiredAt > RetiredMilliseconds) keys.delete(kid);
    }
  }

  async #entryOf(kid, baseKey) {
    const frameKey = await this.#derive(baseKey, kid, Suite, 'decrypt');
    return { kid, baseKey, frameKey, replay: new ReplayFilter(), retiredAt: null };
  }

  #prefixCount(participant) {
    return [...this.#owners.values()].filter((owner) => owner === participant).length;
  }
}

/** Which of the latest counters of a key have been seen; those older than the window count as seen. */
export class ReplayFilter {
  #seen = new Uint8Array(ReplayWindow);
  #next = 0n;                                // one above the highest counter so far

  hasSeen(counter) {
    if (counter >= this.#next) return false;
    return counter + BigInt(ReplayWindow) < this.#next || this.#seen[Number(counter % BigInt(ReplayWindow))] === 1;
  }

  mark(counter) {
    const window = BigInt(ReplayWindow);
    if (counter >= this.#next + window) this.#seen.fill(0);
    else for (let skipped = this.#next; skipped < counter; ++skipped) this.#seen[Number(skipped % window)] = 0;
    this.#seen[Number(counter % window)] = 1;
    if (counter >= this.#next) this.#next = counter + 1n;
  }
}

// Exactly seven bytes. Without this, much of what codecs write would pass for an SFrame whose key is missing.
function isSenderKid(kid) {
  return kid >> 48n !== 0n && kid >> 56n === 0n;
}

function prefixNumber(prefix) {
  return new DataView(prefix.buffer, prefix.byteOffset, 4).getUint32(0);
}

function sameBytes(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
