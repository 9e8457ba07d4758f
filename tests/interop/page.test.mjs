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

    test('comes back to its place when it was cut off, over the same connection', options, async () => {
      await joined('window.mock.keepsPlaces = true;');
      await page.evaluate(() => window.mock.add('Grace'));
      await shows('Grace', 'has-picture');
      const track = () => page.evaluate(() => window.viaduct.view.people[0].track.id);
      const before = await track();
      await page.evaluate(() => { window.mock.reachable = false; window.mock.dropSocket(); });
      await until('the banner', async () => (await textOf('#call .banner')) === 'Reconnecting…');
      await page.press('m');                          // which nobody hears
      await shows('Grace', 'has-picture');
      await page.evaluate(() => { window.mock.reachable = true; });
      await inCall();
      assert.deepEqual(await page.evaluate(() => [window.mock.joins, window.mock.resumes]), [1, 1]);
      const [{ sdp: offered }] = await told('offer');
      const [{ sdp: restarted }] = await told('restart');
      const of = (sdp, name) => [...sdp.matchAll(new RegExp(`^a=${name}:.*$`, 'gm'))].map(([line]) => line.trim());
      assert.notEqual(of(restarted, 'ice-ufrag')[0], of(offered, 'ice-ufrag')[0]);
      for (const name of ['mid', 'fingerprint']) assert.deepEqual(of(restarted, name), of(offered, name));
      assert.deepEqual((await told('mute')).at(-2), { type: 'mute', kind: 'audio', muted: true });
      assert.equal(await track(), before);
      await shows('Grace', 'has-picture');
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

    const sentence = () => textOf('[data-part=privacy-sentence]');
    const says = (pattern) => until(`the header says ${pattern}`, async () => pattern.test(await sentence()), 30);
    const noteOf = (name, pattern) =>
      until(`${name}'s tile says ${pattern}`, async () => pattern.test((await tileOf(name))?.note ?? ''), 30);
    const Sealing = 'window.mock.seals = true;';

    test('turns end-to-end encryption on and off for everyone, and says who can read the call', options, async () => {
      await joined(Sealing);
      await says(/^Only you are here\. The bridge at 127\.0\.0\.1:\d+ can decrypt what you send; it keeps nothing$/);
      const grace = await page.evaluate(() => window.mock.add('Grace'));
      await shows('Grace', 'has-picture', '!sealed');
      await says(/^The bridge at .* can decrypt this call while it forwards it; it keeps nothing$/);
      await page.press('e');
      await shows('Ada (you)', 'sealed');
      assert.deepEqual((await told('e2ee')).map(({ wanted }) => wanted), [true]);
      assert.deepEqual((await told('declare')).map(({ e2ee }) => e2ee), [true]);
      await says(/^The bridge at .* can decrypt what Grace sends; it keeps nothing$/);
      await page.evaluate((id) => window.mock.seal(id), grace);
      await shows('Grace', 'sealed', 'has-picture');
      await says(/^Only the two of you can hear and see this call$/);
      await page.click('#call [data-part=seal]');
      await shows('Ada (you)', '!sealed');
      assert.deepEqual((await told('declare')).map(({ e2ee }) => e2ee), [true, false]);
      await says(/^The bridge at .* can decrypt what you send/);
      noErrors();
    });

    test('shows a sentence instead of a picture that it has no key for', options, async () => {
      await joined(Sealing);
      const grace = await page.evaluate(() => window.mock.add('Grace'));
      await shows('Grace', 'has-picture');
      await page.evaluate((id) => window.mock.seal(id, { secretly: true }), grace);
      await noteOf('Grace', /^Grace’s picture is encrypted with a key that this browser does not have$/);
      await shows('Grace', '!has-picture', '!sealed');
      noErrors();
    });

    test('finds out who says that they encrypt and does not', options, async () => {
      await joined();
      const grace = await page.evaluate(() => window.mock.add('Grace'));
      await shows('Grace', 'has-picture');
      await page.press('e');
      await page.evaluate((id) => window.mock.change(id, { e2ee: { declared: true, verdict: 'undecided' } }), grace);
      await noteOf('Grace', /^Grace says that they encrypt, but their streams look unencrypted$/);
      await says(/^What Grace sends looks unencrypted: the bridge at .* can probably decrypt it$/);
      await shows('Grace', '!sealed');
    });

    test('tells who cannot encrypt, and everyone else who it is', options, async () => {
      await joined('delete window.RTCRtpScriptTransform; delete RTCRtpSender.prototype.createEncodedStreams;');
      assert.equal((await told('join'))[0].e2ee, false);
      await page.evaluate(() => window.mock.policy({ wanted: true, required: true }, null));
      await page.evaluate(() => window.mock.holdBack('audio', 'undeclared'));
      const notices = (pattern) =>
        until(`a notice ${pattern}`, async () => pattern.test(await textOf('#call .notices')));
      await notices(/This browser cannot encrypt end to end/);
      await notices(/The others do not get your sound: .* this browser does not encrypt what it sends/);
      assert.deepEqual(await told('declare'), []);
      await joined();
      assert.equal((await told('join'))[0].e2ee, true);
      await page.evaluate(() => window.mock.add('Grace', { e2ee: { capable: false } }));
      await page.press('e');
      await notices(/Grace’s browser cannot encrypt end to end: the bridge can decrypt what Grace sends/);
      await noteOf('Grace', /^Grace’s browser cannot encrypt end to end$/);
      noErrors();
    });

    test('keeps its picture to itself when its only format cannot be encrypted', options, async (context) => {
      await open('');
      const hasH264 = await page.evaluate(() =>
        RTCRtpSender.getCapabilities('video').codecs.some(({ mimeType }) => mimeType === 'video/H264'));
      if (!hasH264) return context.skip('this browser sends no H.264');
      await open('conference=standup&name=Ada&autojoin=1&codecs=H264&e2ee=1');
      await inCall();
      assert.equal((await told('join'))[0].e2ee, false);
      await until('the notice', async () => /Your picture is not sent/.test(await textOf('#call .notices')));
      await until('sound', async () => (await page.evaluate(() => window.mock.arrived())).audioPackets > 5);
      assert.equal((await page.evaluate(() => window.mock.arrived())).frames, 0);
    });

    test('leaves a conference that does not require what its invitation promises', options, async () => {
      await open('name=Ada&autojoin=1', { hash: '#standup&e2ee=required' });
      await until('the end screen', () => visible('ended'));
      assert.match(await textOf('#ended [data-part=reason]'), /opened without it\. Nothing of you was sent/);
      assert.equal((await told('join'))[0].require_e2ee, true);
      assert.deepEqual(await told('offer'), []);
    });

    test('shows each leg of the call and the digits to compare', options, async () => {
      await open('conference=standup&name=Ada&autojoin=1&e2ee=1', { script: Sealing });
      await inCall();
      const grace = await page.evaluate(() => window.mock.add('Grace'));
      await page.evaluate((id) => window.mock.seal(id), grace);
      await says(/^Only the two of you/);
      await page.evaluate((id) => {
        const hop = { dtls_version: 'DTLSv1.2', dtls_group: 'X25519', dtls_cipher: 'ECDHE-ECDSA-AES128-GCM-SHA256',
          srtp_profile: 'AEAD_AES_128_GCM', participant_fingerprint: 'sha-256 AB:CD' };
        const stream = { kind: 'audio', declared: true, observed: 'ciphertext', readable_by: ['participants'] };
        window.mock.report.participants = [
          { id: 'me', path: 'bridge', hop, sends: [stream], receives: [] },
          { id, path: 'bridge', hop, sends: [stream], receives: [] },
        ];
      }, grace);
      await page.click('#call summary');
      const panel = () => textOf('[data-part=privacy-panel]');
      await until('the legs', async () => /DTLSv1\.2, X25519, ECDHE-ECDSA-AES128-GCM-SHA256/.test(await panel()));
      assert.match(await panel(), /looks encrypted \(evidence, not proof\)/);
      assert.match(await textOf('.panel .digits'), /^\d{4} \d{4} \d{4}$/);
      const asked = (await told('privacy')).length;
      await until('it asks again', async () => (await told('privacy')).length > asked);
      noErrors();
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
