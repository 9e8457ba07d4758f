// Real Chromium and real Firefox in one conference through the real bridge, judged by what the browsers themselves
// count.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Bridge, checkMetrics } from './lib/bridge.mjs';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { untilFlowing } from './lib/flow_meter.mjs';
import { Participant } from './lib/participant.mjs';
import { until } from './lib/until.mjs';

const Screenshots = fileURLToPath(new URL('../../build/interop', import.meta.url));

describe('a conference of two Chromium and one Firefox', () => {
  let bridge;
  let browsers = [];
  let ada;
  let grace;
  let alan;
  const everyone = () => [ada, grace, alan];

  before(async () => {
    bridge = await Bridge.start();
    browsers = await Promise.all([launchChromium(), launchFirefox()]);
    const [chromium, firefox] = browsers;
    const person = (browser, name) => new Participant(browser, bridge, { name, conference: 'standup' });
    [ada, grace, alan] = [person(chromium, 'Ada'), person(chromium, 'Grace'), person(firefox, 'Alan')];
  }, { timeout: 60_000 });

  after(async () => {
    await Promise.allSettled(browsers.map((browser) => browser.close()));
    await bridge?.stop();
  }, { timeout: 30_000 });

  // A test that, when it fails, says all there is to know.
  const step = (name, body, timeout = 60_000) => test(name, { timeout }, async (context) => {
    try {
      await body(context);
    } catch (error) {
      for (const person of everyone()) {
        console.error(await person.report());
        await person.page?.screenshot(path.join(Screenshots, `${person.name}.png`)).catch(() => {});
      }
      console.error(`--- the bridge's log\n${bridge.log.slice(-200).join('\n')}`);
      console.error(`--- screenshots are in ${Screenshots}`);
      throw error;
    }
  });
  const sees = (viewer, name, what, condition) =>
    until(`${viewer.name} sees ${name} ${what}`, async () => condition(await viewer.tileOf(name)));
  const noErrors = () => {
    for (const person of everyone()) assert.deepEqual(person.page.errors(), [], `errors in ${person.name}'s page`);
  };

  step('carries picture and sound in every direction', async () => {
    await Promise.all(everyone().map((person) => person.join()));
    await untilFlowing(everyone());
    for (const viewer of everyone()) {
      for (const other of everyone()) await sees(viewer, other.name, 'with a picture', (tile) => tile?.hasPicture);
    }
    noErrors();
  });

  step('is shown to the operator with everyone, their DTLS version and SRTP profile', async () => {
    const [listed] = await bridge.conferences();
    assert.deepEqual([listed.name, listed.participants], ['standup', 3]);
    const { endpoints } = await bridge.conference('standup');
    assert.deepEqual(endpoints.map(({ name }) => name).sort(), ['Ada', 'Alan', 'Grace']);
    for (const { state, encryption, sources, slots } of endpoints) {
      assert.equal(state, 'connected');
      assert.match(encryption.dtls_version, /^DTLSv1\.[23]$/);
      assert.match(encryption.srtp_profile, /AES/i);
      assert.match(encryption.remote_fingerprint, /^sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$/i);
      assert.deepEqual(sources.map(({ content }) => content).sort(), ['camera', 'screen', null].sort());
      assert.equal(slots.filter(({ kind, participant }) => kind === 'video' && participant).length, 2);
    }
  });

  step('gives metrics that promtool accepts', async (context) => {
    const { code, text } = await checkMetrics(await bridge.metrics());
    if (code === null) return context.skip(text);
    assert.equal(code, 0, text);
  });

  step('shows who is muted, and who is no longer', async () => {
    await ada.setMuted('audio', true);
    await ada.setMuted('video', true);
    for (const viewer of [grace, alan]) {
      await sees(viewer, 'Ada', 'muted', (tile) => tile.audioMuted && tile.videoMuted && !tile.hasPicture);
    }
    await ada.setMuted('audio', false);
    await ada.setMuted('video', false);
    for (const viewer of [grace, alan]) {
      await sees(viewer, 'Ada', 'unmuted', (tile) => !tile.audioMuted && !tile.videoMuted && tile.hasPicture);
    }
    await untilFlowing(everyone());
  });

  step('shows who speaks', async () => {
    // Chromium's fake microphone beeps like speech; Firefox's hums without a pause, which is not speech.
    await alan.setMuted('audio', true);
    for (const [speaker, silent] of [[ada, grace], [grace, ada]]) {
      await speaker.setMuted('audio', false);
      await silent.setMuted('audio', true);
      for (const viewer of [silent, alan]) await sees(viewer, speaker.name, 'speaking', (tile) => tile.speaking);
    }
    for (const person of everyone()) await person.setMuted('audio', false);
  });

  step('goes on when one leaves, and is complete again when they rejoin', async () => {
    await grace.leave();
    for (const viewer of [ada, alan]) {
      await until(`Grace's tile is gone at ${viewer.name}'s`, async () => !(await viewer.tileOf('Grace')));
    }
    await untilFlowing([ada, alan]);
    noErrors();
    await grace.rejoin();
    await untilFlowing(everyone());
  });

  step('is complete again after a reload in either browser', async () => {
    await Promise.all([alan.reload(), ada.reload()]);
    await untilFlowing(everyone());
    for (const viewer of everyone()) {
      await until(`${viewer.name} sees three tiles`, async () => (await viewer.tiles()).length === 3);
    }
    noErrors();
  });

  step('says whose format a browser cannot decode, and recovers when they leave', async () => {
    const guest = new Participant(browsers[0], bridge, { name: 'Barbara', conference: 'standup', codecs: 'H264' });
    try {
      await guest.join();
      const note = 'Barbara sends H264, which this browser cannot show';
      await sees(alan, 'Barbara', 'as undecodable', (tile) => tile?.note === note);
      await untilFlowing([ada, grace, guest], { senders: [guest] });
    } finally {
      await guest.close();
    }
    for (const viewer of everyone()) {
      await until(`Barbara's tile is gone at ${viewer.name}'s`, async () => !(await viewer.tileOf('Barbara')));
    }
    await untilFlowing(everyone());
  });

  step('reconnects by itself when the bridge has crashed and is back', async () => {
    await bridge.kill();
    await until('a banner', () => ada.page.evaluate(() => !document.querySelector('#call .banner').hidden));
    await bridge.restart();
    await Promise.all(everyone().map((person) => person.inCall()));
    await untilFlowing(everyone());
  });

  step('ends with a bridge that says goodbye and exits with 0', async () => {
    assert.equal(await bridge.stop(), 0);
    await until('everyone has noticed', async () => (await Promise.all(everyone().map((person) => person.state())))
      .every((state) => state === 'reconnecting'));
  });
});
