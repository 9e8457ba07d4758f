// End-to-end encryption of one presence in a call: has keys agreed on with everyone, seals what we send once the
// conference wants it and says so only then, and knows what of each participant really opens here. The keys are agreed
// on in every call, because they also protect what two participants say to each other about a direct connection.

import { ChatKeys } from './e2ee/chat_keys.js';
import { FrameEncryption } from './e2ee/encryption.js';
import { KeyAgreement } from './e2ee/key_agreement.js';

const SettleMilliseconds = 1_000;            // a bad state shorter than this is somebody changing keys or slots
const Troubles = ['wrong-key', 'refused', 'waiting', 'plain'];

/** Whether this browser can encrypt frames at all. */
export function canSeal() {
  return FrameEncryption.supported() && canAgree();
}

function canAgree() {
  return Boolean(globalThis.crypto?.subtle);  // only on https and localhost
}

/**
 * Fires `change` (anything that its getters tell), `relay` (detail: {all} or {to}), `declare` (detail: boolean),
 * `private` (detail: {from, data}), `reachable` (detail: id) when somebody can be written to privately, and `chat-key`
 * (detail: id) when what they write can be opened.
 */
export class Sealing extends EventTarget {
  #agreement = null;
  #encryption = null;
  #chatKeys = null;
  #wanted = false;
  #declared = false;
  #failed = false;
  #hasKey = false;
  #work = Promise.resolve();
  #comparison = null;                        // {text, participants}
  #declaredBy = new Map();                   // participant -> whether they say that they encrypt
  #agreed = new Map();                       // participant -> state of the agreement with them
  #slots = new Map();                        // slot -> participant
  #status = new Map();                       // slot -> {state, owner, since}
  #timer = null;
  #over = false;

  constructor({ self, conference, wanted }) {
    super();
    if (FrameEncryption.supported()) this.#encryption = this.#listen(new FrameEncryption());
    if (canAgree()) {
      this.#chatKeys = new ChatKeys({ self, conference });
      this.#agreement = this.#follow(new KeyAgreement({ self, conference }));
    }
    // Before any connection is there: nothing may leave in clear first.
    if (wanted) this.setWanted(true);
  }

  start() {
    this.#agreement?.start();
  }

  get encryption() { return this.#encryption; }
  get options() { return this.#encryption ? FrameEncryption.connectionOptions() : {}; }
  /** What seals and opens what people write; null where keys cannot be agreed on. */
  get chatKeys() { return this.#chatKeys; }
  get wanted() { return this.#wanted; }
  /** What we send is encrypted, and we have said so. */
  get declared() { return this.#declared; }
  /** Frames cannot be handled at all: nothing flows. */
  get failed() { return this.#failed; }
  get comparison() { return this.#comparison; }

  add(id) {
    this.#agreement?.add(id);
  }

  remove(id) {
    this.#agreement?.remove(id);
    this.#encryption?.forgetPeer(id);
    this.#chatKeys?.forget(id);
    this.#agreed.delete(id);
    this.#declaredBy.delete(id);
  }

  handle(from, data) {
    this.#agreement?.handle(from, data);
  }

  sendPrivate(id, object) {
    // What cannot be sent is missed by nobody for long: a direct connection that does not come about is given up.
    this.#agreement?.sendPrivate(id, object).catch((error) => console.error(error));
  }

  setDeclared(id, declared) {
    this.#declaredBy.set(id, declared);
    this.#encryption?.setDeclared(id, declared);
  }

  /** Seals or unseals what we send; the others hear of it in the order that keeps the statement true. */
  setWanted(wanted) {
    if (this.#wanted === wanted) return;
    this.#wanted = wanted;
    if (this.#encryption) this.#apply();
  }

  /** Says again what we declare, when the bridge did not hear it. */
  declareAgain() {
    this.#fire('declare', this.#declared);
  }

  /** Messages to others and from them were lost for a while: says and asks again. */
  agreeAgain() {
    this.#agreement?.repeat();
  }

  /** `slots`: [{slot, participant}], all of them; participant is null where nobody is expected. */
  setSlots(slots) {
    const now = performance.now();
    const before = this.#slots;
    this.#slots = new Map(slots.map(({ slot, participant }) => [slot, participant]));
    for (const [slot, participant] of this.#slots) {
      const status = this.#status.get(slot);
      if (status && before.get(slot) !== participant) status.since = now;
    }
    this.#encryption?.setSlots(slots);
    this.#lookAgain();
  }

  /**
   * What arrives here of somebody: {state, owner}. 'foreign': a key of `owner` opens it; 'wrong-key', 'waiting' (no
   * key), 'refused' (plain, though declared), 'plain', 'open', 'idle'; 'settling' when one of the bad ones has only
   * just begun.
   */
  mediaOf(id) {
    const found = [...this.#slots].filter(([, participant]) => participant === id)
      .map(([slot]) => this.#status.get(slot)).filter(Boolean);
    const settled = (status) => performance.now() - status.since >= SettleMilliseconds;
    const foreign = found.find((status) => status.state === 'open' && status.owner && status.owner !== id);
    if (foreign) return settled(foreign) ? { state: 'foreign', owner: foreign.owner } : { state: 'settling' };
    for (const state of Troubles) {
      const trouble = found.find((status) => status.state === state);
      if (trouble) return settled(trouble) ? { state } : { state: 'settling' };
    }
    return { state: found.some(({ state }) => state === 'open') ? 'open' : 'idle' };
  }

  /** [{slot, participant, state, owner}], for tests and the curious. */
  statuses() {
    return [...this.#slots].map(([slot, participant]) => {
      const { state = 'idle', owner = null } = this.#status.get(slot) ?? {};
      return { slot, participant, state, owner };
    });
  }

  agreementWith(id) {
    return this.#agreed.get(id) ?? null;
  }

  close() {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#agreement?.close();
    this.#encryption?.close();
  }

  #apply() {
    this.#work = this.#work.then(async () => {
      const wanted = this.#wanted;
      if (this.#over || wanted === this.#declared) return;
      if (!wanted) this.#declare(false);
      await this.#encryption.setEncrypting(wanted);
      // Without a key nothing leaves at all; what is not there need not be declared.
      if (wanted && this.#hasKey && this.#wanted && !this.#over) this.#declare(true);
    }).catch((error) => console.error(error));
  }

  #declare(declared) {
    this.#declared = declared;
    this.#fire('declare', declared);
    this.#fire('change');
  }

  #follow(agreement) {
    agreement.addEventListener('send', ({ detail }) => this.#fire('relay', detail));
    agreement.addEventListener('private', ({ detail }) => this.#fire('private', detail));
    agreement.addEventListener('own-key', ({ detail }) => {
      this.#encryption?.setOwnKey(detail);
      this.#chatKeys.setOwn(detail);
      this.#hasKey = true;
      if (this.#wanted && this.#encryption) this.#apply();
    });
    agreement.addEventListener('peer-key', async ({ detail }) => {
      const { participant } = detail;
      this.#encryption?.setPeerKey(participant, detail);
      if (await this.#chatKeys.setPeer(participant, detail)) this.#fire('chat-key', participant);
    });
    agreement.addEventListener('comparison', ({ detail }) => {
      this.#comparison = detail;
      this.#fire('change');
    });
    agreement.addEventListener('peer-state', ({ detail }) => {
      const { participant, state } = detail;
      if (state === 'waiting') this.#forgetKeys(participant);
      this.#agreed.set(participant, state);
      if (state === 'agreed') this.#fire('reachable', participant);
      this.#fire('change');
    });
    return agreement;
  }

  // They begin anew, under the same name: what they say of themselves stays.
  #forgetKeys(id) {
    this.#encryption?.forgetPeer(id);
    this.#chatKeys?.forget(id);
    this.#encryption?.setDeclared(id, this.#declaredBy.get(id) ?? false);
  }

  #listen(encryption) {
    encryption.addEventListener('status', ({ detail: { slot, owner = null, state } }) => {
      const before = this.#status.get(slot);
      if (before?.state === state && before.owner === owner) return;
      this.#status.set(slot, { state, owner, since: performance.now() });
      this.#lookAgain();
    });
    encryption.addEventListener('failed', () => {
      this.#failed = true;
      this.#fire('change');
    });
    return encryption;
  }

  // Now, and when what is bad now has stayed so.
  #lookAgain() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fire('change'), SettleMilliseconds + 50);
    this.#fire('change');
  }

  #fire(type, detail) {
    if (!this.#over) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
