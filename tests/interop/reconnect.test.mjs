// The way back to a place on the bridge, without a browser, a bridge or a clock.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reconnection } from '../../bridge/web/reconnect.js';
import { Backoff } from '../../bridge/web/signalling.js';

class FakeTimers {
  now = 0;
  #waiting = new Set();

  set = (task, milliseconds) => {
    const timer = { task, at: this.now + milliseconds };
    this.#waiting.add(timer);
    return timer;
  };
  clear = (timer) => this.#waiting.delete(timer);

  async pass(milliseconds) {
    const end = this.now + milliseconds;
    for (;;) {
      const next = [...this.#waiting].sort((a, b) => a.at - b.at).find(({ at }) => at <= end);
      if (!next) break;
      this.#waiting.delete(next);
      this.now = next.at;
      next.task();
      await settle();
    }
    this.now = end;
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

class FakeSignalling extends EventTarget {
  sent = [];
  isAbandoned = false;
  open = null;
  #opened = new Promise((resolve) => { this.open = resolve; });

  opened() { return this.#opened; }
  send(type, fields) { this.sent.push({ type, ...fields }); }
  abandon() { this.isAbandoned = true; }
  hear(message) { this.dispatchEvent(new CustomEvent('message', { detail: message })); }
  cut() { this.dispatchEvent(new Event('close')); }
}

function begin() {
  const timers = new FakeTimers();
  const sockets = [];
  const events = [];
  const open = () => {
    sockets.push(Object.assign(new FakeSignalling(), { at: timers.now }));
    return sockets.at(-1);
  };
  // Without the spread, so that times can be told.
  const backoff = () => Object.assign(new Backoff(4_000), { nextMilliseconds: steady(4_000) });
  const reconnection = new Reconnection({ url: 'ws://bridge/', participant: '5f0c', secret: 'hush' },
    { open, backoff, set: timers.set, clear: timers.clear });
  for (const type of ['resumed', 'back', 'failed']) {
    reconnection.addEventListener(type, ({ detail }) => events.push({ type, ...detail }));
  }
  reconnection.start();
  return { timers, sockets, events, reconnection };
}

function steady(most) {
  let attempts = 0;
  return () => Math.min(most, 500 * 2 ** attempts++);
}

test('the first socket asks for the place, and gives it when the bridge says so', async () => {
  const { sockets, events, reconnection } = begin();
  assert.equal(sockets.length, 1);
  sockets[0].open();
  await settle();
  assert.deepEqual(sockets[0].sent, [{ type: 'resume', participant: '5f0c', resume: 'hush' }]);
  assert.equal(reconnection.hasResumed, false);
  reconnection.mediaIsBack();
  assert.deepEqual(events, [], 'media alone is not enough');
  const resumed = { type: 'resumed', participants: [] };
  sockets[0].hear(resumed);
  assert.deepEqual(events, [{ type: 'resumed', signalling: sockets[0], message: resumed }]);
  assert.equal(reconnection.hasResumed, true);
  reconnection.mediaIsBack();
  assert.equal(events.at(-1).type, 'back');
  reconnection.close();
  assert.equal(sockets[0].isAbandoned, false, 'the socket is not its own any more');
});

test('attempts are made ever more rarely, each with a socket of its own, until the time is over', async () => {
  const { timers, sockets, events } = begin();
  for (let second = 0; second < 26; ++second) {
    sockets.at(-1).cut();
    await timers.pass(1_000);
  }
  const gaps = sockets.slice(1).map(({ at }, i) => at - sockets[i].at);
  assert.deepEqual(gaps.slice(0, 2), [500, 1_500]);
  assert.ok(gaps.every((gap) => gap <= 5_000) && gaps.at(-1) >= 4_000, `${gaps}`);
  assert.deepEqual(events.map(({ type }) => type), ['failed']);
  const { length } = sockets;
  await timers.pass(60_000);
  assert.equal(sockets.length, length, 'and none after it');
});

test('a socket that nothing comes from is given up', async () => {
  const { timers, sockets } = begin();
  await timers.pass(4_600);
  assert.equal(sockets.length, 2);
  assert.equal(sockets[0].isAbandoned, true);
  sockets[0].hear({ type: 'resumed' });
  sockets[0].cut();
  await timers.pass(1_000);
  assert.equal(sockets.length, 2, 'and what comes from it later means nothing');
});

test('a place that is gone ends it at once', async () => {
  const { timers, sockets, events } = begin();
  sockets[0].open();
  await settle();
  sockets[0].hear({ type: 'error', code: 'resume-failed', final: true });
  assert.deepEqual(events.map(({ type }) => type), ['failed']);
  await timers.pass(60_000);
  assert.equal(sockets.length, 1);
});

test('a network that is said to be back ends a pause, and nothing else', async () => {
  const { timers, sockets, reconnection } = begin();
  reconnection.hurry();
  assert.equal(sockets.length, 1, 'an attempt is under way');
  sockets[0].cut();
  await timers.pass(500);
  sockets[1].cut();
  await timers.pass(1_000);
  sockets[2].cut();
  reconnection.hurry();
  assert.equal(sockets.length, 4);
});

test('a place that was given back and lost again is asked for again', async () => {
  const { timers, sockets, events, reconnection } = begin();
  sockets[0].hear({ type: 'resumed' });
  await timers.pass(10_000);
  reconnection.retry();
  await timers.pass(1_000);
  assert.equal(sockets.length, 2);
  sockets[1].hear({ type: 'resumed' });
  assert.deepEqual(events.map(({ type }) => type), ['resumed', 'resumed']);
  await timers.pass(13_000);
  assert.equal(events.at(-1).type, 'failed', 'media did not come back');
});

test('what is closed tries no more', async () => {
  const { timers, sockets, events, reconnection } = begin();
  reconnection.close();
  assert.equal(sockets[0].isAbandoned, true);
  await timers.pass(60_000);
  assert.equal(sockets.length, 1);
  assert.deepEqual(events, []);
});
