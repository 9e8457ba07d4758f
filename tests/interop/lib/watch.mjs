// Watches a running conference: the longest time without a new frame in every direction, decoded frames, received
// audio energy, and the bridge's memory. A direction is excused while either end joins, leaves, reloads or has its
// camera off, and for a few seconds after.

import { FlowMeter } from './flow_meter.mjs';

const GraceSeconds = 6;                      // from the end of an event to a picture that must not stop
const FreezeSeconds = 2;
const SlowLookSeconds = 1.5;                 // a look that takes longer says that this machine is too busy to judge
const MemorySlack = 24 * 1024 * 1024;        // bytes by which the bridge may grow after its first minute

export class Watch {
  #bridge;
  #people;
  #meter = new FlowMeter();
  #excused = new Map();                      // name -> Infinity during an event, then when it is expected to flow again
  #directions = new Map();                   // "from > to" -> {frames, at, longest}
  #faults = [];
  #memory = [];                              // [seconds, bytes]
  #started = performance.now() / 1000;
  #slowLooks = 0;
  #reportAt = 60;

  constructor(bridge, people) {
    this.#bridge = bridge;
    this.#people = people;
    for (const { name } of people) this.#excused.set(name, Infinity);
  }

  say(text) { console.log(`${this.#clock()}  ${text}`); }

  /** Runs what a person does, and excuses their directions meanwhile. */
  async during(person, what, body) {
    this.say(`${person.name} ${what}`);
    this.#excused.set(person.name, Infinity);
    await body();
    this.#excused.set(person.name, this.#now() + GraceSeconds);
  }

  fail(text) {
    this.#faults.push(`${this.#clock()} ${text}`);
    this.say(`WRONG: ${text}`);
  }

  async look() {
    const began = this.#now();
    const present = this.#people.filter(({ name, page }) => page && this.#excused.get(name) !== Infinity);
    const watched = this.#people.filter(({ page }) => page);
    // A page that is just being reloaded cannot answer.
    await Promise.all(watched.map((person) => this.#meter.look([person]).catch(() => {})));
    const slow = this.#now() - began > SlowLookSeconds;
    if (slow) this.#slowLooks++;
    for (const from of present) for (const to of present) if (from !== to) this.#judge(from.name, to.name, slow);
    for (const person of present) await this.#judgeState(person);
    this.#takeMemory();
    if (this.#now() - this.#started > this.#reportAt) {
      this.#reportAt += 60;
      this.say(this.#memoryLine());
    }
  }

  /** Prints the summary and gives all faults as sentences. */
  async finish() {
    console.log('\ndirection                     frames   audio energy   longest gap (s)');
    for (const from of this.#people) {
      for (const to of this.#people) {
        if (from === to) continue;
        const { frames, energy } = this.#meter.flow(from.name, to.name);
        const gap = this.#directions.get(`${from.name} > ${to.name}`)?.longest ?? 0;
        const columns = [String(frames).padStart(10), energy.toFixed(4).padStart(15), gap.toFixed(1).padStart(18)];
        console.log(`${from.name} > ${to.name}`.padEnd(26) + columns.join(''));
        if (frames === 0) this.fail(`${to.name} never saw ${from.name}`);
        if (energy === 0) this.fail(`${to.name} never heard ${from.name}`);
      }
    }
    for (const person of this.#people) {
      const errors = person.page?.errors() ?? [];
      if (errors.length) this.fail(`${person.name}'s page: ${errors.slice(0, 3).join(' | ')}`);
    }
    this.#judgeMemory();
    console.log(`\n${this.#memoryLine()}`);
    if (this.#slowLooks > 0) {
      console.log(`${this.#slowLooks} looks took longer than ${SlowLookSeconds} s: the machine was busy`);
    }
    return this.#faults;
  }

  // A gap counts from the last new frame or, after an event, from the end of the grace.
  #judge(from, to, slow) {
    const key = `${from} > ${to}`;
    const now = this.#now();
    const { frames } = this.#meter.flow(from, to);
    const since = Math.max(this.#excused.get(from), this.#excused.get(to));
    const direction = this.#directions.get(key) ?? { frames: 0, at: now, longest: 0, frozen: false };
    this.#directions.set(key, direction);
    if (frames > direction.frames || slow || now < since) {
      Object.assign(direction, { frames, at: now, frozen: false });
      return;
    }
    const gap = now - Math.max(direction.at, since);
    direction.longest = Math.max(direction.longest, gap);
    if (gap > FreezeSeconds && !direction.frozen) {
      direction.frozen = true;
      this.fail(`${to} has not seen a new picture of ${from} for ${FreezeSeconds} s`);
    }
  }

  async #judgeState(person) {
    const state = await person.state().catch(() => 'in-call');
    if (state !== 'in-call' && this.#excused.get(person.name) < this.#now()) {
      this.fail(`${person.name} is ${state} without a reason`);
      this.#excused.set(person.name, this.#now() + 2 * GraceSeconds);
    }
  }

  #takeMemory() {
    if (!this.#bridge.running) {
      if (!this.#faults.some((fault) => fault.includes('has ended'))) this.fail('the bridge has ended');
      return;
    }
    this.#memory.push([this.#now() - this.#started, this.#bridge.residentBytes()]);
  }

  #judgeMemory() {
    const settled = this.#memory.find(([seconds]) => seconds >= 60);
    const last = this.#memory.at(-1);
    if (settled && last[1] - settled[1] > MemorySlack) {
      this.fail(`the bridge has grown from ${mebibytes(settled[1])} MiB after a minute to ${mebibytes(last[1])} MiB`);
    }
  }

  #memoryLine() {
    const minute = ([seconds]) => Math.floor(seconds / 60);
    const last = this.#memory.length - 1;
    const shown = this.#memory.filter(
      (taken, i) => i === 0 || i === last || minute(taken) !== minute(this.#memory[i - 1]),
    );
    return `the bridge's memory by minute, MiB: ${shown.map(([, bytes]) => mebibytes(bytes)).join(' ')}`;
  }

  #now() { return performance.now() / 1000; }
  #clock() {
    const seconds = Math.floor(this.#now() - this.#started);
    return `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}`;
  }
}

function mebibytes(bytes) {
  return (bytes / 1024 / 1024).toFixed(1);
}
