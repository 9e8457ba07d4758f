// A conference that is spread over two workers: browsers of both see and hear each other.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Bridge } from './lib/bridge.mjs';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { untilFlowing } from './lib/flow_meter.mjs';
import { Participant } from './lib/participant.mjs';
import { until } from './lib/until.mjs';

describe('a conference of three on two workers', () => {
  let bridge;
  let browsers = [];
  let people = [];

  before(async () => {
    bridge = await Bridge.start(['--participants-per-worker', '2']);
    browsers = await Promise.all([launchChromium(), launchFirefox()]);
    const [chromium, firefox] = browsers;
    people = [[chromium, 'Ada'], [firefox, 'Alan'], [chromium, 'Grace']].map(
      ([browser, name]) => new Participant(browser, bridge, { name, conference: 'spread' }));
  }, { timeout: 60_000 });

  after(async () => {
    await Promise.allSettled(browsers.map((browser) => browser.close()));
    await bridge?.stop();
  }, { timeout: 30_000 });

  const step = (name, body) => test(name, { timeout: 60_000 }, async () => {
    try {
      await body();
    } catch (error) {
      for (const person of people) console.error(await person.report());
      console.error(`--- the bridge's log\n${bridge.log.slice(-200).join('\n')}`);
      throw error;
    }
  });
  const relayedPackets = async () =>
    [...(await bridge.metrics())
      .matchAll(/^viaduct_packets_total\{.*kind="relayed".*\} (\d+)/gm)].map(([, n]) => Number(n));

  step('carries picture and sound in every direction', async () => {
    for (const person of people) await person.join();
    await untilFlowing(people);
    assert.ok((await relayedPackets()).every((packets) => packets > 0), 'both workers hand over and take');
  });

  step('shows each participant once, on their worker, and the conference once', async () => {
    const { workers, endpoints } = await bridge.conference('spread');
    assert.deepEqual(workers, [0, 1]);
    assert.deepEqual(endpoints.map(({ name, worker }) => [name, worker]), [['Ada', 0], ['Alan', 0], ['Grace', 1]]);
    for (const { state, slots } of endpoints) {
      assert.equal(state, 'connected');
      assert.equal(slots.filter(({ kind, participant }) => kind === 'video' && participant).length, 2);
    }
    assert.equal((await bridge.conferences()).length, 1);
  });

  step('goes on when the one on the second worker leaves, and is complete again when they are back', async () => {
    const [ada, alan, grace] = people;
    await grace.leave();
    for (const viewer of [ada, alan])
      await until(`Grace's tile is gone at ${viewer.name}'s`, async () => !(await viewer.tileOf('Grace')));
    await untilFlowing([ada, alan]);
    await grace.rejoin();
    await untilFlowing(people);
    for (const person of people) assert.deepEqual(person.page.errors(), [], `errors in ${person.name}'s page`);
  });
});
