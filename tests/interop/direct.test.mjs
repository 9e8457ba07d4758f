// Two people talk without the bridge, and go over to it and back without a gap in sound: Chromium with Firefox, through
// the real bridge, judged by what the browsers themselves count.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { Bridge } from './lib/bridge.mjs';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { untilFlowing } from './lib/flow_meter.mjs';
import { Participant } from './lib/participant.mjs';
import { SteadyVoice, soundGaps, watchSound } from './lib/sound_watch.mjs';
import { until } from './lib/until.mjs';

const Screenshots = fileURLToPath(new URL('../../build/interop', import.meta.url));
const GapMilliseconds = 1_000;               // of sound, at most
// Candidates of the other side never arrive: what a firewall between two people does.
const NoCandidates = `{
  RTCPeerConnection.prototype.addIceCandidate = () => Promise.resolve();
  const accept = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    const isDirect = !description.sdp.includes('a=ice-lite');
    const sdp = isDirect ? description.sdp.replace(/^a=candidate:.*\\r?\\n/gm, '') : description.sdp;
    return accept.call(this, { type: description.type, sdp });
  };
}`;
// A screen that anybody would share, in a page that believes that its bridge carries screens.
const SharesScreen = `{
  const Real = WebSocket;
  window.WebSocket = class extends Real {
    addEventListener(type, listener, ...rest) {
      if (type !== 'message') return super.addEventListener(type, listener, ...rest);
      super.addEventListener(type, (event) => {
        const message = JSON.parse(event.data);
        if (message.type === 'joined') message.features ??= ['receive'];
        listener(new MessageEvent('message', { data: JSON.stringify(message) }));
      }, ...rest);
    }
  };
  navigator.mediaDevices.getDisplayMedia = async () => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [480, 270];
    const pen = canvas.getContext('2d');
    setInterval(() => pen.fillRect(Math.random() * 480, 0, 9, 270), 100);
    return canvas.captureStream(10);
  };
}`;

describe('direct calls', () => {
  let bridge;
  let browsers = [];
  let people = [];

  before(async () => {
    bridge = await Bridge.start();
    browsers = await Promise.all([launchChromium(), launchFirefox()]);
  }, { timeout: 90_000 });

  after(async () => {
    await Promise.allSettled(browsers.map((browser) => browser.close()));
    await bridge?.stop();
  }, { timeout: 30_000 });

  // Each test has a conference of its own, and leaves nobody behind.
  const step = (name, body, timeout = 150_000) => test(name, { timeout }, async (context) => {
    people = [];
    try {
      await body(name.replace(/\W+/g, '-').slice(0, 40), context);
      for (const { name: who, page } of people) {
        const errors = page.errors().filter((text) => !text.includes('ICE failed'));   // which is what some tests do
        assert.deepEqual(errors, [], `errors in ${who}'s page`);
      }
    } catch (error) {
      for (const person of people) {
        console.error(await person.report());
        await person.page?.screenshot(path.join(Screenshots, `${person.name}.png`)).catch(() => {});
      }
      console.error(`--- the bridge's log\n${bridge.log.slice(-100).join('\n')}`);
      throw error;
    } finally {
      await Promise.allSettled(people.map((person) => person.close()));
    }
  });
  const person = (browser, name, conference, { query = {}, script = '' } = {}) => {
    const created = new Participant(browsers[browser === 'chromium' ? 0 : 1], bridge,
      { name, conference, query, script: SteadyVoice + script });
    people.push(created);
    return created;
  };
  const pathOf = async (someone) => (await someone.view())?.path;
  const untilPath = (wanted, who, seconds = 30) =>
    until(`${who.map(({ name }) => name)} are connected ${wanted}`, async () =>
      (await Promise.all(who.map(pathOf))).every((found) => found === wanted), seconds);
  const comeAndGo = async (conference, query) => {
    const ada = person('chromium', 'Ada', conference, { query });
    const alan = person('firefox', 'Alan', conference, { query });
    await Promise.all([ada.join(), alan.join()]);
    await untilPath('direct', [ada, alan]);
    await untilFlowing([ada, alan]);
    const watched = await watchSound([[ada, 'Alan'], [alan, 'Ada']]);
    const grace = person('chromium', 'Grace', conference, { query });
    await grace.join();
    await untilPath('bridge', [ada, alan]);
    await untilFlowing([ada, alan, grace]);
    await until('the direct connection has gone', async () => (await Promise.all([ada, alan].map((one) => one.stats())))
      .every((stats) => stats.slots.every(({ path: taken }) => taken === 'bridge')));
    await grace.close();
    await untilPath('direct', [ada, alan], 45);
    await untilFlowing([ada, alan]);
    return soundGaps(watched);
  };

  step('two people talk directly, Chromium with Firefox, and nothing of it goes to the bridge', async (conference) => {
    const [ada, alan] = [person('chromium', 'Ada', conference), person('firefox', 'Alan', conference)];
    await Promise.all([ada.join(), alan.join()]);
    await untilFlowing([ada, alan]);
    await untilPath('direct', [ada, alan]);
    await untilFlowing([ada, alan]);
    const packets = async () => (await Promise.all([ada, alan].map((one) => one.stats())))
      .map(({ sending }) => sending.filter((entry) => entry.path === 'bridge')
        .reduce((sum, entry) => sum + entry.packets, 0));
    await until('nothing goes to the bridge any more', async () => {
      const before = await packets();
      await untilFlowing([ada, alan], { frames: 30 });
      return isDeepStrictEqual(await packets(), before);
    });
    for (const one of [ada, alan]) {
      assert.match(await one.privacySentence(), /^This call goes directly between the two of you/);
      const { protection } = (await one.view()).direct;
      assert.match(protection.dtls_version, /^DTLSv1\.[23]$/);
      assert.match(protection.srtp_profile, /AES/);
      assert.match(protection.remote_fingerprint, /^sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$/i);
    }
    await ada.setMuted('video', true);
    await until('Alan sees no picture', async () => !(await alan.tileOf('Ada')).hasPicture);
    await ada.setMuted('video', false);
    await until('Alan sees Ada again', async () => (await alan.tileOf('Ada')).hasPicture);
    await untilFlowing([ada, alan]);
    assert.equal(await pathOf(ada), 'direct');
  });

  for (const [how, query] of [['in clear', {}], ['encrypted end to end', { e2ee: '1' }]]) {
    step(`a third comes and goes without a gap in sound, ${how}`, async (conference) => {
      const gaps = await comeAndGo(conference, query);
      for (const { to, from, longest, doubled } of gaps) {
        assert.ok(longest <= GapMilliseconds, `${to} did not hear ${from} for ${Math.round(longest)} ms`);
        assert.equal(doubled, 0, `${to} heard ${from} twice at once`);
      }
      for (const { from, to, longest } of gaps) console.log(`longest gap ${from} > ${to}: ${Math.round(longest)} ms`);
    });
  }

  step('a page that does not want to connect directly stays with the bridge', async (conference) => {
    const ada = person('chromium', 'Ada', conference, { query: { direct: '0' } });
    const alan = person('firefox', 'Alan', conference);
    await Promise.all([ada.join(), alan.join()]);
    await until('they could talk privately', async () => (await alan.view()).people[0]?.agreed === 'agreed');
    await untilFlowing([ada, alan], { frames: 60 });
    assert.deepEqual([await pathOf(ada), await pathOf(alan)], ['bridge', 'bridge']);
    assert.ok((await alan.stats()).slots.every(({ path: taken }) => taken === 'bridge'));
  });

  step('a call whose direct path is blocked flows through the bridge without a gap', async (conference) => {
    const [ada, alan] = [
      person('chromium', 'Ada', conference, { script: NoCandidates }),
      person('firefox', 'Alan', conference, { script: NoCandidates }),
    ];
    await Promise.all([ada.join(), alan.join()]);
    await untilFlowing([ada, alan]);
    const watched = await watchSound([[ada, 'Alan'], [alan, 'Ada']]);
    const tried = async () => (await ada.stats()).slots.some(({ path: taken }) => taken === 'direct');
    await until('it is tried', tried, 30);
    await until('it is given up', async () => !(await tried()), 30);
    await untilFlowing([ada, alan]);
    for (const { to, from, longest } of await soundGaps(watched)) {
      assert.ok(longest <= GapMilliseconds, `${to} did not hear ${from} for ${Math.round(longest)} ms`);
    }
    assert.equal(await pathOf(ada), 'bridge');
  });

  step('falls back to the bridge when the direct path breaks in mid-call', async (conference) => {
    const breakable = `{
      const Real = RTCPeerConnection;
      window.connections = [];
      window.RTCPeerConnection = function (...options) {
        const connection = new Real(...options);
        window.connections.push(connection);
        return connection;
      };
      window.RTCPeerConnection.prototype = Real.prototype;
    }`;
    const [ada, alan] = [
      person('chromium', 'Ada', conference, { script: breakable }),
      person('firefox', 'Alan', conference),
    ];
    await Promise.all([ada.join(), alan.join()]);
    await untilPath('direct', [ada, alan]);
    await ada.page.evaluate(() => window.connections.at(-1).close());
    await untilPath('bridge', [ada, alan], 10);
    await untilFlowing([ada, alan]);
  });

  step('goes through the bridge while a screen is shared, and is direct again afterwards', async (conference) => {
    const [ada, alan] = [
      person('chromium', 'Ada', conference, { script: SharesScreen }),
      person('firefox', 'Alan', conference),
    ];
    await Promise.all([ada.join(), alan.join()]);
    await untilPath('direct', [ada, alan]);
    await untilFlowing([ada, alan]);
    const watched = await watchSound([[ada, 'Alan'], [alan, 'Ada']]);
    await ada.page.press('s');
    await untilPath('bridge', [ada, alan]);
    await untilFlowing([ada, alan]);
    await until('the screen goes to the bridge', async () =>
      (await ada.stats()).sending.some(({ kind, path: taken, frames }) =>
        kind === 'screen' && taken === 'bridge' && frames > 5));
    await ada.page.press('s');
    await untilPath('direct', [ada, alan], 60);
    await untilFlowing([ada, alan]);
    for (const { to, from, longest } of await soundGaps(watched)) {
      assert.ok(longest <= GapMilliseconds, `${to} did not hear ${from} for ${Math.round(longest)} ms`);
    }
  });

  step('is direct again after one of the two has reloaded', async (conference) => {
    const [ada, alan] = [person('chromium', 'Ada', conference), person('firefox', 'Alan', conference)];
    await Promise.all([ada.join(), alan.join()]);
    await untilPath('direct', [ada, alan]);
    await alan.reload();
    await untilPath('direct', [ada, alan], 45);
    await untilFlowing([ada, alan]);
  });
});
