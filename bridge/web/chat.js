// What people write to each other in a call. Messages travel in `relay`; where the conference is encrypted end to end
// they are sealed, and one that comes in clear is refused, whoever it seems to be from. Nothing is kept outside the
// page, and of nobody more than `ChatLog` holds.

import { cleanText, isTooLong, parseChat, writeChat } from './e2ee/chat_wire.js';

const MaxEntries = 200;
const MaxWaiting = 32;                       // messages whose key may still be on its way
const WaitMilliseconds = 5_000;

/**
 * The messages of one presence. Fires `entry` (detail: {participant, name, text, sealed, problem, isOwn}); `problem` is
 * null, 'plain' (came in clear, refused), 'no-key', or 'forged' (opens with nobody's or somebody else's key).
 */
export class Chat extends EventTarget {
  #self;                                     // {id, name}
  #nameOf;
  #keys;
  #send;
  #mustSeal;
  #waiting = [];                             // {from, sealed, timer}

  /**
   * `keys`: ChatKeys or null; `send(data)` relays to everybody; `mustSeal()`: whether the conference is encrypted end
   * to end; `nameOf(id)`: the name in the bridge's list, or null for somebody who is not there.
   */
  constructor({ self, nameOf, keys, send, mustSeal }) {
    super();
    this.#self = self;
    this.#nameOf = nameOf;
    this.#keys = keys;
    this.#send = send;
    this.#mustSeal = mustSeal;
  }

  /** Resolves to null when it is sent, else to why not: 'empty', 'too-long', 'no-key'. */
  async say(written) {
    const text = cleanText(written);
    if (text === '') return 'empty';
    if (isTooLong(text)) return 'too-long';
    const sealed = this.#mustSeal();
    if (sealed && !this.#keys?.canSeal) return 'no-key';
    const data = sealed ? writeChat({ sealed: await this.#keys.seal(text) }) : writeChat({ text });
    // Turned on meanwhile: what was to go in clear does not.
    if (!sealed && this.#mustSeal()) return 'no-key';
    this.#send(data);
    this.#tell({ participant: this.#self.id, name: this.#self.name, text, sealed, problem: null, isOwn: true });
    return null;
  }

  /** What somebody relayed; false if it is no chat message. */
  take(from, data) {
    const message = parseChat(data);
    if (!message) return false;
    if (message.sealed) this.#open(from, message.sealed);
    else this.#took(from, message.text, { sealed: false, problem: this.#mustSeal() ? 'plain' : null });
    return true;
  }

  /** A key of theirs has come: what waits for it can perhaps be opened. */
  tryAgain(participant) {
    const theirs = this.#waiting.filter(({ from }) => from === participant);
    this.#waiting = this.#waiting.filter(({ from }) => from !== participant);
    for (const { from, sealed, timer } of theirs) {
      clearTimeout(timer);
      this.#open(from, sealed);
    }
  }

  close() {
    for (const { timer } of this.#waiting.splice(0)) clearTimeout(timer);
  }

  async #open(from, sealed, mayWait = true) {
    try {
      if (!this.#keys) return this.#took(from, '', { sealed: true, problem: 'no-key' });
      const text = await this.#keys.open(from, sealed);
      if (!isTooLong(text)) this.#took(from, text, { sealed: true, problem: null });
    } catch ({ reason }) {
      if (reason === 'replayed') return;     // it has been shown
      if (reason !== 'unknown-key') return this.#took(from, '', { sealed: true, problem: 'forged' });
      if (mayWait && this.#waiting.length < MaxWaiting) this.#wait(from, sealed);
      else this.#took(from, '', { sealed: true, problem: 'no-key' });
    }
  }

  #wait(from, sealed) {
    const entry = { from, sealed };
    entry.timer = setTimeout(() => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
      this.#open(from, sealed, false);
    }, WaitMilliseconds);
    this.#waiting.push(entry);
  }

  // Nothing of what was refused is kept.
  #took(from, text, { sealed, problem }) {
    const name = this.#nameOf(from);
    const shown = problem ? '' : cleanText(text);
    if (name === null || (!problem && shown === '')) return;
    this.#tell({ participant: from, name, text: shown, sealed, problem, isOwn: false });
  }

  #tell(entry) {
    this.dispatchEvent(new CustomEvent('entry', { detail: entry }));
  }
}

/** The latest messages of a call, over all its presences, and how many of them nobody has looked at. Fires `change`. */
export class ChatLog extends EventTarget {
  #entries = [];
  #unread = 0;
  #numbered = 0;
  #isWatched = false;

  /** Oldest first: what `Chat` tells, with a `number` that grows. */
  get entries() { return this.#entries; }
  get unread() { return this.#unread; }

  add(entry) {
    const last = this.#entries.at(-1);
    // Whoever sends rubbish must not push out what people wrote.
    if (entry.problem && last?.problem === entry.problem && last.participant === entry.participant) return;
    this.#entries = [...this.#entries.slice(1 - MaxEntries), { ...entry, number: ++this.#numbered }];
    if (!entry.isOwn && !entry.problem && !this.#isWatched) ++this.#unread;
    this.dispatchEvent(new Event('change'));
  }

  /** Whether the person has the messages in front of them. */
  watch(isWatched) {
    this.#isWatched = isWatched;
    if (!isWatched || this.#unread === 0) return;
    this.#unread = 0;
    this.dispatchEvent(new Event('change'));
  }
}
