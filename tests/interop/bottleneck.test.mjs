// Real browsers with simulcast behind a poor network: which picture comes, whether it freezes, and what senders are
// told. What comes is what the receiving browser counts; a gap is the longest time without a newly decoded frame.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Bridge } from './lib/bridge.mjs';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { Participant } from './lib/participant.mjs';
import { behindBottleneck, Reception } from './lib/poor_network.mjs';
import { SteadyVoice } from './lib/sound_watch.mjs';
import { sleep, until } from './lib/until.mjs';

// The smallest camera of which a browser makes three sizes: 540, 270 and 135 lines. Those of 720 lines take more than
// two slow cores have.
const Camera = { width: 960, height: 540 };
const Narrow = { rate: 400_000 };
const NarrowForFirefox = { rate: 180_000 };  // whose pictures take less than half
const VeryNarrow = { rate: 100_000 };
const Lossy = { loss: 0.1 };
const Wide = { rate: null, loss: 0 };
const LongestGap = 2;                        // s
const MostConcealed = 0.05;                  // of the sound
// The camera as one VP9 stream with layers of three sizes, in place of the page's three streams.
const SizesInOneStream = `{
  const real = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (what, options = {}) {
    const isCamera = options.sendEncodings?.length > 1;
    return real.call(this, what, isCamera ? { ...options, sendEncodings: [{ scalabilityMode: 'L3T3' }] } : options);
  };
}`;
const options = { timeout: 120_000 };

describe('behind a bottleneck', { concurrency: 1 }, () => {
  let bridge;
  let chromium;
  let firefox;
  let people = [];
  let network;
  let conference;

  before(async () => {
    bridge = await Bridge.start();
    chromium = await launchChromium();
  }, { timeout: 60_000 });
  after(async () => {
    network?.close();
    await Promise.allSettled([chromium, firefox].map((browser) => browser?.close()));
    await bridge?.stop();
  }, { timeout: 30_000 });

  const step = (name, body) => test(name, options, async (context) => {
    try {
      await body(context);
      for (const person of people) assert.deepEqual(person.page.errors(), [], `errors in ${person.name}'s page`);
    } catch (error) {
      for (const person of people) console.error(await person.report());
      console.error(`--- the network: ${JSON.stringify({ down: network?.down.counts, up: network?.up.counts })}`);
      for (const { name, ...endpoint } of await endpoints()) console.error(`--- ${name}: ${JSON.stringify(endpoint)}`);
      console.error(`--- the bridge's log\n${bridge.log.slice(-50).join('\n')}`);
      throw error;
    } finally {
      set(Wide);
    }
  });

  // What the bridge says of the network and the picture of each.
  const endpoints = async () => {
    const { endpoints: all = [] } = await bridge.conference(conference).catch(() => ({}));
    return all.map(({ name, available_bits_per_second, wanted_bits_per_second, sources, slots }) => ({
      name, available_bits_per_second, wanted_bits_per_second,
      layers: sources.find(({ content }) => content === 'camera')?.layers,
      slot: slots.find(({ kind, participant }) => kind === 'video' && participant),
    }));
  };

  // A conference of Ada, who sends, and Grace behind the bottleneck, who has Ada on her stage.
  const hold = async (name, sender, receiver, { codecs = null, script = '' } = {}) => {
    conference = name;
    network?.close();
    await Promise.all(people.map((person) => person.close()));
    const how = { conference, codecs, script: SteadyVoice + script };
    const ada = new Participant(sender, bridge, { ...how, name: 'Ada', query: { direct: '0', ...Camera } });
    const behind = await behindBottleneck(receiver, bridge, { ...how, name: 'Grace', query: { direct: '0' } });
    network = behind.network;
    people = [ada, behind.person];
    // One after the other: pages of one Chromium share its fake camera at the size that the first of them asked for.
    for (const person of people) await person.join(60);
    await behind.person.page.click('#call [data-part=view]');
    return { ada, grace: behind.person, seen: await Reception.of(behind.person, 'Ada') };
  };
  const set = (limits) => {
    network?.down.set(limits);
    if (limits.loss !== undefined) network?.up.set({ loss: limits.loss });
  };
  const untilLarge = (seen, seconds = 30) =>
    seen.untilHeight('the large picture', (height) => height === Camera.height, seconds);
  const untilSmaller = (seen) =>
    seen.untilHeight('a smaller picture', (height) => height > 0 && height < Camera.height, 10);
  const judge = (context, what, summary) => {
    context.diagnostic(`${what}: ${JSON.stringify(summary)}`);
    assert.ok(summary.longestGap <= LongestGap, `${what}: no new frame for ${summary.longestGap} s`);
    assert.ok(summary.frozen <= summary.seconds / 4, `${what}: frozen for ${summary.frozen} s`);
    assert.ok(summary.concealed <= MostConcealed, `${what}: ${summary.concealed} of the sound was made up`);
  };
  // The layer goes down in a narrow network and up again in a wide one, without a freeze.
  const judgeSwitches = async (context, seen, narrow = Narrow) => {
    await untilLarge(seen);
    judge(context, 'down', await seen.during(async () => {
      set(narrow);
      await untilSmaller(seen);
      await sleep(5_000);
    }));
    judge(context, 'up', await seen.during(async () => {
      set(Wide);
      await untilLarge(seen);
    }));
  };
  let call;

  step('Chromium gets a smaller picture of Chromium, and the large one again, without a freeze', async (context) => {
    call = await hold('narrow', chromium, chromium);
    await judgeSwitches(context, call.seen);
  });

  step('sound and a small picture stay at 100 kbit/s', async (context) => {
    await untilLarge(call.seen);
    set(VeryNarrow);
    await untilSmaller(call.seen);
    await sleep(8_000);                      // until the queue of what was sent before has drained
    const summary = await call.seen.during(() => sleep(10_000));
    judge(context, '100 kbit/s', summary);
    assert.ok(summary.framesPerSecond >= 1, `${summary.framesPerSecond} frames a second`);
  });

  step('a tenth of all packets lost both ways is hardly visible', async (context) => {
    await untilLarge(call.seen, 40);
    set(Lossy);
    await sleep(1_000);
    const summary = await call.seen.during(() => sleep(12_000));
    judge(context, 'loss', summary);
    assert.ok(network.down.counts.lost > 50, 'too few packets were lost to tell');
    assert.ok(summary.framesPerSecond >= 10, `${summary.framesPerSecond} frames a second`);
  });

  step('a sender is told which sizes nobody needs, and sends them again when they are', async () => {
    await untilLarge(call.seen, 40);
    const isLargeActive = async () => (await call.ada.stats()).sending.find(({ rid }) => rid === 'f').active;
    await until('Ada sends the large size', isLargeActive);
    await call.grace.page.resize({ width: 480, height: 320 });
    await until('Ada has stopped the large size', async () => !(await isLargeActive()));
    await call.grace.page.resize({ width: 1280, height: 720 });
    await until('Ada sends the large size again', isLargeActive);
    await untilLarge(call.seen, 15);
  });

  step('a picture that is encrypted end to end becomes smaller, and large again, without a freeze', async (context) => {
    await untilLarge(call.seen, 40);
    await call.ada.page.press('e');
    await until('only the two can see it', async () =>
      /^Only the two of you/.test(await call.grace.privacySentence()), 30);
    await judgeSwitches(context, call.seen);
  });

  step('layers of one VP9 stream are taken off, and come back, without a freeze', async (context) => {
    const { ada, seen } = await hold('svc', chromium, chromium, { codecs: 'VP9', script: SizesInOneStream });
    await judgeSwitches(context, seen);
    const [{ mode }, ...others] = (await ada.stats()).sending.filter(({ kind }) => kind === 'video');
    assert.deepEqual([mode, others.length], ['L3T3', 0]);
  });

  step('Firefox gets a smaller picture, and the large one again, without a freeze', async (context) => {
    firefox = await launchFirefox();
    const { seen } = await hold('to-firefox', chromium, firefox);
    await judgeSwitches(context, seen);
  });

  step('the picture of Firefox becomes smaller, and large again, without a freeze', async (context) => {
    const { seen } = await hold('from-firefox', firefox, chromium);
    await judgeSwitches(context, seen, NarrowForFirefox);
  });
});
