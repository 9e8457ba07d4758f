// End-to-end encrypted frames between real browsers: every format, in every direction, through the browsers' own
// packetizers; and what people see when keys are missing or wrong.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { FramePair, packed } from './lib/frame_pair.mjs';
import { servePage } from './lib/page_server.mjs';
import { newSenderKey, nextSenderKey, ratchet } from '../../bridge/web/e2ee/sender_keys.js';

globalThis.crypto ??= webcrypto;             // node 18

const Formats = ['VP8', 'VP9', 'AV1'];
const options = { timeout: 120_000 };

const isVideo = (slot) => slot !== 'audio';
const flows = ({ decoded, energy }, slot) => (isVideo(slot) ? decoded >= 10 : energy > 0);
const isOpen = (owner) => (seen, slot) => seen.state === 'open' && seen.owner === owner && flows(seen, slot);

describe('encrypted frames', () => {
  let server;
  let chromium;
  let firefox;
  before(async () => {
    server = await servePage();
    [chromium, firefox] = await Promise.all([launchChromium(), launchFirefox()]);
  }, { timeout: 60_000 });
  after(async () => {
    await Promise.allSettled([chromium?.close(), firefox?.close()]);
    await server?.close();
  }, { timeout: 30_000 });

  // A connected pair, closed when the body is done.
  async function withPair(browsers, wanted, body, { encrypting = true, declared = encrypting, keys = true } = {}) {
    const pair = await FramePair.open(server.url, browsers, wanted);
    try {
      if (keys) await pair.exchangeKeys();
      if (encrypting) await pair.encrypt(true);
      await pair.declare(declared);
      await pair.connect();
      await body(pair, ...pair.ends);
      for (const { page } of pair.ends) assert.deepEqual(page.errors(), []);
    } finally {
      await pair.close();
    }
  }

  // Firefox keeps lines for formats that it does not offer, which Chromium refuses: so Chromium offers.
  for (const [first, second, descriptor, streamsOnly] of [
    ['chromium', 'chromium', false],
    ['chromium', 'chromium', true],
    ['firefox', 'firefox', false],
    ['chromium', 'firefox', true],
    ['chromium', 'chromium', false, true],
  ]) {
    const how = descriptor ? ', with the dependency descriptor' : streamsOnly ? ', by encoded streams' : '';
    test(`pass between ${first} and ${second} in every format${how}`, options, async () => {
      const browsers = [first, second].map((name) => (name === 'chromium' ? chromium : firefox));
      await withPair(browsers, { formats: Formats, descriptor, streamsOnly: streamsOnly ?? false }, async (pair) => {
        if (streamsOnly) {
          assert.equal(await pair.ends[0].page.evaluate(() => 'RTCRtpScriptTransform' in window), false);
        }
        assert.equal(/dependency-descriptor/.test(pair.answer), descriptor && second === 'chromium');
        for (const [end, other] of [pair.ends, [...pair.ends].reverse()]) {
          await end.everySlot('everything is opened', isOpen(other.name));
        }
        for (const [width, height] of [[319, 181], [178, 100]]) {
          for (const end of pair.ends) await end.resize(width, height);
          await pair.everySlot(`the picture has ${width}x${height}`, ({ size }, slot) =>
            !isVideo(slot) || size === `${width}x${height}`,
          );
        }
        const seen = await pair.ends[0].look();
        for (const format of Formats) assert.equal(seen[format].format, format);
        for (const { counts } of Object.values(seen)) {
          assert.deepEqual([counts.plain, counts.refused, counts.unknown, counts.failed], [0, 0, 0, 0]);
        }
      });
    });
  }

  test('are nothing to a receiver who does not open them, until encryption is off', options, async () => {
    const [sends, watches] = [{ formats: Formats }, { formats: Formats, transforms: false }];
    const pair = await FramePair.open(server.url, [chromium, chromium], [sends, watches]);
    try {
      const [ada, grace] = pair.ends;
      await ada.page.evaluate((key) => window.end.ownKey(key), packed(ada.key));
      await ada.page.evaluate(() => window.end.encryption.setEncrypting(true));
      await pair.connect();
      await grace.everySlot('packets arrive', ({ packets }) => packets > 40);
      const seen = await grace.look();
      assert.deepEqual(Formats.map((format) => seen[format].decoded), [0, 0, 0]);
      await ada.page.evaluate(() => window.end.encryption.setEncrypting(false));
      await grace.everySlot('the same receiver decodes what is plain', flows);
    } finally {
      await pair.close();
    }
  });

  for (const [first, second] of [['chromium', 'firefox'], ['firefox', 'firefox']]) {
    test(`under a wrong key show as that, and flow with the right one, ${first} and ${second}`, options, async () => {
      const browsers = [first, second].map((name) => (name === 'chromium' ? chromium : firefox));
      await withPair(browsers, { formats: ['VP8'] }, async (pair, ada, grace) => {
        for (const [end, other] of [[ada, grace], [grace, ada]]) {
          await end.learn(other, { ...other.key, key: newSenderKey().key });
        }
        await pair.everySlot('the wrong key is noticed', ({ state }) => state === 'wrong-key');
        const before = await Promise.all(pair.ends.map((end) => end.look()));
        await pair.everySlot('it stays so', ({ counts }, slot) => counts.failed > before[0][slot].counts.failed + 20);
        const later = await Promise.all(pair.ends.map((end) => end.look()));
        assert.deepEqual(later.map(({ VP8 }) => VP8.decoded), before.map(({ VP8 }) => VP8.decoded));
        for (const [end, other] of [[ada, grace], [grace, ada]]) await end.learn(other, other.key);
        await pair.everySlot('the right key mends it', (seen, slot) =>
          seen.state === 'open' && (!isVideo(slot) || seen.decoded >= later[0].VP8.decoded + 10),
        );
      });
    });
  }

  test('follow their sender to a ratcheted and to a fresh key without a gap', options, async () => {
    await withPair([chromium, firefox], { formats: ['VP8'] }, async (pair, ada, grace) => {
      await pair.everySlot('everything flows', flows);
      for (const next of [await ratchet(ada.key), nextSenderKey(ada.key)]) {
        const before = await grace.look();
        if (next.step === 0) await grace.learn(ada, next);
        assert.equal(await ada.page.evaluate((key) => window.end.ownKey(key), packed(next)), true);
        const later = await grace.everySlot('frames flow on', ({ counts, state }, slot) =>
          state === 'open' && counts.opened > before[slot].counts.opened + 20,
        );
        for (const { counts } of Object.values(later)) assert.deepEqual([counts.failed, counts.unknown], [0, 0]);
      }
    });
  });

  test('can be turned on and off in mid-call', options, async () => {
    await withPair([chromium, firefox], { formats: ['VP8'] }, async (pair) => {
      await pair.everySlot('everything is plain', (seen, slot) => seen.state === 'plain' && flows(seen, slot));
      await pair.encrypt(true);
      await pair.everySlot('everything is encrypted', ({ state, owner }) => state === 'open' && owner !== null);
      await pair.declare(true);              // when no plain frame is on its way any more: that would be refused
      for (const end of pair.ends) {
        const before = await end.look();
        await end.everySlot('it stays so', ({ state, counts }, slot) =>
          state === 'open' && counts.opened > before[slot].counts.opened);
      }
      await pair.declare(false);
      await pair.encrypt(false);
      await pair.everySlot('everything is plain again', ({ state, owner }) => state === 'plain' && owner === null);
      for (const end of pair.ends) {
        for (const { counts } of Object.values(await end.look())) {
          assert.deepEqual([counts.refused, counts.unknown, counts.failed], [0, 0, 0]);
        }
      }
    }, { encrypting: false });
  });

  test('are not played when they are plain although their sender declares encryption', options, async () => {
    await withPair([chromium, firefox], { formats: ['VP8'] }, async (pair, ada, grace) => {
      await grace.everySlot('plain frames are refused', ({ state }) => state === 'refused');
      const before = await grace.look();
      await grace.everySlot('more are refused', ({ counts }, slot) =>
        counts.refused > before[slot].counts.refused + 5);
      const after = await grace.look();
      // A first frame may come before the slot knows whom it carries.
      assert.deepEqual([after.VP8.decoded, after.audio.counts.plain],
        [before.VP8.decoded, before.audio.counts.plain]);
      await grace.declare(ada, false);
      await grace.everySlot('without the declaration they are played', (now, slot) =>
        now.state === 'plain' && flows(now, slot),
      );
    }, { encrypting: false, declared: true });
  });

  test('are not sent at all while there is no key, and begin with a picture when there is', options, async () => {
    await withPair([chromium, firefox], { formats: ['VP8'] }, async (pair, ada, grace) => {
      await grace.page.evaluate(() => window.end.encryption.setEncrypting(false));
      await ada.everySlot('the connection carries media', ({ packets }) => packets > 20);
      const seen = await grace.look();
      assert.deepEqual([seen.VP8.packets, seen.audio.packets], [0, 0]);
      await grace.learn(ada, ada.key);
      await ada.page.evaluate((key) => window.end.ownKey(key), packed(ada.key));
      await grace.everySlot('everything is opened', isOpen('ada'));
    }, { keys: false });
  });
});
