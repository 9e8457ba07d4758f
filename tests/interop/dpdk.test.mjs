// Real browsers in a conference through a bridge whose network is DPDK's: no socket of the kernel carries its media.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from './lib/browsers.mjs';
import { DpdkBridge, missingForDpdk } from './lib/dpdk_bridge.mjs';
import { untilFlowing } from './lib/flow_meter.mjs';
import { Participant } from './lib/participant.mjs';

const missing = missingForDpdk();

for (const port of ['net_af_packet0,iface=media', 'net_af_xdp0,iface=media']) {
  describe(`a conference of two Chromium by way of ${port}`, { skip: missing ?? false }, () => {
    let bridge;
    let browser;
    let people = [];

    before(async () => {
      bridge = await DpdkBridge.start(port, ['--direct', 'false']);
      browser = await launchChromium(bridge.chromium());
      people = ['Ada', 'Grace'].map((name) => new Participant(browser, bridge, { name, conference: 'poll' }));
    }, { timeout: 60_000 });

    after(async () => {
      await browser?.close();
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

    step('carries picture and sound in both directions', async () => {
      for (const person of people) await person.join();
      await untilFlowing(people, { frames: 45 });
      for (const person of people) assert.deepEqual(person.page.errors(), [], `errors in ${person.name}'s page`);
    });

    step('loses nothing between its queues', async () => {
      assert.ok(await bridge.count('viaduct_dpdk_port_frames_total') > 200);
      for (const name of ['tx_dropped', 'hand_over_full', 'split_frames', 'port_missed'])
        assert.equal(await bridge.count(`viaduct_dpdk_${name}_total`), 0, name);
    });

    step('goes on when somebody reloads', async () => {
      await people[1].reload();
      await untilFlowing(people);
    });

    step('ends with every packet buffer back in its pool', async () => {
      await browser.close();
      assert.equal(await bridge.stop(), 0);
      assert.match(bridge.log.join('\n'), /all packet buffers came back/);
    });
  });
}
