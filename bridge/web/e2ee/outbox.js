// What waits to be sent. Everything for everybody goes into one relay message and everything for single participants
// into another, so that many people who come or leave at once cost few messages. Sealing happens last: what is
// forgotten before it leaves uses up no counter.

import { concatenate, writeEnvelope } from './wire.js';

const MaxAddressedCharacters = 48 * 1024;    // of the 64 KiB that one relay message may hold
const MaxAddressed = 500;
const MaxPlaintextBytes = 33 * 1024;         // sealed and in base64 still one string of an addressed message

export class Outbox {
  #all = {};                                 // parts of an envelope
  #to = new Map();                           // id -> {hello, records}

  get isEmpty() { return Object.keys(this.#all).length === 0 && this.#to.size === 0; }

  toAll(part) {
    // A new round has begun: what would end the old one must not go out any more.
    if (part.commit) delete this.#all.reveal;
    Object.assign(this.#all, part);
  }

  greet(id, hello) {
    this.#entry(id).hello = hello;
  }

  /** `record` as wire.js writes it; wiped once it is sealed. */
  addRecord(id, record) {
    this.#entry(id).records.push(record);
  }

  forget(id) {
    for (const record of this.#to.get(id)?.records ?? []) record.fill(0);
    this.#to.delete(id);
  }

  /** [{all: string} or {to: {id: string}}] to send now. `seal(id, plaintext)` gives {n, data}. */
  async take(seal) {
    const messages = [];
    if (Object.keys(this.#all).length > 0) messages.push({ all: writeEnvelope(this.#all) });
    this.#all = {};
    let message = { to: {} };
    let characters = 0;
    for (const [id, entry] of [...this.#to]) {
      const text = await this.#write(id, entry, seal);
      const isFull = characters + text.length > MaxAddressedCharacters;
      if (characters > 0 && (isFull || Object.keys(message.to).length >= MaxAddressed)) {
        messages.push(message);
        message = { to: {} };
        characters = 0;
      }
      message.to[id] = text;
      characters += id.length + text.length;
    }
    if (characters > 0) messages.push(message);
    return messages;
  }

  #entry(id) {
    if (!this.#to.has(id)) this.#to.set(id, { hello: undefined, records: [] });
    return this.#to.get(id);
  }

  // One string with as many records as it holds; the rest stays for the next one.
  async #write(id, { hello, records }, seal) {
    let bytes = 0;
    let count = 0;
    while (count < records.length && (count === 0 || bytes + records[count].length <= MaxPlaintextBytes)) {
      bytes += records[count++].length;
    }
    const now = records.splice(0, count);
    const sealed = count > 0 ? await seal(id, concatenate(now)) : undefined;
    for (const record of now) record.fill(0);
    if (records.length === 0) this.#to.delete(id);
    else this.#to.set(id, { hello: undefined, records });
    return writeEnvelope({ hello, sealed });
  }
}
