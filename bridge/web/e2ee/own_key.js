// The key that we seal our frames with over the time of a join, and who is told it when: a step further for those who
// come, so that they cannot open what was before; a fresh random one when somebody leaves, used once the others have
// it. Holds the key bytes and wipes them. Calls come one at a time.

import { MaxNumber, newSenderKey, nextSenderKey, ratchet } from './sender_keys.js';

// Receivers who hear nothing of us meanwhile follow so many steps at once and no more (sender_keys.js follows 32).
const MaxStepsOfKey = 24;
const GatherLeavesMilliseconds = 200;        // several who leave at once cost one fresh key
const AdoptMilliseconds = 1_000;             // then it is used even if not everybody has said that they have it

export class OwnKey {
  #maxNumber;
  #after;
  #on;
  #current;                                  // {prefix, number, step, key}
  #next = null;                              // what will be used soon
  #holders = new Set();                      // ids of those who have been told
  #takers = new Map();                       // id -> whether they are newcomers, of those who shall be
  #awaited = new Set();                      // ids of those who have not confirmed the next key
  #cancelRotation = null;                    // set while one is due
  #cancelAdoption = null;                    // set while the next key waits to be used
  #mustRotateAgain = false;

  /**
   * `after(milliseconds, task)` runs a task later and returns what cancels it. `on.use` is given the key to seal with
   * from now on, `on.tell` an id, a key, and whether they shall confirm it. `on.exhausted` is called when all keys of
   * this prefix, up to `maxNumber`, have been used. Keys that are handed out stay ours.
   */
  constructor({ prefix, maxNumber = MaxNumber, after, on }) {
    this.#current = { ...newSenderKey(), prefix };
    this.#maxNumber = maxNumber;
    this.#after = after;
    this.#on = on;
    on.use(this.#current);
  }

  /** They will be told with the next `distribute`. */
  want(id, isNewcomer) {
    this.#takers.set(id, isNewcomer || this.#takers.get(id) === true);
  }

  async distribute() {
    // A rotation that is due brings it to everyone; a fresh key that nobody uses yet needs no step.
    if (this.#takers.size === 0 || this.#cancelRotation) return;
    if (!this.#next && [...this.#takers.values()].includes(true)) {
      if (this.#current.step >= MaxStepsOfKey) {
        await this.#rotate();
        return;
      }
      const old = this.#current;
      this.#current = await ratchet(old);
      old.key.fill(0);
      this.#on.use(this.#current);
    }
    for (const id of this.#takers.keys()) this.#tell(id);
    this.#takers.clear();
  }

  /** They have gone, or are not who they were: they must not open what we send from now on. */
  shutOut(id) {
    this.#takers.delete(id);
    if (this.#holders.delete(id)) this.#rotateSoon();
    if (this.#awaited.delete(id)) this.#adoptWhenKnown();
  }

  acknowledged(id, number) {
    if (number !== this.#next?.number) return;
    this.#awaited.delete(id);
    this.#adoptWhenKnown();
  }

  close() {
    this.#cancelRotation?.();
    this.#cancelAdoption?.();
    this.#current.key.fill(0);
    this.#next?.key.fill(0);
  }

  #tell(id) {
    this.#holders.add(id);
    if (this.#next) this.#awaited.add(id);
    this.#on.tell(id, this.#next ?? this.#current, this.#next !== null);
  }

  #rotateSoon() {
    // Whoever left may have been told the next key, too. It comes into use first, or a crowd that leaves one by one
    // would put the first change off for as long as it likes.
    if (this.#next) this.#mustRotateAgain = true;
    else this.#cancelRotation ??= this.#after(GatherLeavesMilliseconds, () => this.#rotate());
  }

  async #rotate() {
    this.#cancelRotation = null;
    if (this.#current.number >= this.#maxNumber) {
      await this.#on.exhausted();
      return;
    }
    this.#next = nextSenderKey(this.#current);
    for (const id of new Set([...this.#holders, ...this.#takers.keys()])) this.#tell(id);
    this.#takers.clear();
    this.#cancelAdoption = this.#after(AdoptMilliseconds, () => this.#adopt());
    this.#adoptWhenKnown();
  }

  #adoptWhenKnown() {
    if (this.#next && this.#awaited.size === 0) this.#adopt();
  }

  #adopt() {
    this.#cancelAdoption?.();
    this.#cancelAdoption = null;
    this.#current.key.fill(0);
    this.#current = this.#next;
    this.#next = null;
    this.#awaited.clear();
    this.#on.use(this.#current);
    if (!this.#mustRotateAgain) return;
    this.#mustRotateAgain = false;
    this.#rotateSoon();
  }
}
