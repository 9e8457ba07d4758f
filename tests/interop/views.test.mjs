// What a person sees and does in a call: stage and tiles, screens, sizes, devices, chat and keys. Real browsers against
// the bridge inside the page (mock/mock_bridge.js).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { CallPage, Sealing } from './lib/call_page.mjs';
import { servePage } from './lib/page_server.mjs';
import { sleep, until } from './lib/until.mjs';

const Phone = { width: 360, height: 640 };
const options = { timeout: 120_000 };
// What getDisplayMedia gives where a browser has no fake screen.
const DrawnScreen = `navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [960, 540];
  const pen = canvas.getContext('2d');
  setInterval(() => {
    pen.fillStyle = '#' + Math.random().toString(16).slice(2, 8);
    pen.fillRect(0, 0, 960, 540);
  }, 100);
  const stream = window.screenStream = canvas.captureStream(10);
  // Firefox lets nobody make up the end of a track: so call who listens for it.
  stream.getVideoTracks()[0].addEventListener = (type, listener) => { window.endScreen = listener; };
  return stream;
};`;

describe('a call on the screen', { concurrency: 1 }, () => {
  let server;
  let browsers;
  let call;

  before(async () => {
    server = await servePage();
    call = new CallPage(server);
    browsers = {
      chromium: await launchChromium({ flags: ['--auto-select-desktop-capture-source=Entire screen'] }),
      firefox: await launchFirefox(),
    };
  }, options);
  after(async () => {
    await Promise.allSettled(Object.values(browsers ?? {}).map((browser) => browser.close()));
    await server?.close();
  });

  const join = ({ browser = 'chromium', ...how } = {}) => call.join(browsers[browser], how);
  const noErrors = () => assert.deepEqual(call.page.errors(), []);

  test('shows whoever speaks large, until somebody is pinned by button, double click or key', options, async () => {
    await join();
    const [grace, alan] = [await call.add('Grace'), await call.add('Alan')];
    assert.equal(await call.large(), null);
    await call.page.click('#call [data-part=view]');
    await call.mock('speak', alan);
    await call.untilLarge('Alan');
    const [stage, other] = [await call.tileOf('Alan'), await call.tileOf('Grace')];
    assert.ok(stage.box.width * stage.box.height > 8 * other.box.width * other.box.height);
    await call.page.evaluate(() => document.querySelectorAll('#call .tile')[0].querySelector('.pin').click());
    await call.untilLarge('Grace');
    await call.mock('speak', alan);
    await call.mock('speak', grace);
    await call.mock('speak', alan);
    await call.shows('Alan', 'speaking');
    await call.untilLarge('Grace');
    await call.page.press('p');
    await call.untilLarge('Alan');
    await call.page.evaluate(() => document.querySelectorAll('#call .tile')[0]
      .dispatchEvent(new MouseEvent('dblclick', { bubbles: true })));
    await call.untilLarge('Grace');
    await call.shows('Grace', 'pinned');
    await call.mock('remove', grace);
    await call.untilLarge('Alan');
    await call.page.press('t');
    await until('tiles of the same size', async () => (await call.large()) === null);
    await call.mock('speak', 'me');
    await call.page.press('t');
    await call.untilLarge('Alan');
    noErrors();
  });

  test('asks for what is on the screen, as large as it is, and for nothing when hidden', options, async () => {
    await join();
    const [grace, alan] = [await call.add('Grace'), await call.add('Alan')];
    await call.untilAsked('two tiles', ({ on_stage: stage, max_heights: heights }) =>
      stage?.length === 0 && heights[grace] === 360 && heights[alan] === 360);
    await call.page.press('t');
    await call.mock('speak', grace);
    await call.untilAsked('Grace large', ({ on_stage: stage, max_heights: heights }) =>
      stage?.[0] === grace && heights[grace] === 540 && heights[alan] === 180);
    await call.page.press('t');
    await call.page.evaluate((id) => document.querySelector(`[data-picture="${id}"] .pin`).click(), alan);
    await call.page.press('t');
    await call.untilAsked('Alan selected', ({ selected }) => selected?.[0] === alan);
    const count = (await call.told('receive')).length;
    await call.mock('speak', alan);
    await call.mock('speak', grace);
    await sleep(600);
    assert.equal((await call.told('receive')).length, count, 'nothing has changed');
    await call.page.resize(Phone);
    await call.untilAsked('smaller pictures', ({ max_heights: heights }) => heights[grace] < 360);
    await call.page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => window.pretendsHidden });
      window.pretendsHidden = true;
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await call.untilAsked('sound only', ({ last_n: count, max_height: rest }) => count === 0 && rest === 0);
    await call.page.evaluate(() => {
      window.pretendsHidden = false;
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await call.untilAsked('pictures again', (wishes) => wishes.last_n === undefined && wishes.max_heights[grace] > 0);
    noErrors();
  });

  test('asks for no pictures of those who share the last tile, and shows them when they speak', options, async () => {
    await join({ viewport: Phone });
    const ids = [];
    for (let i = 0; i < 16; ++i) ids.push(await call.add(`Person ${i}`, { videoMuted: true }));
    await call.page.press('t');
    await until('a tile for the rest', async () =>
      (await call.tiles()).some(({ classes }) => classes.includes('rest')));
    const last = ids.at(-1);
    await call.untilAsked('none of the last', ({ max_heights: heights }) => heights?.[last] === 0);
    await call.mock('recentSpeakers', [last]);
    await call.untilAsked('the last', ({ max_heights: heights }) => heights[last] > 0);
    await call.shows('Person 15');
    noErrors();
  });

  test('says nothing of wishes to a bridge that does not know them, and shares no screen', options, async () => {
    await join({ features: '' });
    await call.add('Grace');
    await call.shows('Grace', 'has-picture');
    await call.page.resize(Phone);
    await call.page.press('t');
    await call.untilLarge('Grace');
    await call.page.press('s');
    await sleep(500);
    assert.deepEqual(await call.told('receive'), []);
    assert.deepEqual([await call.page.evaluate(() => document.querySelector('[data-part=screen]').hidden),
      (await call.told('offer'))[0].screens], [true, undefined]);
    assert.ok(!(await call.told('offer'))[0].sdp.includes('a=simulcast'));
    noErrors();
  });

  test('a screen takes the stage when it begins, and gives it back; a pin is stronger', options, async () => {
    await join();
    const [grace, alan] = [await call.add('Grace'), await call.add('Alan')];
    await call.mock('share', grace);
    await call.untilLarge('Grace’s screen');
    await call.shows('Grace’s screen', 'has-picture', 'of-screen');
    await call.shows('Grace', 'has-picture');
    await call.untilAsked('the screen', ({ on_stage: stage }) => stage?.[0] === `${grace}/screen`);
    await call.page.evaluate((id) => document.querySelector(`[data-picture="${id}"] .pin`).click(), alan);
    await call.untilLarge('Alan');
    await call.page.press('p');
    await call.untilLarge('Grace’s screen');
    await call.mock('share', grace, false);
    await until('tiles again', async () => (await call.large()) === null && !(await call.tileOf('Grace’s screen')));
    noErrors();
  });

  for (const browser of ['chromium', 'firefox']) {
    test(`shares its screen beside the camera, and stops when the browser's bar does (${browser})`, options,
      async () => {
        await join({ browser, script: DrawnScreen });
        const [{ sdp, screens }] = await call.told('offer');
        const section = sdp.split(/^m=/m).find((one) => one.includes(`a=mid:${screens[0]}\r\n`));
        assert.match(section, /^video[^]*a=sendonly/);
        const frames = async (kind) =>
          (await call.sending()).filter((entry) => entry.kind === kind).reduce((sum, entry) => sum + entry.frames, 0);
        await until('a camera', async () => (await frames('video')) > 3);
        assert.equal(await frames('screen'), 0);
        await call.page.press('s');
        await call.shows('Your screen', 'has-picture', '!self');
        assert.equal((await call.tileOf('Your screen')).note, 'The others see your screen');
        await until('a screen', async () => (await frames('screen')) > 3, 30);
        const hint = await call.page.evaluate(() => window.screenStream.getVideoTracks()[0].contentHint);
        if (browser === 'chromium') assert.equal(hint, 'detail');
        await call.page.evaluate(() => window.endScreen());
        await until('it is over', async () => !(await call.tileOf('Your screen')));
        const last = await frames('screen');
        await sleep(1_000);
        assert.ok((await frames('screen')) <= last + 2);
        await call.page.press('s');
        await until('a second time', async () => (await frames('screen')) > last + 3, 30);
        await call.page.click('#call [data-part=screen]');
        await until('it is over', async () => !(await call.tileOf('Your screen')));
        assert.equal((await call.told('offer')).length, 1);
        noErrors();
      });
  }

  test('shares a real screen of the browser’s, in an encrypted call, too', options, async () => {
    await join({ script: Sealing, query: 'width=960&height=540' });
    const grace = await call.add('Grace');
    await call.mock('seal', grace);
    await call.page.press('e');
    await call.shows('Ada (you)', 'sealed');
    await call.page.press('s');
    await call.shows('Your screen', 'has-picture', 'sealed');
    const streams = async () => new Map((await call.sending()).map(({ kind, rid, packets }) => [rid ?? kind, packets]));
    const before = await streams();
    await until('a sealed screen, and a sealed camera in three sizes', async () => {
      const now = await streams();
      return ['screen', 'q', 'h', 'f'].every((name) => now.get(name) > (before.get(name) ?? 0) + 5);
    }, 40);
    await call.page.click('#call [data-part=leave]');
    await until('the end', () => call.page.evaluate(() => !document.getElementById('ended').hidden));
    noErrors();
  });

  test('says nothing when the person does not choose a screen, and what went wrong otherwise', options, async () => {
    const failing = (name) =>
      `navigator.mediaDevices.getDisplayMedia = () => Promise.reject(new DOMException('', '${name}'));`;
    await join({ script: failing('NotAllowedError') });
    await call.page.press('s');
    await sleep(300);
    assert.doesNotMatch(await call.textOf('#call .toast'), /screen/);
    await join({ script: failing('NotReadableError') });
    await call.page.press('s');
    await until('a sentence', async () =>
      /could not be shared \(NotReadableError\)/.test(await call.textOf('#call .toast')));
    assert.equal(await call.tileOf('Your screen'), undefined);
    noErrors();
  });

  for (const [browser, formats] of [['chromium', ['VP9', 'H264', 'AV1', 'VP8']], ['firefox', ['VP9', 'VP8']]]) {
    test(`sends its camera in three sizes, in any format, and stops those that nobody needs (${browser})`,
      { timeout: 180_000 }, async () => {
        await join({ browser, query: 'width=1280&height=720' });
        const sizes = async () => (await call.sending()).filter(({ kind, rid }) => kind === 'video' && rid !== null);
        const flow = async (format, wanted, seconds = 40) => {
          const earlier = new Map((await sizes()).map(({ rid, frames }) => [rid, frames]));
          await until(`${format} in the sizes ${wanted}`, async () => {
            const now = await sizes();
            const grown = now.filter(({ rid, frames }) => frames > (earlier.get(rid) ?? 0) + 3);
            return grown.map(({ rid }) => rid).sort().join() === wanted && now.every(({ codec, frames, rid }) =>
              codec === format || frames === (earlier.get(rid) ?? 0));
          }, seconds);
        };
        await flow('VP8', 'f,h,q');
        assert.deepEqual((await sizes()).map(({ rid, width, height }) => `${rid} ${width}x${height}`).sort(),
          ['f 1280x720', 'h 640x360', 'q 320x180']);
        for (const format of formats) {
          await call.mock('settle', [format]);
          await flow(format, browser === 'firefox' && format === 'VP9' ? 'f' : 'f,h,q');
        }
        const { sdp } = (await call.told('offer'))[0];
        const mid = /m=video[^]*?a=mid:(\S+)/.exec(sdp)[1];
        const want = (q, h, f, height) => call.mock('want', [{ mid, max_height: height,
          layers: [{ rid: 'q', wanted: q }, { rid: 'h', wanted: h }, { rid: 'f', wanted: f }] }]);
        const still = async (...rids) => {
          await sleep(700);
          const before = await sizes();
          await sleep(700);
          const after = await sizes();
          for (const rid of rids) {
            const [a, b] = [before, after].map((list) => list.find((one) => one.rid === rid).frames);
            assert.equal(b, a, `${rid} stands still`);
          }
        };
        await want(true, false, false, 180);
        await still('h', 'f');
        await flow('VP8', 'q');
        await want(true, true, true, 0);
        await still('q', 'h', 'f');
        await want(true, true, true, -1);
        await flow('VP8', 'f,h,q');
        if (browser === 'chromium') {
          const section = sdp.split(/^m=/m).find((one) => one.includes(`a=mid:${mid}\r\n`));
          assert.match(section, /dependency-descriptor-rtp-header-extension/);
          assert.match(section, /video-layers-allocation00/);
        }
        noErrors();
      });
  }

  test('dims the last picture and says why when there is no room for it', options, async () => {
    await join();
    const grace = await call.add('Grace');
    await call.shows('Grace', 'has-picture', '!paused');
    await call.mock('pause', [grace]);
    await call.shows('Grace', 'has-picture', 'paused');
    assert.equal((await call.tileOf('Grace')).note, 'Paused: your connection is slow');
    await until('a word for it', async () => (await call.tileOf('Grace')).quality ===
      'Grace’s connection: Poor: paused, your connection is slow');
    await call.mock('pause', []);
    await call.shows('Grace', 'has-picture', '!paused');
    assert.equal((await call.tileOf('Grace')).note, '');
    noErrors();
  });

  test('says how the connections do, in words', options, async () => {
    await join();
    await call.add('Grace');
    await until('Grace’s', async () => (await call.tileOf('Grace')).quality === 'Grace’s connection: Good', 20);
    await until('one’s own', async () => /^Good/.test(await call.textOf('.bar .quality')), 20);
    await call.mock('network', 250_000, 1_500_000);
    await until('why', async () => (await call.textOf('.bar .quality')) === 'Poor: low bandwidth (250 kbit/s)', 20);
    noErrors();
  });
});
