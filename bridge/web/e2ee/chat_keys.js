// Chat messages sealed like frames: SFrames under the sender keys' KIDs, with keys of their own that come of the same
// base keys, so that a counter of a message and one of a frame never meet under one key. Who wrote a message is whose
// key opens it; the conference and the writer are authenticated with it. The protocol: deploy/docs/end-to-end.md.

import { deriveFrameKey, importBaseKey, SFrameError, Suites } from './sframe.js';
import { ReceivingKeys, SendingKey } from './sender_keys.js';
import { concatenate, fields } from './wire.js';

const ChatLabel = 'Viaduct E2EE 1 chat';

export class ChatKeys {
  #conference;
  #self;
  #sending = new SendingKey(deriveChatKey);
  #receiving;
  #work = Promise.resolve();                 // keys are taken in the order in which they came

  constructor({ conference, self, now }) {
    this.#conference = conference;
    this.#self = self;
    this.#receiving = new ReceivingKeys(now, deriveChatKey);
  }

  get canSeal() { return this.#sending.isSet; }

  /** {prefix, number, step, key} as the key agreement gives it; resolves once it is used. */
  setOwn(name) {
    return this.#enqueue(async () => {
      await this.#sending.set(name, await importBaseKey(name.key));
      this.#receiving.reserve(name.prefix);
    });
  }

  setPeer(participant, name) {
    return this.#enqueue(async () => this.#receiving.add(participant, name, await importBaseKey(name.key)));
  }

  forget(participant) {
    return this.#enqueue(() => this.#receiving.forget(participant));
  }

  /** The bytes of a sealed text. */
  async seal(text) {
    await this.#work;
    const { header, ciphertext } =
      await this.#sending.seal(this.#metadata(this.#self), new TextEncoder().encode(text));
    return concatenate([header, ciphertext]);
  }

  /**
   * The text of what `from` is said to have written; throws SFrameError with a reason: "not-sframe", "unknown-key",
   * "not-authentic" (also what somebody else wrote, or elsewhere), "replayed".
   */
  async open(from, bytes) {
    await this.#work;
    const { participant, plaintext } = await this.#receiving.open(this.#metadata(from), bytes);
    if (participant !== from) throw new SFrameError('not-authentic');
    return new TextDecoder().decode(plaintext);
  }

  #metadata(writer) {
    return fields(ChatLabel, this.#conference, writer);
  }

  #enqueue(step) {
    const done = this.#work.then(step);
    this.#work = done.catch(() => {});
    return done;
  }
}

// A base key of the chat's own from the sender's, then as for a frame.
async function deriveChatKey(baseKey, kid, suite, usage) {
  const { hash, hashBytes } = Suites[suite];
  const hkdf = { name: 'HKDF', hash, salt: new Uint8Array(0), info: fields(ChatLabel) };
  const bytes = new Uint8Array(await crypto.subtle.deriveBits(hkdf, baseKey, hashBytes * 8));
  const chatBase = await importBaseKey(bytes);
  bytes.fill(0);
  return deriveFrameKey(chatBase, kid, suite, usage);
}
