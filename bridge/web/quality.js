// How well a connection does, from what was counted over the last seconds: one of three words, and the reason in plain
// ones. Pure: values in, values out.

import { QualityText as Text } from './messages.js';

const Levels = ['good', 'fair', 'poor'];
// From where on something is noticed (fair), and from where on it hurts (poor).
const LossRatio = [0.02, 0.08];
const DelayMilliseconds = [300, 600];        // there and back
const FreezeRatio = [0.05, 0.25];            // of the time
const ScarceRatio = [0.8, 0.4];              // of the bandwidth that would be used if it were there
const LooksUntilWorse = 2;
const LooksUntilBetter = 3;

/** {level, text} of somebody who is received. `seen`: {lossRatio, freezeRatio, paused}; null when nothing came. */
export function qualityOfOther(seen) {
  if (!seen) return null;
  return worst([
    above(seen.lossRatio, LossRatio, Text.reasons.loss(percent(seen.lossRatio))),
    above(seen.freezeRatio, FreezeRatio, Text.reasons.freeze),
    { level: seen.paused ? 2 : 0, reason: Text.reasons.paused },
  ]);
}

/**
 * The same of ourselves. `seen`: {lossRatio, delay (ms), isLimited}, of what we send; `network`: {available, wanted} in
 * bits per second, of what we receive, null where it is not known.
 */
export function qualityOfSelf(seen, { available, wanted }) {
  if (!seen && available === null) return null;
  const { lossRatio = 0, delay = 0, isLimited = false } = seen ?? {};
  const share = available !== null && wanted > 0 ? available / wanted : 1;
  return worst([
    above(lossRatio, LossRatio, Text.reasons.loss(percent(lossRatio))),
    above(delay, DelayMilliseconds, Text.reasons.delay(Math.round(delay / 10) * 10)),
    below(share, ScarceRatio, Text.reasons.bandwidth(Math.round((available ?? 0) / 1000))),
    { level: isLimited ? 1 : 0, reason: Text.reasons.sending },
  ]);
}

/** Changes only once several looks in a row agree that it does, so that a word can be read. */
export class SteadyQuality {
  #shown = null;
  #differing = 0;

  next(quality) {
    const [rank, before] = [quality?.rank ?? -1, this.#shown?.rank ?? -1];
    this.#differing = rank === before ? 0 : this.#differing + 1;
    const enough = rank > before ? LooksUntilWorse : LooksUntilBetter;
    if (before === -1 || rank === before || rank === -1 || this.#differing >= enough) {
      this.#shown = quality;
      this.#differing = 0;
    }
    return this.#shown;
  }
}

function worst(findings) {
  const found = findings.reduce((a, b) => (b.level > a.level ? b : a));
  const level = Levels[found.level];
  return { level, rank: found.level, text: Text.told(Text.levels[level], found.level > 0 ? found.reason : null) };
}

function above(value, [fair, poor], reason) {
  return { level: value >= poor ? 2 : value >= fair ? 1 : 0, reason };
}

function below(value, [fair, poor], reason) {
  return { level: value < poor ? 2 : value < fair ? 1 : 0, reason };
}

function percent(ratio) {
  return Math.round(ratio * 100);
}
