// The link of the bottleneck, on a clock that the tests turn.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Link } from '../support/bottleneck/link.mjs';

const Packet = { length: 1000 - 28 };        // 8,000 bits with its headers

describe('a link', () => {
  test('without limits passes packets at once and in order', () => {
    const link = new Link();
    const packets = [1, 2, 3].map((name) => ({ ...Packet, name }));
    for (const packet of packets) link.offer(packet, 5);
    assert.deepEqual(link.due(5), packets);
    assert.equal(link.nextAt, Infinity);
  });

  test('passes its rate, and drops what its queue has no room for at the tail', () => {
    const link = new Link({ rate: 80_000, queue: 300 });       // a packet takes 100 ms
    const packets = [1, 2, 3, 4, 5].map((name) => ({ ...Packet, name }));
    for (const packet of packets) link.offer(packet, 0);
    assert.equal(link.counts.overflowed, 2);
    assert.deepEqual(link.due(99), []);
    assert.equal(link.nextAt, 100);
    assert.deepEqual(link.due(100), [packets[0]]);
    assert.deepEqual(link.due(1000), [packets[1], packets[2]]);
    assert.equal(link.counts.longestWait, 300);
  });

  test('lets nobody use what was not used before', () => {
    const link = new Link({ rate: 80_000 });
    link.offer(Packet, 0);
    link.offer(Packet, 1000);
    assert.equal(link.due(1099).length, 1);
    assert.equal(link.due(1100).length, 1);
  });

  test('takes a packet into its empty queue, however slow it is', () => {
    const link = new Link({ rate: 1000, queue: 200 });
    link.offer(Packet, 0);
    assert.equal(link.counts.overflowed, 0);
    assert.equal(link.nextAt, 8000);
  });

  test('delays, and keeps the order when the delay becomes shorter', () => {
    const link = new Link({ delay: 50 });
    link.offer({ ...Packet, name: 'first' }, 0);
    link.set({ delay: 10 }, 5);
    link.offer({ ...Packet, name: 'second' }, 5);
    assert.deepEqual(link.due(49), []);
    assert.deepEqual(link.due(50).map(({ name }) => name), ['first', 'second']);
  });

  test('passes what waits at the new rate when the rate changes', () => {
    const link = new Link({ rate: 8_000, queue: 10_000 });     // a second each
    for (let i = 0; i < 3; ++i) link.offer(Packet, 0);
    assert.equal(link.due(1000).length, 1);
    link.set({ rate: 80_000 }, 1000);
    assert.equal(link.due(1200).length, 2);
    link.set({ rate: null }, 2000);
    link.offer(Packet, 2000);
    assert.equal(link.due(2000).length, 1);
  });

  test('loses the same packets for the same seed, as many as it was told', () => {
    const lostBy = (seed) => {
      const link = new Link({ loss: 0.1 }, seed);
      const lost = [];
      for (let i = 0; i < 5000; ++i) {
        link.offer(Packet, i);
        if (link.due(i).length === 0) lost.push(i);
      }
      return lost;
    };
    assert.deepEqual(lostBy(7), lostBy(7));
    assert.notDeepEqual(lostBy(7), lostBy(8));
    assert.ok(Math.abs(lostBy(7).length - 500) < 75, `${lostBy(7).length} of 5000`);
  });

  test('that is cut loses what is offered and what was under way, and passes again later', () => {
    const link = new Link({ rate: 80_000, delay: 20 });
    for (let i = 0; i < 2; ++i) link.offer(Packet, 0);
    link.set({ cut: true }, 110);
    link.offer(Packet, 120);
    assert.deepEqual(link.due(1000), []);
    assert.equal(link.counts.cut, 3);
    link.set({ cut: false }, 1000);
    link.offer(Packet, 1000);
    assert.equal(link.due(1120).length, 1);
  });
});
