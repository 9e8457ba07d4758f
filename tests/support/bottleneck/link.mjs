// One direction of a poor network: a rate with a bounded queue that drops at its tail, then a delay; random loss by a
// seed, and a cut. No sockets and no clock: the caller says what time it is, in milliseconds that never go back.

const HeaderBytes = 28;                      // IPv4 and UDP, which take their part of the rate

/** rate: bits per second, null for no limit; queue: what waits for the rate, in ms of it; delay: ms; loss: 0 to 1. */
export const Open = Object.freeze({ rate: null, queue: 200, delay: 0, loss: 0, cut: false });

export class Link {
  /** Packets by what became of them, and the longest that one has waited for the rate, in ms. */
  counts = { passed: 0, overflowed: 0, lost: 0, cut: 0, longestWait: 0 };
  #limits;
  #random;
  #waiting = [];                             // [{packet, bits, since}], for the rate
  #waitingBits = 0;
  #freeAt = 0;                               // when the last packet had passed the rate
  #flying = [];                              // [{packet, at}], for the delay

  constructor(limits = {}, seed = 1) {
    this.#limits = { ...Open, ...limits };
    this.#random = randomNumbers(seed);
  }

  /** Changes some of the limits while it runs. A cut loses what is under way, too. */
  set(limits, now) {
    this.#advance(now);
    this.#limits = { ...this.#limits, ...limits };
    if (!this.#limits.cut) return;
    this.counts.cut += this.#waiting.length + this.#flying.length;
    this.#waiting = [];
    this.#waitingBits = 0;
    this.#flying = [];
  }

  offer(packet, now) {
    const { rate, queue, loss, cut } = this.#limits;
    this.#advance(now);
    const bits = (packet.length + HeaderBytes) * 8;
    if (cut) return void ++this.counts.cut;
    if (loss > 0 && this.#random() < loss) return void ++this.counts.lost;
    // An empty queue takes any packet, however slow the rate.
    const isFull = this.#waiting.length > 0 && this.#waitingBits + bits > rate * queue / 1000;
    if (rate !== null && isFull) return void ++this.counts.overflowed;
    this.#waiting.push({ packet, bits, since: now });
    this.#waitingBits += bits;
    this.#advance(now);
  }

  /** The packets that have arrived by now, in order. */
  due(now) {
    this.#advance(now);
    const arrived = [];
    while (this.#flying.length > 0 && this.#flying[0].at <= now) arrived.push(this.#flying.shift().packet);
    this.counts.passed += arrived.length;
    return arrived;
  }

  /** When due() has something next; Infinity when nothing is under way. */
  get nextAt() {
    const [waiting] = this.#waiting;
    const departs = waiting ? this.#departureOf(waiting) : Infinity;
    return Math.min(this.#flying[0]?.at ?? Infinity, departs);
  }

  #advance(now) {
    while (this.#waiting.length > 0) {
      const at = this.#departureOf(this.#waiting[0]);
      if (at > now) return;
      const { packet, bits, since } = this.#waiting.shift();
      this.#waitingBits -= bits;
      this.counts.longestWait = Math.max(this.counts.longestWait, at - since);
      this.#freeAt = at;
      // A delay that has become shorter lets nobody overtake.
      this.#flying.push({ packet, at: Math.max(at + this.#limits.delay, this.#flying.at(-1)?.at ?? 0) });
    }
  }

  #departureOf({ bits, since }) {
    const { rate } = this.#limits;
    return Math.max(since, this.#freeAt) + (rate === null ? 0 : bits / rate * 1000);
  }
}

// Mulberry32: the same numbers for the same seed, 0 to 1.
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
