// Looks at a call's statistics every few seconds and says how well each person's connection does, and our own.

import { qualityOfOther, qualityOfSelf, SteadyQuality } from './quality.js';

const LookMilliseconds = 3_000;
const FewestPackets = 20;                    // in one look, before loss says anything
const Self = 'self';

/** Fires `change`; `of(id)` and `own` tell {level, text}, or null while nothing is known. */
export class QualityWatch extends EventTarget {
  #call;
  #timer = null;
  #isLooking = false;
  #before = new Map();                       // path and mid -> the entry of the last look
  #steady = new Map();                       // id, or "self" -> SteadyQuality
  #found = new Map();                        // the same -> {level, text}

  open(call) {
    this.#call = call;
    this.#timer = setInterval(() => this.#look(), LookMilliseconds);
  }

  close() {
    clearInterval(this.#timer);
    this.#call = null;
    for (const map of [this.#before, this.#steady, this.#found]) map.clear();
  }

  of(id) { return this.#found.get(id) ?? null; }
  get own() { return this.of(Self); }

  async #look() {
    if (this.#isLooking || document.hidden) return;
    this.#isLooking = true;
    try {
      const call = this.#call;
      const stats = await call.stats();
      if (stats && this.#call === call) this.#take(stats, call.view());
    } catch {
      // The connection went away while it was asked: the next look is at another one.
    } finally {
      this.#isLooking = false;
    }
  }

  #take({ slots, sending }, { people, network }) {
    const found = new Map();
    for (const { id } of people) {
      const theirs = slots.filter(({ participant, used }) => used && participant === id);
      this.#keep(found, id, qualityOfOther(summed(theirs, this.#before)));
    }
    this.#keep(found, Self, qualityOfSelf(sent(sending), network));
    this.#before = new Map(slots.map((slot) => [keyOf(slot), { ...slot, at: performance.now() }]));
    for (const id of [...this.#steady.keys()]) if (!found.has(id)) this.#steady.delete(id);
    const told = (map) => JSON.stringify([...map]);
    const isNew = told(found) !== told(this.#found);
    this.#found = found;
    if (isNew) this.dispatchEvent(new Event('change'));
  }

  #keep(found, id, quality) {
    if (!this.#steady.has(id)) this.#steady.set(id, new SteadyQuality());
    found.set(id, this.#steady.get(id).next(quality));
  }
}

const keyOf = ({ path, mid }) => `${path} ${mid}`;

/**
 * {lossRatio, freezeRatio, paused} of the slots that carry somebody, against what they had counted at the last look;
 * null when nothing came and nothing is paused. What a slot counted for somebody else is left out.
 */
export function summed(slots, before, now = performance.now()) {
  let lost = 0;
  let received = 0;
  let freezeRatio = 0;
  for (const slot of slots) {
    const last = before.get(keyOf(slot));
    if (!last || last.participant !== slot.participant || last.content !== slot.content) continue;
    lost += Math.max(0, slot.packetsLost - last.packetsLost);
    received += Math.max(0, slot.packetsReceived - last.packetsReceived);
    const frozen = slot.totalFreezesDuration - last.totalFreezesDuration;
    freezeRatio = Math.max(freezeRatio, frozen * 1000 / Math.max(1, now - last.at));
  }
  const paused = slots.some((slot) => slot.paused);
  if (received === 0 && !paused) return null;
  const lossRatio = lost + received >= FewestPackets ? lost / (lost + received) : 0;
  return { lossRatio, freezeRatio, paused };
}

/** {lossRatio, delay, isLimited} of what we send; null when nothing is sent. */
export function sent(sending) {
  const flowing = sending.filter(({ packets, active }) => packets > 0 && active !== false);
  if (flowing.length === 0) return null;
  return {
    lossRatio: Math.max(...flowing.map(({ lossRatio }) => lossRatio)),
    delay: Math.max(...flowing.map(({ delay }) => delay)) * 1000,
    // Of a picture in several sizes the smaller ones still go.
    isLimited: flowing.every(({ kind, limitedBy }) => kind === 'audio' || limitedBy === 'bandwidth') &&
      flowing.some(({ kind }) => kind !== 'audio'),
  };
}
