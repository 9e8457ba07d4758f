// How participants come to know each other's keys: in messages that the bridge relays and cannot read. Each join has an
// identity of its own (identity.js); everyone greets everyone with its public key, and what follows is sealed between
// two. Our key goes to everybody who has greeted, a step further for newcomers, and is replaced when somebody leaves.
// That the bridge has not put its own public keys in between shows the comparison string (comparison.js). The protocol
// and what it protects against: deploy/docs/end-to-end.md.
//
// What happens is done one after the other, each to its end. Nothing waits forever, whatever others send or withhold.

import { Comparison } from './comparison.js';
import { Identity, prefixOf } from './identity.js';
import { Outbox } from './outbox.js';
import { OwnKey } from './own_key.js';
import { Peer } from './peer.js';
import { KeyBytes, MaxNumber } from './sender_keys.js';
import { Sequence } from './sequence.js';
import { Record, parseEnvelope, parseKey, parseNumber, parseRecords, sameBytes } from './wire.js';
import { writeKey, writeNumber, writeRecord } from './wire.js';

const MaxPeers = 500;
const MaxChannels = 2048;                    // of one identity, which has to remember them all
const MaxUnhandledFromOne = 64;              // messages; who sends faster than they can be handled loses some
const MaxPrivateBytes = 32 * 1024;
const SendGapMilliseconds = 200;             // between two sendings: far from what the bridge takes for a flood
const GreetMilliseconds = 3_000;             // then to those who have not answered again, after 1, 2, 4, ... times that
const GreetingsUntilFailed = 4;

/**
 * Fires, with these details:
 *   send        {all: string} or {to: {id: string}}: one `relay` message
 *   own-key     {prefix, number, step, key}: what we seal with from now on
 *   peer-key    {participant, prefix, number, step, key}
 *   private     {from, data}: an object that only we could read
 *   comparison  {text, participants}, the ids it speaks for, ours too; null while there is none
 *   peer-state  {participant, state, reason}: 'waiting' (also for one who begins anew: forget their keys), 'agreed', or
 *               'failed' with 'no-answer' (may still come), 'prefix-taken', 'wrong-reveal' (somebody tampers)
 * Prefix and key are bytes that belong to the listener.
 */
export class KeyAgreement extends EventTarget {
  #self;
  #conference;
  #maxNumber;
  #maxChannels;
  #sequence;                                 // all that happens here happens in it
  #unhandled = new Map();                    // id -> messages that wait for their turn
  #peers = new Map();                        // id -> Peer
  #identity = null;
  #ownKey = null;
  #comparison = null;
  #outbox = new Outbox();
  #isResting = false;                        // something has been sent just now
  #haveMembersChanged = false;
  #cancelGreeting = null;

  /** Tests set `timers` and how many keys and channels there may be before a new identity. */
  constructor({ self, conference, timers, maxNumber = MaxNumber, maxChannels = MaxChannels }) {
    super();
    this.#self = self;
    this.#conference = conference;
    this.#maxNumber = maxNumber;
    this.#maxChannels = maxChannels;
    this.#sequence = new Sequence(() => this.#afterTask(), timers);
  }

  start() {
    return this.#sequence.run(() => this.#begin());
  }

  add(id) {
    return this.#sequence.run(() => {
      if (id === this.#self || this.#peers.has(id) || this.#peers.size >= MaxPeers) return;
      this.#peers.set(id, new Peer(id, this.#identity !== null));
      this.#setState(this.#peers.get(id), 'waiting');
      if (this.#identity) this.#greetLater();
    });
  }

  remove(id) {
    return this.#sequence.run(() => {
      const peer = this.#peers.get(id);
      if (!peer) return;
      this.#peers.delete(id);
      this.#shutOut(peer);
      this.#haveMembersChanged = true;
    });
  }

  handle(from, data) {
    const unhandled = this.#unhandled.get(from) ?? 0;
    if (unhandled >= MaxUnhandledFromOne) return Promise.resolve();
    this.#unhandled.set(from, unhandled + 1);
    return this.#sequence.run(() => this.#take(from, data)).finally(() => {
      const rest = this.#unhandled.get(from) - 1;
      if (rest > 0) this.#unhandled.set(from, rest);
      else this.#unhandled.delete(from);
    });
  }

  /**
   * Messages may have been lost in both directions. Everybody whom we know gets our key again, and our greeting, upon
   * which they do the same; rounds of the comparison begin again by themselves.
   */
  repeat() {
    return this.#sequence.run(() => {
      if (!this.#identity) return;
      for (const peer of this.#peers.values()) {
        if (peer.channel) this.#ownKey.want(peer.id, false);
      }
      this.#outbox.toAll({ hello: { key: this.#identity.publicKey } });
    });
  }

  /** False when there is no agreement with this participant (now); throws RangeError for more than 32 KiB of JSON. */
  async sendPrivate(id, object) {
    const body = new TextEncoder().encode(JSON.stringify(object));
    if (body.length > MaxPrivateBytes) throw new RangeError('a private message has at most 32 KiB');
    return (await this.#sequence.run(() => {
      if (this.#peers.get(id)?.state !== 'agreed') return false;
      this.#outbox.addRecord(id, writeRecord(Record.message, body));
      return true;
    })) ?? false;
  }

  close() {
    this.#sequence.close(() => {
      for (const id of this.#peers.keys()) this.#outbox.forget(id);
      this.#peers.clear();
      this.#ownKey?.close();
      this.#comparison?.close();
      this.#identity = null;
    });
  }

  async #afterTask() {
    if (!this.#identity) return;
    if (this.#haveMembersChanged) {
      this.#haveMembersChanged = false;
      const peers = [...this.#peers.values()];
      const agreed = peers.filter(({ state }) => state === 'agreed');
      const isSettled = !peers.some(({ state }) => state === 'waiting');
      await this.#comparison.setMembers(agreed.map(({ id, publicKey }) => ({ id, publicKey })), isSettled);
    }
    if (this.#isResting) return;
    await this.#ownKey.distribute();
    if (this.#outbox.isEmpty) return;
    const seal = (id, plaintext) => this.#peers.get(id).channel.seal(plaintext);
    for (const message of await this.#outbox.take(seal)) this.#emit('send', message);
    this.#isResting = true;
    this.#sequence.after(SendGapMilliseconds, () => {
      this.#isResting = false;
    });
  }

  #emit(type, detail) {
    if (!this.#sequence.isClosed) this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  // --- who we are ---

  // Also from anew, when keys or channels are used up: to the others as if we had left and come back.
  async #begin() {
    this.#ownKey?.close();
    this.#comparison?.close();
    for (const { id } of this.#peers.values()) {
      this.#outbox.forget(id);
      this.#peers.set(id, new Peer(id, false));
      if (this.#identity) this.#setState(this.#peers.get(id), 'waiting');
    }
    this.#outbox = new Outbox();
    this.#identity = await Identity.create(this.#self, this.#conference);
    this.#comparison = this.#newComparison();
    this.#ownKey = this.#newOwnKey();
    this.#outbox.toAll({ hello: { key: this.#identity.publicKey } });
    this.#greetLater();
    this.#haveMembersChanged = true;
  }

  #newComparison() {
    return new Comparison({
      conference: this.#conference,
      self: { id: this.#self, publicKey: this.#identity.publicKey },
      after: (milliseconds, task) => this.#sequence.after(milliseconds, task),
      on: {
        send: (part) => this.#outbox.toAll(part),
        result: (detail) => this.#emit('comparison', detail),
        cheated: (id) => this.#fail(this.#peers.get(id), 'wrong-reveal'),
      },
    });
  }

  #newOwnKey() {
    return new OwnKey({
      prefix: this.#identity.prefix,
      maxNumber: this.#maxNumber,
      after: (milliseconds, task) => this.#sequence.after(milliseconds, task),
      on: {
        use: (key) => this.#emit('own-key', copyOf(key)),
        tell: (id, key, mustConfirm) => this.#outbox.addRecord(id, writeRecord(Record.key, writeKey(key, mustConfirm))),
        exhausted: () => this.#begin(),
      },
    });
  }

  // --- who the others are ---

  async #take(from, data) {
    const envelope = this.#identity && this.#peers.has(from) ? parseEnvelope(data) : null;
    if (!envelope) return;
    const { hello, commit, reveal, sealed } = envelope;
    if (hello) await this.#takeHello(from, hello);
    if (sealed) await this.#takeSealed(this.#peers.get(from), sealed);
    if (commit) await this.#comparison.takeCommit(from, commit);
    if (reveal) await this.#comparison.takeReveal(from, reveal);
  }

  async #takeHello(id, { key, answer }) {
    if (sameBytes(key, this.#identity.publicKey)) return;          // our own, thrown back
    const { publicKey } = this.#peers.get(id);
    const isKnown = publicKey !== null && sameBytes(key, publicKey);
    if (isKnown && answer) return;
    if (!isKnown) await this.#meet(id, key);
    const peer = this.#peers.get(id);
    if (!peer.channel || !sameBytes(key, peer.publicKey)) return;
    // Somebody known who greets again lacks something of ours.
    this.#ownKey.want(id, peer.isNewcomer);
    peer.isNewcomer = false;
    if (!answer) this.#outbox.greet(id, { key: this.#identity.publicKey, answer: true });
  }

  async #meet(id, publicKey) {
    if (this.#identity.channelCount >= this.#maxChannels) {
      await this.#begin();                   // and they will answer our new greeting
      return;
    }
    const channel = await this.#identity.channelWith(id, publicKey);
    if (!channel) return;
    if (this.#peers.get(id).publicKey) this.#beginAnew(id);
    const peer = this.#peers.get(id);
    const prefix = await prefixOf(this.#conference, id, publicKey);
    peer.publicKey = publicKey;
    if (this.#isTaken(prefix)) this.#fail(peer, 'prefix-taken');
    else Object.assign(peer, { prefix, channel });
  }

  // Another key under the same id: they have begun anew, and whoever holds the old one is gone.
  #beginAnew(id) {
    this.#shutOut(this.#peers.get(id));
    this.#peers.set(id, new Peer(id, true));
    this.#setState(this.#peers.get(id), 'waiting');
    this.#greetLater();
  }

  #isTaken(prefix) {
    return [this.#identity, ...this.#peers.values()].some((one) => one.prefix && sameBytes(one.prefix, prefix));
  }

  async #takeSealed(peer, sealed) {
    const plaintext = await peer.channel?.open(sealed);
    if (!plaintext) return;
    if (peer.state !== 'agreed') this.#setState(peer, 'agreed');
    for (const { kind, body } of parseRecords(plaintext)) this.#takeRecord(peer, kind, body);
    plaintext.fill(0);
  }

  #takeRecord(peer, kind, body) {
    if (kind === Record.key) this.#takeKey(peer, parseKey(body, KeyBytes));
    else if (kind === Record.acknowledge) this.#ownKey.acknowledged(peer.id, parseNumber(body));
    else if (kind === Record.message) this.#takeMessage(peer, body);
  }

  #takeKey(peer, told) {
    if (!told) return;
    const { number, step, key, mustConfirm } = told;
    if (peer.isNewKey(told)) {
      this.#emit('peer-key', { participant: peer.id, prefix: peer.prefix.slice(), number, step, key });
    }
    if (mustConfirm) this.#outbox.addRecord(peer.id, writeRecord(Record.acknowledge, writeNumber(number)));
  }

  #takeMessage(peer, body) {
    let data;
    try {
      data = JSON.parse(new TextDecoder().decode(body));
    } catch {
      return;
    }
    this.#emit('private', { from: peer.id, data });
  }

  #fail(peer, reason) {
    this.#shutOut(peer);
    this.#setState(peer, 'failed', reason);
  }

  // Nothing goes to them or is taken from them any more, and they open nothing that we send from soon on.
  #shutOut(peer) {
    peer.channel = null;
    this.#outbox.forget(peer.id);
    this.#ownKey?.shutOut(peer.id);
    this.#comparison?.forget(peer.id);
  }

  #setState(peer, state, reason = null) {
    Object.assign(peer, { state, reason });
    this.#haveMembersChanged = true;
    this.#emit('peer-state', { participant: peer.id, state, reason });
  }

  #greetLater() {
    this.#cancelGreeting ??= this.#sequence.after(GreetMilliseconds, () => this.#greetAgain());
  }

  #greetAgain() {
    this.#cancelGreeting = null;
    const silent = [...this.#peers.values()].filter(({ isExpected }) => isExpected);
    for (const peer of silent) {
      const times = ++peer.timesUnanswered;
      if ((times & (times - 1)) === 0) this.#outbox.greet(peer.id, { key: this.#identity.publicKey });
      if (times === GreetingsUntilFailed) this.#setState(peer, 'failed', 'no-answer');
    }
    if (silent.length > 0) this.#greetLater();
  }
}

function copyOf({ prefix, number, step, key }) {
  return { prefix: prefix.slice(), number, step, key: key.slice() };
}
