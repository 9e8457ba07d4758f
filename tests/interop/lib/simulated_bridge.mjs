// A bridge and its participants in one process on virtual time, for tests of the key agreement: relays and news of who
// comes and goes arrive in order for each receiver, at different times for different ones, from one seed. It sees what
// a bridge sees, and can be told to lie.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { KeyAgreement } from '../../../bridge/web/e2ee/key_agreement.js';
import { ReceivingKeys, SendingKey } from '../../../bridge/web/e2ee/sender_keys.js';
import { importBaseKey } from '../../../bridge/web/e2ee/sframe.js';
import { quickSubtle } from './quick_crypto.mjs';

// Browsers have them, node 18 only behind a flag.
globalThis.crypto ??= webcrypto;
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail }) {
    super(type);
    this.detail = detail;
  }
};

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// How much cryptography is under way: virtual time stands still meanwhile. Quick unless a test asks for the real one.
const cryptography = { started: 0, running: 0, isReal: false };
for (const [name, quick] of Object.entries(quickSubtle)) {
  const real = crypto.subtle[name].bind(crypto.subtle);
  crypto.subtle[name] = async (...parameters) => {
    ++cryptography.started;
    ++cryptography.running;
    try {
      return await (cryptography.isReal ? real(...parameters) : quick.apply(quickSubtle, parameters));
    } finally {
      --cryptography.running;
    }
  };
}

/** Runs a test with the WebCrypto of node, which is slow, as that of browsers would be used. */
export async function withWebCrypto(test) {
  cryptography.isReal = true;
  try {
    return await test();
  } finally {
    cryptography.isReal = false;
  }
}

/** How many operations have been begun so far. */
export function operations() {
  return cryptography.started;
}

/** Returns when everything that was begun has come to its end or waits for a timer. */
export async function settle() {
  let started;
  do {
    started = cryptography.started;
    await new Promise((resolve) => setImmediate(resolve));
  } while (cryptography.running > 0 || cryptography.started !== started);
}

export class VirtualClock {
  #events = new Map();                       // number -> {at, task}
  #numbered = 0;
  now = 0;

  set(task, milliseconds) {
    this.#events.set(++this.#numbered, { at: this.now + milliseconds, task });
    return this.#numbered;
  }

  clear(number) {
    this.#events.delete(number);
  }

  /** Lets so much time pass. */
  async run(milliseconds) {
    const until = this.now + milliseconds;
    await settle();
    for (;;) {
      let at = Infinity;
      for (const event of this.#events.values()) at = Math.min(at, event.at);
      if (at > until) break;
      this.now = at;
      for (const [number, event] of [...this.#events]) {
        if (event.at === at && this.#events.delete(number)) event.task();
      }
      await settle();
    }
    this.now = until;
  }
}

/** One page: its key agreement, what it fired, and frames sealed and opened with the keys that came of it. */
export class Participant {
  #sending = new SendingKey();
  #receiving;
  ownKeys = [];                              // {prefix, number, step, key}, all of them
  peerKeys = [];                             // {participant, prefix, number, step, key}
  privates = [];
  comparisons = [];                          // all that was shown
  states = new Map();                        // id -> {state, reason}

  constructor(id, { conference, clock, receivesMedia = true, ...options }) {
    this.id = id;
    this.#receiving = new ReceivingKeys(() => clock.now);
    this.agreement = new KeyAgreement({ self: id, conference, timers: clock, ...options });
    const on = (type, listener) => this.agreement.addEventListener(type, ({ detail }) => listener(detail));
    on('own-key', async (key) => {
      this.ownKeys.push(key);
      if (receivesMedia) await this.#sending.set(key, await importBaseKey(key.key));
    });
    on('peer-key', async (key) => {
      this.peerKeys.push(key);
      if (receivesMedia) await this.#receiving.add(key.participant, key, await importBaseKey(key.key));
    });
    on('private', (message) => this.privates.push(message));
    on('comparison', (comparison) => this.comparisons.push(comparison));
    on('peer-state', ({ participant, ...state }) => this.states.set(participant, state));
  }

  get comparison() { return this.comparisons.at(-1) ?? null; }

  onSend(listener) {
    this.agreement.addEventListener('send', ({ detail }) => listener(detail));
  }

  async seal(text) {
    const { header, ciphertext } = await this.#sending.seal(new Uint8Array(0), new TextEncoder().encode(text));
    return Uint8Array.from([...header, ...ciphertext]);
  }

  /** "who: text", or why not. */
  async open(frame) {
    try {
      const { participant, plaintext } = await this.#receiving.open(new Uint8Array(0), frame);
      return `${participant}: ${new TextDecoder().decode(plaintext)}`;
    } catch ({ reason }) {
      return reason;
    }
  }
}

export class SimulatedBridge {
  clock = new VirtualClock();
  participants = new Map();                  // those who are in
  relayed = [];                              // {at, from, all | to} as the bridge was given them
  /** Called as (from, to, data) for each delivery; an array of [from, to, data] takes its place. */
  intercept = null;
  #random;
  #latest = { up: new Map(), down: new Map() };    // participant -> when their last message arrives
  #options;

  constructor({ seed = 1, conference = 'standup', ...options } = {}) {
    this.#random = seeded(seed);
    this.#options = { conference, ...options };
  }

  participant(id, options = {}) {
    return new Participant(id, { clock: this.clock, ...this.#options, ...options });
  }

  join(id, options) {
    const newcomer = this.participant(id, options);
    const present = [...this.participants.keys()];
    this.participants.set(id, newcomer);
    newcomer.onSend((message) => this.#way('up', id, () => this.#relay(id, message)));
    this.#way('down', id, () => {
      for (const other of present) newcomer.agreement.add(other);
      newcomer.agreement.start();
    });
    for (const other of present) this.#way('down', other, (page) => page.agreement.add(id));
    return newcomer;
  }

  leave(id) {
    const leaver = this.participants.get(id);
    this.participants.delete(id);
    leaver.agreement.close();
    for (const other of this.participants.keys()) this.#way('down', other, (page) => page.agreement.remove(id));
    return leaver;
  }

  /** Delivers data as if `from` had sent it. */
  deliver(from, to, data) {
    this.#way('down', to, (page) => page.agreement.handle(from, data));
  }

  run(milliseconds) {
    return this.clock.run(milliseconds);
  }

  close() {
    for (const { agreement } of this.participants.values()) agreement.close();
  }

  #relay(from, message) {
    if (!this.participants.has(from)) return;
    this.relayed.push({ at: this.clock.now, from, ...message });
    const addressed = message.to ?? Object.fromEntries([...this.participants.keys()].map((id) => [id, message.all]));
    for (const [to, data] of Object.entries(addressed)) {
      if (to === from) continue;
      for (const delivery of this.intercept?.(from, to, data) ?? [[from, to, data]]) this.deliver(...delivery);
    }
  }

  // From or to one participant everything keeps its order.
  #way(direction, id, task) {
    const latest = this.#latest[direction];
    const at = Math.max(latest.get(id) ?? 0, this.clock.now + 10 * (1 + Math.floor(8 * this.#random())));
    latest.set(id, at);
    const page = this.participants.get(id);
    if (page) this.clock.set(() => this.participants.get(id) === page && task(page), at - this.clock.now);
  }
}

/** A bridge and those who have joined it at once, after some seconds. */
export async function meeting(names, options) {
  const bridge = new SimulatedBridge(options);
  const people = names.map((name) => bridge.join(name));
  await bridge.run(5_000);
  return [bridge, ...people];
}

/** Seals a frame of each and opens it at all the others. */
export async function assertAllHearAll(people) {
  for (const sender of people) {
    const frame = await sender.seal('hello');
    for (const receiver of people) {
      if (receiver !== sender) assert.equal(await receiver.open(frame), `${sender.id}: hello`, `at ${receiver.id}`);
    }
  }
}

export function assertSameString(people) {
  const ids = people.map(({ id }) => id).sort();
  const { text } = people[0].comparison;
  assert.match(text, /^\d{4} \d{4} \d{4}$/);
  for (const { id, comparison } of people) assert.deepEqual(comparison, { text, participants: ids }, `at ${id}`);
}
