// A participant whose network is gone for a while comes back in the same place: real Chromium, the real bridge, and a
// cable between them that can be cut.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FarBridge, missingForFarBridge } from './lib/far_bridge.mjs';
import { launchChromium } from './lib/browsers.mjs';
import { untilFlowing } from './lib/flow_meter.mjs';
import { Participant } from './lib/participant.mjs';
import { sleep, until } from './lib/until.mjs';

const OutageMilliseconds = 10_000;

// Runs before the page's own scripts: keeps what comes on its sockets.
const Listening = `
  window.heard = [];
  window.WebSocket = class extends WebSocket {
    constructor(...parameters) {
      super(...parameters);
      this.addEventListener('message', ({ data }) => window.heard.push(JSON.parse(data)));
    }
  };`;

const missing = missingForFarBridge();

describe('a participant who loses the network', { skip: missing ?? false }, () => {
  let bridge;
  let browsers = [];
  let ada;                                   // loses hers
  let grace;

  before(async () => {
    bridge = await FarBridge.start();
    browsers = await Promise.all([launchChromium(bridge.chromium('far')), launchChromium(bridge.chromium('near'))]);
    // Directly the two would have a path that does not come back through the bridge.
    const person = (browser, name) =>
      new Participant(browser, bridge, { name, conference: 'standup', script: Listening, query: { direct: '0' } });
    [ada, grace] = [person(browsers[0], 'Ada'), person(browsers[1], 'Grace')];
    await Promise.all([ada.join(60), grace.join(60)]);
    await untilFlowing([ada, grace]);
  }, { timeout: 180_000 });

  after(async () => {
    await Promise.allSettled(browsers.map((browser) => browser.close()));
    await bridge?.stop();
  }, { timeout: 60_000 });

  const step = (name, body) => test(name, { timeout: 120_000 }, async () => {
    try {
      await body();
    } catch (error) {
      for (const person of [ada, grace]) console.error(await person.report());
      console.error(`--- the bridge's log\n${bridge.log.slice(-100).join('\n')}`);
      throw error;
    }
  });

  const heard = (person, type) =>
    person.page.evaluate((wanted) => window.heard.filter((message) => message.type === wanted), type);
  const place = async () => {
    const busy = (await heard(ada, 'slots')).at(-1).slots.filter(({ participant }) => participant !== null);
    const tags = await ada.page.evaluate(() => {
      const elements = [...document.querySelectorAll('#call video')];
      elements.forEach((element) => { element.marked ??= Math.random(); });
      return elements.map(({ marked }) => marked);
    });
    return {
      self: (await ada.view()).self.id,
      slots: busy.filter(({ kind }) => kind === 'video').map(({ mid, participant }) => ({ mid, participant })),
      elements: tags,
    };
  };
  const comesBack = async (resumes, flow = {}) => {
    await until('Ada has her place again', async () => (await heard(ada, 'resumed')).length === resumes, 40);
    await ada.inCall(20);
    await untilFlowing([ada, grace], flow);
    assert.equal((await heard(ada, 'joined')).length, 1, 'she has not joined anew');
    assert.deepEqual(await heard(grace, 'participant-left'), [], 'nobody saw her go');
    const [{ participants }] = await heard(grace, 'joined');
    const others = [...participants, ...(await heard(grace, 'participant-joined'))];
    assert.equal(others.length, 1, 'nobody saw her come');
    assert.equal(await bridge.count('viaduct_resumes_total', 'outcome="resumed"'), resumes);
    assert.equal(await bridge.count('viaduct_participants'), 2);
  };

  step('for ten seconds is in the same place afterwards, and nobody saw them go', async () => {
    const before = await place();
    assert.equal(before.slots.length, 1);
    bridge.cutNetwork();
    const restored = sleep(OutageMilliseconds).then(() => bridge.restoreNetwork());
    try {
      await until('Ada is told calmly', () => ada.page.evaluate(() => {
        const banner = document.querySelector('#call .banner');
        return !banner.hidden && banner.textContent === 'Reconnecting…' && banner.classList.contains('calm');
      }), 10);
    } finally {
      await restored;
    }
    await comesBack(1);
    assert.deepEqual(await place(), before);
    assert.equal(await bridge.count('viaduct_ice_events_total', 'outcome="restarted"'), 1);
  });

  step('or only the socket keeps sending and receiving, and is heard again', async () => {
    const before = await place();
    bridge.resetSockets();
    await ada.page.press('m');               // which is said on a socket that breaks by it
    await until('the socket is gone', async () => (await ada.state()) === 'reconnecting');
    bridge.restoreNetwork();
    await comesBack(2, { kinds: ['video'] });
    assert.deepEqual(await place(), before);
    await until('Grace knows what was said while nobody heard it', async () => (await grace.tileOf('Ada')).audioMuted);
  });
});
