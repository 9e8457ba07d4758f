// What the bridge is asked to send, from what is really on the screen (`receive` in deploy/docs/signalling.md). A
// picture nobody looks at is not asked for, and none larger than it is shown.

const DelayMilliseconds = 200;               // windows are dragged, tiles come and go in groups
const MaxNamed = 64;                         // pictures in one message
const NoLimit = -1;
const Heights = [90, 180, 360, 540, 720, 1080, 1440, 2160];
const Enlargement = 4 / 3;                   // by which a face may be drawn larger than it came

/**
 * `pictures`: [{name, height, isScreen, isOnStage, isPinned}] of the others, in real pixels; a height of 0 is out of
 * sight. `isHidden`: the page cannot be seen at all.
 */
export function wishesOf(pictures, { isHidden }) {
  if (isHidden) return { last_n: 0, on_stage: [], selected: [], max_height: 0, max_heights: {} };
  const seen = pictures.filter(({ height }) => height > 0).sort((a, b) => b.height - a.height).slice(0, MaxNamed);
  const unseen = pictures.filter(({ height }) => height === 0).slice(0, MaxNamed - seen.length);
  const isComplete = seen.length + unseen.length === pictures.length;
  const heights = [...seen, ...unseen].map((picture) => [picture.name, heightToAsk(picture)]);
  return {
    on_stage: seen.filter(({ isOnStage }) => isOnStage).map(({ name }) => name),
    selected: seen.filter(({ isPinned, isOnStage }) => isPinned && !isOnStage).map(({ name }) => name),
    // Of those who come before we have said how large they are shown; or of those that no message has room for.
    max_height: isComplete ? NoLimit : 0,
    max_heights: Object.fromEntries(heights.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Steps, so that no small change of a window changes what is asked for. Text must not be enlarged: it blurs. */
export function heightToAsk({ height, isScreen }) {
  if (height === 0) return 0;
  const needed = isScreen ? height : height / Enlargement;
  return Heights.find((step) => step >= needed) ?? NoLimit;
}

const RealTimers = {
  set: (task, milliseconds) => setTimeout(task, milliseconds),
  clear: (timer) => clearTimeout(timer),
};

/** Sends wishes a moment after they have changed, and only when they differ from what was sent last. */
export class WishSender {
  #send;
  #wishes = null;
  #sent = '';
  #timer = null;
  #isOpen = false;
  #timers;

  /** Tests set `timers`. */
  constructor(send, timers = RealTimers) {
    this.#send = send;
    this.#timers = timers;
  }

  set(wishes) {
    this.#wishes = wishes;
    if (this.#isOpen) this.#timer ??= this.#timers.set(() => this.#tell(), DelayMilliseconds);
  }

  /** From now on the bridge can be told. */
  open() {
    this.#isOpen = true;
    if (this.#wishes) this.set(this.#wishes);
  }

  /** The bridge did not hear it. */
  again() {
    this.#sent = '';
    if (this.#wishes) this.set(this.#wishes);
  }

  close() {
    this.#isOpen = false;
    this.#timers.clear(this.#timer);
  }

  #tell() {
    this.#timer = null;
    const text = JSON.stringify(this.#wishes);
    if (text === this.#sent) return;
    this.#sent = text;
    this.#send(this.#wishes);
  }
}
