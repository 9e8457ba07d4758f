// The meeting page alone, in both browsers, against the bridge inside the page (mock/mock_bridge.js) and under a
// strict content security policy.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { servePage } from './lib/page_server.mjs';
import { until } from './lib/until.mjs';

const MockBridge = fs.readFileSync(new URL('mock/mock_bridge.js', import.meta.url), 'utf8');
const Small = 'width=320&height=180&fps=15';
const options = { timeout: 120_000 };

// Each browser waits most of the time, so both go at once.
describe('the meeting page', { concurrency: 2 }, () => {
  theMeetingPage('in Chromium', launchChromium);
  theMeetingPage('in Firefox', launchFirefox);
});

function theMeetingPage(where, launch) {
  describe(where, { concurrency: 1 }, () => {
    let server;
    let browser;
    let page;

    before(async () => {
      server = await servePage();
      browser = await launch();
    });
    after(async () => {
      await browser?.close();
      await server?.close();
    });

    const open = async (query, { script = '', hash = '' } = {}) => {
      await page?.close();
      page = await browser.newPage({ script: MockBridge + script });
      await page.goto(`${server.url}?${Small}&${query}${hash}`);
    };
    const inCall = () => until('in the call', () => page.evaluate(() => window.viaduct.state === 'in-call'), 40);
    const joined = async (script) => {
      await open('conference=standup&name=Ada&autojoin=1', { script });
      await inCall();
    };
    const tiles = () => page.evaluate(() => [...document.querySelectorAll('#call .tile')].map((tile) => ({
      name: tile.querySelector('.name')?.textContent,
      classes: [...tile.classList],
      note: tile.querySelector('.tile-note')?.hidden ? '' : tile.querySelector('.tile-note')?.textContent,
      box: tile.getBoundingClientRect().toJSON(),
    })));
    const tileOf = async (name) => (await tiles()).find((tile) => tile.name?.startsWith(name));
    const shows = (name, ...classes) =>
      until(`${name} shows ${classes}`, async () => {
        const tile = await tileOf(name);
        return (
          tile &&
          classes.every((entry) =>
            entry.startsWith('!') ? !tile.classes.includes(entry.slice(1)) : tile.classes.includes(entry),
          )
        );
      });
    const told = (type) =>
      page.evaluate((wanted) => window.mock.received.filter((message) => message.type === wanted), type);
    const visible = (id) => page.evaluate((screen) => !document.getElementById(screen).hidden, id);
    const textOf = (selector) => page.evaluate((wanted) => document.querySelector(wanted)?.textContent ?? '', selector);
    const noErrors = () => assert.deepEqual(page.errors(), []);

    test('leads from an invitation through the lobby into the call', options, async () => {
      await open('', { hash: '#stand%20up' });
      await until('a preview', () => page.evaluate(() => document.querySelector('#lobby video.shown') !== null));
      await page.click('[data-part=join]');
      assert.match(await textOf('#lobby [role=alert]'), /your name/);
      await page.type('#lobby [name=name]', 'Ada');
      await page.click('[data-part=join]');
      await inCall();
      const [join] = await told('join');
      assert.deepEqual([join.conference, join.name], ['stand up', 'Ada']);
      await shows('Ada (you)', 'self', 'has-picture');
      noErrors();
    });

    test('shows who comes, speaks, mutes and goes', options, async () => {
      await joined();
      const grace = await page.evaluate(() => window.mock.add('Grace'));
      const alan = await page.evaluate(() => window.mock.add('Alan', { audioMuted: true, videoMuted: true }));
      await shows('Grace', 'has-picture', '!audio-muted');
      await shows('Alan', '!has-picture', 'audio-muted', 'video-muted');
      await page.evaluate((id) => window.mock.speak(id), grace);
      await shows('Grace', 'speaking');
      await page.evaluate((id) => window.mock.speak(null) ?? window.mock.change(id, { videoMuted: false }), alan);
      await shows('Grace', '!speaking');
      await shows('Alan', 'has-picture', '!video-muted');
      await page.evaluate((id) => window.mock.remove(id), grace);
      await until('Grace has gone', async () => !(await tileOf('Grace')));
      await shows('Alan', 'has-picture');   // whose source has moved to another slot
      noErrors();
    });

    test('hears the others, and counts what it receives by participant', options, async () => {
      await joined();
      await page.evaluate(() => window.mock.add('Grace'));
      await until('frames and energy of Grace', async () => {
        const { slots } = await page.evaluate(() => window.viaduct.stats());
        const grace = slots.filter(({ name }) => name === 'Grace');
        return (
          grace.some(({ framesDecoded }) => framesDecoded > 5) &&
          grace.some(({ totalAudioEnergy }) => totalAudioEnergy > 0)
        );
      });
    });

    test('says by name whose video the browser cannot show', options, async () => {
      await joined();
      await page.evaluate(() => window.mock.makeUndecodable(window.mock.add('Grace'), 'H264'));
      await until(
        'the note',
        async () => (await tileOf('Grace'))?.note === 'Grace sends H264, which this browser cannot show',
      );
    });

    test('mutes by key and button, tells the bridge, and gives the camera back meanwhile', options, async () => {
      await joined();
      await page.press('m');
      await shows('Ada (you)', 'audio-muted');
      await page.click('#call [data-part=video]');
      await shows('Ada (you)', 'video-muted', '!has-picture');
      assert.deepEqual(
        (await told('mute')).map(({ kind, muted }) => [kind, muted]),
        [
          ['audio', true],
          ['video', true],
        ],
      );
      await page.press('m');
      await page.press('v');
      await shows('Ada (you)', '!audio-muted', '!video-muted', 'has-picture');
      const { frames } = await page.evaluate(() => window.mock.arrived());
      await until(
        'the camera sends again',
        async () => (await page.evaluate(() => window.mock.arrived())).frames > frames + 5,
      );
      noErrors();
    });

    for (const [how, script] of [
      ['by sender parameters', ''],
      ['by an answer of its own where those are missing', `{
        const set = RTCRtpSender.prototype.setParameters;
        RTCRtpSender.prototype.setParameters = function (parameters) {
          for (const encoding of parameters.encodings) delete encoding.codec;
          return set.call(this, parameters);
        };
      }`],
    ]) {
      test(`changes its video format ${how}`, options, async () => {
        await joined(script);
        for (const formats of [['VP9', 'VP8'], ['AV1'], ['H265', 'VP8']]) {
          await page.evaluate((list) => window.mock.settle(list), formats);
          const wanted = formats.find((format) => format !== 'H265');
          const { frames } = await page.evaluate(() => window.mock.arrived());
          await until(`${wanted} arrives`, async () => {
            const arrived = await page.evaluate(() => window.mock.arrived());
            return arrived.codec === wanted && arrived.frames > frames + 3;
          });
        }
        assert.equal((await told('offer')).length, 1);
        noErrors();
      });
    }

    test('joins again by itself when the connection is lost, with the same camera', options, async () => {
      await joined();
      await page.evaluate(() => window.mock.add('Grace'));
      await shows('Grace', 'has-picture');
      const camera = () => page.evaluate(() => document.querySelector('.self video').srcObject.getVideoTracks()[0].id);
      const before = await camera();
      await page.press('m');
      await page.evaluate(() => { window.mock.reachable = false; window.mock.dropSocket(); });
      await until('the banner', async () => await page.evaluate(() => !document.querySelector('#call .banner').hidden));
      assert.match(await textOf('#call .banner'), /Reconnecting/);
      await page.evaluate(() => { window.mock.reachable = true; });
      await inCall();
      assert.equal(await page.evaluate(() => window.mock.joins), 2);
      assert.equal((await told('mute')).length, 2);   // the bridge has to hear again that the microphone is off
      assert.equal(await camera(), before);
      await shows('Grace', 'has-picture');
      await page.evaluate(() => window.mock.error('connection-lost'));
      await until(
        'joined a third time',
        () => page.evaluate(() => window.mock.joins === 3 && window.viaduct.state === 'in-call'),
        20,
      );
    });

    test('joins with what there is when the camera is refused or everything is missing', options, async () => {
      const failing = (condition, name) => `{
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (wanted) =>
          (${condition}) ? Promise.reject(new DOMException('', '${name}')) : real(wanted);
      }`;
      await joined(failing('wanted.video', 'NotAllowedError'));
      await shows('Ada (you)', 'video-muted', '!audio-muted');
      assert.match(await textOf('#call .notices'), /not allowed to use the camera/);
      await joined(failing('true', 'NotFoundError'));
      await shows('Ada (you)', 'video-muted', 'audio-muted');
      assert.match(await textOf('#call .notices'), /No microphone was found.*No camera was found/);
      await page.evaluate(() => window.mock.add('Grace'));
      await shows('Grace', 'has-picture');
    });

    test('ends with a screen to rejoin from, after leaving and after a refusal', options, async () => {
      await joined();
      await page.click('[data-part=leave]');
      await until('the end screen', () => visible('ended'));
      assert.equal((await told('leave')).length, 1);
      await page.evaluate(() => { window.mock.refusal = { code: 'token-invalid', message: 'expired', final: true }; });
      await page.click('#ended [data-part=rejoin]');
      await until('the refusal', async () =>
        (await textOf('#ended [data-part=reason]')).includes('invitation is not valid'),
      );
      await page.evaluate(() => {
        window.mock.refusal = null;
      });
      await page.click('#ended [data-part=rejoin]');
      await inCall();
      await shows('Ada (you)', 'has-picture');
    });

    test('fits 2 to 40 people into any window', options, async () => {
      await joined();
      let people = 1;
      for (const count of [2, 5, 9, 16, 40]) {
        for (; people < count; ++people)
          await page.evaluate((name) => window.mock.add(name, { videoMuted: true }), `Person ${people}`);
        for (const size of [
          { width: 1280, height: 720 },
          { width: 390, height: 844 },
        ]) {
          await page.resize(size);
          await until('the tiles fit', async () => fits(await tiles(), size));
        }
      }
    });
  });
}

function fits(tiles, { width, height }) {
  const boxes = tiles.map(({ box }) => box);
  const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  return (
    boxes.length > 1 &&
    boxes.every(
      (box) => box.left >= 0 && box.top >= 0 && box.right <= width && box.bottom <= height && box.width >= 90,
    ) &&
    boxes.every((a, i) => boxes.every((b, k) => i === k || !overlap(a, b)))
  );
}
