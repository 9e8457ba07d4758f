// What flows from whom to whom, from the receiving browsers' own statistics. A slot may carry one person now and
// another later, so what a slot has received since the last look counts for whoever it carries.

import { until } from './until.mjs';

export class FlowMeter {
  #seen = new Map();                         // receiver and mid -> counters at the last look
  #flows = new Map();                        // "from > to" -> {frames, energy}

  /** Looks at every participant's statistics; those without a connection are passed over. */
  async look(participants) {
    await Promise.all(participants.map(async (to) => {
      const stats = await to.stats();
      for (const slot of stats?.slots ?? []) this.#count(to.name, slot);
    }));
  }

  /** {frames, energy} that `to` has decoded of `from` since the first look. */
  flow(from, to) {
    const key = `${from} > ${to}`;
    if (!this.#flows.has(key)) this.#flows.set(key, { frames: 0, energy: 0 });
    return this.#flows.get(key);
  }

  #count(to, { mid, kind, name, framesDecoded, totalAudioEnergy }) {
    const key = `${to} ${kind} ${mid}`;
    const before = this.#seen.get(key);
    this.#seen.set(key, { name, framesDecoded, totalAudioEnergy });
    // The first look, another person, or counters that began anew (a new connection) give nothing to compare with.
    if (
      !before ||
      before.name !== name ||
      !name ||
      framesDecoded < before.framesDecoded ||
      totalAudioEnergy < before.totalAudioEnergy
    )
      return;
    const flow = this.flow(name, to);
    flow.frames += framesDecoded - before.framesDecoded;
    flow.energy += totalAudioEnergy - before.totalAudioEnergy;
  }
}

/**
 * Resolves when from now on `frames` video frames and some audio energy have arrived in every direction. `kinds`
 * leaves one of them out; the error says which directions stayed dry.
 */
export async function untilFlowing(
  participants,
  { frames = 10, kinds = ['audio', 'video'], senders = participants, seconds = 30 } = {},
) {
  const meter = new FlowMeter();
  let dry = [];
  const flowing = async () => {
    await meter.look(participants);
    dry = [];
    for (const from of senders) {
      for (const to of participants) {
        if (from === to) continue;
        const flow = meter.flow(from.name, to.name);
        if (kinds.includes('video') && flow.frames < frames)
          dry.push(`${from.name} > ${to.name} video: ${flow.frames} frames`);
        if (kinds.includes('audio') && !(flow.energy > 0)) dry.push(`${from.name} > ${to.name} audio: no energy`);
      }
    }
    return dry.length === 0;
  };
  await until('media flows in every direction', flowing, seconds).catch((error) => {
    throw new Error(`${error.message}; missing: ${dry.join('; ') || 'nothing'}`, { cause: error.cause });
  });
}
