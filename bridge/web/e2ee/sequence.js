// Tasks one after the other, each to its end, also when it has to wait for the browser's cryptography; and tasks later,
// in the same order. Whoever works in a sequence needs no thought for what happens during an `await`.

const RealTimers = {
  set: (task, milliseconds) => setTimeout(task, milliseconds),
  clear: (timer) => clearTimeout(timer),
};

export class Sequence {
  #afterEach;
  #timers;
  #running = new Set();                      // timers
  #last = Promise.resolve();
  #isClosed = false;

  /** `afterEach` is run as part of every task. */
  constructor(afterEach, timers = RealTimers) {
    this.#afterEach = afterEach;
    this.#timers = timers;
  }

  get isClosed() { return this.#isClosed; }

  /** What the task returns, once its turn has come; undefined after `close`. */
  run(task) {
    const done = this.#last.then(async () => {
      if (this.#isClosed) return undefined;
      const result = await task();
      await this.#afterEach();
      return result;
    });
    this.#last = done.catch(() => {});       // the caller hears of it; those who come after work on
    return done;
  }

  /** Runs the task in its turn, so much later at the earliest. Returns what cancels it. */
  after(milliseconds, task) {
    let isCancelled = false;
    const timer = this.#timers.set(() => {
      this.#running.delete(timer);
      this.run(() => (isCancelled ? undefined : task()));
    }, milliseconds);
    this.#running.add(timer);
    return () => {
      isCancelled = true;
      this.#running.delete(timer);
      this.#timers.clear(timer);
    };
  }

  /** Nothing begins from now on. `finish` runs once what has begun is done. */
  close(finish) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#running) this.#timers.clear(timer);
    this.#running.clear();
    this.#last.then(finish);
  }
}
