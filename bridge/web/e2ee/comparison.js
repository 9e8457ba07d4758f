// The string that people read to each other to find out whether the bridge has put keys of its own between them. Twelve
// digits would be too few for a hash that somebody can search collisions of in peace; so everyone first commits to a
// random number together with their public key, and reveals the number only when the commitments of all members, as
// they see them, are in. Whoever stands in between has then fixed what they contribute to every string before they can
// compute any, and has one guess in 10^12 for each round. This must never reveal early, nor a number twice.

import { HashBytes, MaxRound, NonceBytes, fields, sameBytes, sha256 } from './wire.js';

const MembersLabel = 'Viaduct E2EE 1 members';
const CommitLabel = 'Viaduct E2EE 1 commit';
const StringLabel = 'Viaduct E2EE 1 string';
const Digits = 12;
const DigitsTogether = 4;
// Also bounds how often somebody in between may try: twice a second, so that 10^12 tries take 16,000 years.
const CommitDelayMilliseconds = 500;
const RetryMilliseconds = 10_000;            // a round that does not end is begun anew, ever more rarely
const MaxRetryMilliseconds = 80_000;

/**
 * Rounds for one participant. `self` is {id, publicKey}; `after(milliseconds, task)` runs a task later and returns
 * what cancels it. Calls come one at a time. `on.send` is given {commit} or {reveal} for everybody, `on.result` {text,
 * participants} or null when it changes, `on.cheated` the id of who revealed something else than they committed to.
 */
export class Comparison {
  #conference;
  #self;
  #after;
  #on;
  #members = [];                             // [{id, publicKey}], ourselves too, by id
  #digest = new Uint8Array(HashBytes);
  #isSettled = false;                        // nobody is missing of whom we still expect an answer
  #round = 0;                                // the last that we committed in
  #highest = 0;                              // the highest that anybody did
  #own = null;                               // {nonce, hasRevealed} while our commitment counts
  #text = null;
  #shown = null;
  #commits = new Map();                      // id -> {round, members, hash, nonce}: their latest, nonce once revealed
  #cancelCommit = null;
  #cancelRetry = null;
  #retryMilliseconds = RetryMilliseconds;

  constructor({ conference, self, after, on }) {
    this.#conference = conference;
    this.#self = self;
    this.#after = after;
    this.#on = on;
  }

  /** The others whose keys we know; `isSettled` false while more are expected, which puts off the next round. */
  async setMembers(others, isSettled) {
    const members = [...others, this.#self].sort((a, b) => (a.id < b.id ? -1 : 1));
    const digest = await sha256(fields(MembersLabel, ...identities(members)));
    this.#isSettled = isSettled;
    if (!sameBytes(digest, this.#digest)) {
      this.#members = members;
      this.#digest = digest;
      this.#retryMilliseconds = RetryMilliseconds;
      this.#void();
    }
    if (!this.#own) this.#commitSoon();
    this.#show();
  }

  async takeCommit(id, commit) {
    // The first one of a round counts: a later one could have been made in knowledge of our number.
    if (commit.round <= (this.#commits.get(id)?.round ?? 0)) return;
    this.#commits.set(id, { ...commit, nonce: null });
    this.#highest = Math.max(this.#highest, commit.round);
    if (this.#own && commit.round > this.#round) {
      this.#void();
      this.#show();
      this.#commitSoon();
    }
    await this.#revealWhenAllCommitted();
  }

  async takeReveal(id, { round, nonce }) {
    const commit = this.#commits.get(id);
    const member = this.#members.find((one) => one.id === id);
    if (!member || !commit || commit.nonce || round !== commit.round || !this.#isOfThisRound(commit)) return;
    if (!sameBytes(commit.hash, await commitment(round, this.#digest, member, nonce))) {
      this.#on.cheated(id);
      return;
    }
    commit.nonce = nonce;
    await this.#finishWhenAllRevealed();
  }

  forget(id) {
    this.#commits.delete(id);
  }

  close() {
    this.#void();
    this.#show();
    this.#cancelCommit?.();
    this.#cancelCommit = null;
  }

  // What we committed to counts no longer; a number once drawn is never used again.
  #void() {
    this.#own = this.#text = null;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
  }

  #commitSoon() {
    if (!this.#isSettled || this.#members.length < 2) return;
    this.#cancelCommit ??= this.#after(CommitDelayMilliseconds, () => this.#commit());
  }

  async #commit() {
    this.#cancelCommit = null;
    if (this.#own || !this.#isSettled || this.#members.length < 2) return;
    this.#round = this.#highest > this.#round ? this.#highest : this.#round + 1;
    if (this.#round >= MaxRound) return;     // somebody drove it there: no string is better than a wrong one
    this.#highest = this.#round;
    this.#own = { nonce: crypto.getRandomValues(new Uint8Array(NonceBytes)), hasRevealed: false };
    const hash = await commitment(this.#round, this.#digest, this.#self, this.#own.nonce);
    this.#on.send({ commit: { round: this.#round, members: this.#digest, hash } });
    this.#cancelRetry = this.#after(this.#retryMilliseconds, () => this.#retry());
    this.#retryMilliseconds = Math.min(2 * this.#retryMilliseconds, MaxRetryMilliseconds);
    await this.#revealWhenAllCommitted();
  }

  #retry() {
    this.#cancelRetry = null;
    if (this.#text) return;
    this.#void();
    this.#commitSoon();
  }

  async #revealWhenAllCommitted() {
    if (!this.#own || this.#own.hasRevealed) return;
    const hasCommitted = ({ id }) => this.#commits.has(id) && this.#isOfThisRound(this.#commits.get(id));
    if (!this.#others().every(hasCommitted)) return;
    this.#own.hasRevealed = true;
    this.#on.send({ reveal: { round: this.#round, nonce: this.#own.nonce } });
    await this.#finishWhenAllRevealed();
  }

  async #finishWhenAllRevealed() {
    if (!this.#own?.hasRevealed) return;
    const nonceOf = ({ id }) => (id === this.#self.id ? this.#own.nonce : this.#commits.get(id).nonce);
    if (!this.#members.every(nonceOf)) return;
    const nonces = this.#members.map(nonceOf);
    const contributions = this.#members.flatMap(({ id, publicKey }, i) => [id, publicKey, nonces[i]]);
    this.#text = digits(await sha256(fields(StringLabel, this.#conference, ...contributions)));
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#show();
  }

  #show() {
    const text = this.#isSettled ? this.#text : null;
    if (text === this.#shown) return;
    this.#shown = text;
    this.#on.result(text && { text, participants: this.#members.map(({ id }) => id) });
  }

  #others() {
    return this.#members.filter(({ id }) => id !== this.#self.id);
  }

  #isOfThisRound(commit) {
    return this.#own !== null && commit.round === this.#round && sameBytes(commit.members, this.#digest);
  }
}

function identities(members) {
  return members.flatMap(({ id, publicKey }) => [id, publicKey]);
}

function commitment(round, members, { id, publicKey }, nonce) {
  return sha256(fields(CommitLabel, String(round), members, id, publicKey, nonce));
}

// "0123 4567 8901": digits can be read aloud in every language.
function digits(hash) {
  const number = new DataView(hash.buffer).getBigUint64(0) % 10n ** BigInt(Digits);
  const text = String(number).padStart(Digits, '0');
  return text.match(new RegExp(`.{${DigitsTogether}}`, 'g')).join(' ');
}
