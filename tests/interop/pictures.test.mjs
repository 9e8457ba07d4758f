// What is large, what is asked for, what is sent and how well it goes: the page's decisions, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cameraLayers, screenEncoding, shapeEncodings } from '../../bridge/web/encodings.js';
import { gridBoxes, stageBoxes } from '../../bridge/web/layout.js';
import { qualityOfOther, qualityOfSelf, SteadyQuality } from '../../bridge/web/quality.js';
import { sent, summed } from '../../bridge/web/quality_watch.js';
import { Slots } from '../../bridge/web/slots.js';
import { mostWantedFirst, Stage } from '../../bridge/web/stage.js';
import { heightToAsk, WishSender, wishesOf } from '../../bridge/web/wishes.js';

const Windows = [[1280, 720], [344, 400], [844, 390], [2560, 1080], [320, 300]];

function assertApart(boxes, width, height, what) {
  for (const [i, a] of boxes.entries()) {
    const isInside = a.left >= 0 && a.top >= 0 && a.left + a.width <= width && a.top + a.height <= height;
    assert.ok(isInside, `${what}, box ${i}`);
    for (const b of boxes.slice(0, i)) {
      const isBeside = a.left >= b.left + b.width || b.left >= a.left + a.width;
      assert.ok(isBeside || a.top >= b.top + b.height || b.top >= a.top + a.height, `${what}, boxes overlap`);
    }
  }
}

test('boxes of tiles and of a stage with its strip never leave the window nor overlap', () => {
  for (const [width, height] of Windows) {
    for (let count = 0; count <= 40; ++count) {
      const what = `${count} in ${width}x${height}`;
      if (count > 0) assertApart(gridBoxes(count, width, height, 10), width, height, what);
      const { stage, strip } = stageBoxes(count, width, height, 10);
      assertApart([stage, ...strip], width, height, `stage and ${what}`);
      assert.ok(strip.length <= count && (count === 0 || strip.length > 0));
      assert.ok(stage.width * stage.height >= width * height * 0.35, `the stage is large: ${what}`);
    }
  }
});

// --- the stage ---

const people = (...ids) => ids.map((id) => ({ id, hasScreen: false }));
const staged = (...steps) => {
  const stage = new Stage();
  for (const step of steps) stage.follow({ speaker: null, ...step });
  if (stage.view === 'tiles') stage.toggleView();
  return stage;
};

test('the stage follows the speaker, but not ourselves, and not into silence', () => {
  const stage = staged({ people: people('ada', 'grace') });
  assert.equal(stage.onStage, 'ada');
  stage.follow({ people: people('ada', 'grace'), speaker: 'grace' });
  assert.equal(stage.onStage, 'grace');
  stage.follow({ people: people('ada', 'grace'), speaker: 'me' });
  assert.equal(stage.onStage, 'grace');
  stage.follow({ people: people('ada', 'grace'), speaker: null });
  assert.equal(stage.onStage, 'grace');
  stage.follow({ people: people('ada'), speaker: null });
  assert.equal(stage.onStage, 'ada');
  stage.follow({ people: [], speaker: null });
  assert.equal(stage.onStage, 'self');
});

test('a pin holds against speakers and screens until it is taken away or its person leaves', () => {
  const stage = staged({ people: people('ada', 'grace') });
  stage.togglePin('grace');
  stage.follow({ people: [{ id: 'ada', hasScreen: true }, { id: 'grace', hasScreen: false }], speaker: 'ada' });
  assert.deepEqual([stage.onStage, stage.pinned], ['grace', 'grace']);
  stage.togglePin('grace');
  assert.deepEqual([stage.onStage, stage.pinned], ['ada/screen', null]);
  stage.togglePin('grace');
  stage.follow({ people: people('ada'), speaker: null });
  assert.deepEqual([stage.onStage, stage.pinned], ['ada', null]);
  stage.togglePin('nobody');
  assert.equal(stage.pinned, null);
});

test('pinning in the tile view brings the stage, and the person may go back with the pin kept', () => {
  const stage = new Stage();
  stage.follow({ people: people('ada'), speaker: null });
  assert.deepEqual([stage.view, stage.onStage], ['tiles', null]);
  stage.togglePin('ada');
  assert.deepEqual([stage.view, stage.onStage], ['stage', 'ada']);
  stage.toggleView();
  assert.deepEqual([stage.view, stage.onStage, stage.pinned], ['tiles', null, 'ada']);
});

test('a screen that begins takes the stage, the latest of several, and gives back the view of before', () => {
  const sharing = (...ids) => ['ada', 'grace'].map((id) => ({ id, hasScreen: ids.includes(id) }));
  const stage = new Stage();
  stage.follow({ people: sharing(), speaker: null });
  stage.follow({ people: sharing('grace'), speaker: 'ada' });
  assert.deepEqual([stage.view, stage.onStage], ['stage', 'grace/screen']);
  stage.follow({ people: sharing('ada', 'grace'), speaker: 'ada' });
  assert.equal(stage.onStage, 'ada/screen');
  stage.toggleView();
  assert.equal(stage.view, 'tiles', 'whoever does not want to look does not have to');
  stage.follow({ people: sharing('grace'), speaker: null });
  assert.equal(stage.view, 'tiles');
  stage.follow({ people: sharing(), speaker: null });
  stage.follow({ people: sharing('grace'), speaker: null });
  assert.equal(stage.view, 'stage', 'the next screen is another matter');
  stage.follow({ people: sharing(), speaker: null });
  assert.equal(stage.view, 'tiles');
});

test('on a screen too small for all, whoever spoke lately stays', () => {
  const picture = (id, more = {}) => ({ id, isSelf: id === 'self', isScreen: false, track: {}, ...more });
  const all = [picture('ada', { track: null }), picture('bob'), picture('cleo'),
    picture('dan/screen', { isScreen: true }), picture('eve'), picture('self')];
  const order = mostWantedFirst(all, { onStage: 'eve', pinned: null, recent: ['cleo', 'ada'] }).map(({ id }) => id);
  assert.deepEqual(order, ['eve', 'self', 'dan/screen', 'cleo', 'ada', 'bob']);
});

// --- wishes ---

test('a picture is asked for as large as it is shown, in steps, and not at all when it cannot be seen', () => {
  const heights = [
    [0, 0], [60, 90], [180, 180], [230, 180], [250, 360], [353, 360], [480, 360], [500, 540], [1000, 1080],
  ];
  for (const [height, asked] of heights) assert.equal(heightToAsk({ height, isScreen: false }), asked, `${height}`);
  assert.equal(heightToAsk({ height: 400, isScreen: true }), 540, 'text is not enlarged');
  assert.equal(heightToAsk({ height: 9000, isScreen: false }), -1);
  const shown = [
    { name: 'ada', height: 500, isScreen: false, isOnStage: true, isPinned: true },
    { name: 'bob', height: 0, isScreen: false },
    { name: 'cleo', height: 120, isScreen: false, isPinned: true },
  ];
  assert.deepEqual(wishesOf(shown, { isHidden: false }), {
    on_stage: ['ada'], selected: ['cleo'], max_height: -1, max_heights: { ada: 540, bob: 0, cleo: 90 },
  });
  assert.deepEqual(wishesOf(shown, { isHidden: true }),
    { last_n: 0, on_stage: [], selected: [], max_height: 0, max_heights: {} });
});

test('of more pictures than a message names, those that are seen are named and no other is asked for', () => {
  const all = Array.from({ length: 100 }, (_, i) => ({ name: `p${i}`, height: i < 70 ? 0 : 180, isScreen: false }));
  const { max_height: rest, max_heights: heights } = wishesOf(all, { isHidden: false });
  assert.equal(rest, 0);
  assert.equal(Object.keys(heights).length, 64);
  assert.equal(Object.values(heights).filter((height) => height === 180).length, 30);
});

test('wishes wait for the bridge to be ready, come together, and come again only when they differ', () => {
  const due = new Map();                     // number of a timer -> task
  let numbered = 0;
  const timers = {
    set: (task) => { due.set(++numbered, task); return numbered; },
    clear: (timer) => due.delete(timer),
  };
  const pass = () => { for (const [number, task] of [...due]) if (due.delete(number)) task(); };
  const told = [];
  const sender = new WishSender((wishes) => told.push(wishes), timers);
  sender.set({ last_n: 1 });
  pass();
  assert.deepEqual(told, []);
  sender.open();
  sender.set({ last_n: 2 });
  sender.set({ last_n: 3 });
  assert.deepEqual([told, due.size], [[], 1]);
  pass();
  assert.deepEqual(told, [{ last_n: 3 }]);
  sender.set({ last_n: 3 });
  pass();
  assert.equal(told.length, 1);
  sender.again();
  pass();
  assert.equal(told.length, 2);
  sender.set({ last_n: 4 });
  sender.close();
  pass();
  assert.equal(told.length, 2);
});

// --- encodings ---

const Hd = { width: 1280, height: 720 };
const Idle = { isSending: true, wanted: null, maxHeight: -1, size: Hd, caps: null, format: 'VP8' };
const shaped = (encodings, state) => {
  const changed = shapeEncodings(encodings, { ...Idle, ...state });
  const scales = encodings.map(({ scaleResolutionDownBy }) => scaleResolutionDownBy);
  return { changed, active: encodings.map(({ active }) => active), scales };
};

test('a camera has as many sizes as its picture is good for, each half of the next', () => {
  for (const [size, active, scales] of [
    [Hd, [true, true, true], [4, 2, 1]],
    [{ width: 720, height: 1280 }, [true, true, true], [4, 2, 1]],
    [{ width: 640, height: 480 }, [true, true, false], [2, 1, 1]],
    [{ width: 320, height: 180 }, [true, false, false], [1, 1, 1]],
  ]) {
    const found = shaped(cameraLayers(), { size });
    assert.deepEqual([found.active, found.scales], [active, scales], `${size.width}x${size.height}`);
  }
});

test('what nobody wants is not sent, and everything is until somebody has said', () => {
  const layers = cameraLayers();
  const wanted = (q, h, f) => new Map([['q', q], ['h', h], ['f', f]]);
  assert.deepEqual(shaped(layers, { wanted: wanted(true, false, true) }).active, [true, false, true]);
  assert.equal(shaped(layers, { wanted: wanted(true, false, true) }).changed, false);
  assert.deepEqual(shaped(layers, { wanted: wanted(true, true, true), maxHeight: 0 }).active, [false, false, false]);
  assert.deepEqual(shaped(layers, { isSending: false }).active, [false, false, false]);
  assert.deepEqual(shaped(layers, {}).active, [true, true, true]);
});

test('the least of several sizes fits beside sound into 100 kbit/s, and one that is alone has more', () => {
  const bitrates = (width, height) => {
    const layers = cameraLayers();
    return shaped(layers, { size: { width, height } }).active.flatMap((on, i) => (on ? [layers[i].maxBitrate] : []));
  };
  assert.deepEqual(bitrates(1280, 720), [75_000, 500_000, 1_700_000]);
  assert.deepEqual(bitrates(960, 540), [60_000, 500_000, 1_700_000]);
  assert.deepEqual(bitrates(320, 180), [150_000]);
});

test('formats of which a browser makes no several sizes go as one, no larger than anybody wants', () => {
  const modeless = cameraLayers().map(({ scalabilityMode, ...layer }) => layer);
  const wanted = new Map([['q', false], ['h', true], ['f', false]]);
  const one = shaped(modeless, { format: 'VP9', maxHeight: 360, wanted });
  assert.deepEqual([one.active, one.scales[2]], [[false, false, true], 2]);
  assert.deepEqual(shaped(modeless, { format: 'VP8' }).active, [true, true, true]);
  assert.deepEqual(shaped(cameraLayers(), { format: 'AV1' }).active, [true, true, true]);
});

test('a picture without layers is limited by the crowd and by who looks', () => {
  const one = [{ active: true }];
  assert.deepEqual(shaped(one, { caps: { maxBitrate: 600_000, scale: 2 }, maxHeight: 720 }).scales, [2]);
  assert.equal(one[0].maxBitrate, 600_000);
  assert.deepEqual(shaped(one, { caps: { maxBitrate: 600_000, scale: 2 }, maxHeight: 180 }).scales, [4]);
  assert.deepEqual(shaped(one, { maxHeight: 10 }).scales, [8], 'but not to a stamp');
  const screen = screenEncoding();
  assert.equal(screen[0].active, false);
  assert.deepEqual(shaped(screen, { wanted: new Map([[null, false]]) }).active, [false]);
  assert.deepEqual(shaped(screen, { wanted: new Map([[null, true]]) }).active, [true]);
});

// --- slots ---

test('a slot tells a screen from a camera, and what is paused; anything else in the message is passed over', () => {
  const slots = new Slots();
  slots.assign({ slots: [
    { mid: '3', kind: 'video', participant: 'ada', content: 'camera', paused: true },
    { mid: '4', kind: 'video', participant: 'ada', content: 'screen', paused: false },
    { mid: '5', kind: 'video', participant: 'bob' },
    { mid: '2', kind: 'audio', participant: 'bob', content: null, paused: false },
    null, 'x',
  ], undecodable: [{ participant: 'cleo', codec: 'H264' }] });
  assert.deepEqual([slots.picture('ada').mid, slots.picture('ada').paused], ['3', true]);
  assert.equal(slots.picture('ada', 'screen').mid, '4');
  assert.equal(slots.picture('bob').mid, '5', 'of a bridge that knows no screens');
  assert.equal(slots.picture('bob', 'screen'), undefined);
  assert.equal(slots.undecodable('cleo'), 'H264');
  slots.assign({ slots: 'none' });
  assert.deepEqual(slots.all, []);
});

// --- quality ---

test('quality is a word, and a reason in words when it is not good', () => {
  const of = (seen) => qualityOfOther({ lossRatio: 0, freezeRatio: 0, paused: false, ...seen });
  assert.deepEqual([of({}).level, of({}).text], ['good', 'Good']);
  assert.equal(of({ lossRatio: 0.04 }).text, 'Fair: 4 % of it is lost on the way');
  assert.equal(of({ lossRatio: 0.2, freezeRatio: 0.1 }).text, 'Poor: 20 % of it is lost on the way');
  assert.equal(of({ freezeRatio: 0.5 }).text, 'Poor: the picture stands still at times');
  assert.equal(of({ paused: true }).text, 'Poor: paused, your connection is slow');
  assert.equal(qualityOfOther(null), null);
  const own = (seen, network = { available: null, wanted: null }) =>
    qualityOfSelf({ lossRatio: 0, delay: 20, isLimited: false, ...seen }, network).text;
  assert.equal(own({}), 'Good');
  assert.equal(own({ delay: 443 }), 'Fair: there is a long delay (440 ms)');
  assert.equal(own({}, { available: 300_000, wanted: 1_000_000 }), 'Poor: low bandwidth (300 kbit/s)');
  assert.equal(own({}, { available: 900_000, wanted: 1_000_000 }), 'Good');
  assert.equal(own({ isLimited: true }), 'Fair: low bandwidth for what you send');
  assert.equal(qualityOfSelf(null, { available: null, wanted: null }), null);
});

test('a word stays long enough to be read', () => {
  const steady = new SteadyQuality();
  const [good, poor] = [{ rank: 0 }, { rank: 2 }];
  const shown = [good, poor, good, poor, poor, good, good, good, null].map((found) => steady.next(found)?.rank ?? null);
  assert.deepEqual(shown, [0, 0, 0, 0, 2, 2, 2, 0, null]);
});

test('loss counts for whoever the slot carries, from one look to the next', () => {
  const slot = (participant, packetsReceived, packetsLost) => ({
    path: 'bridge', mid: '3', participant, content: 'camera', packetsReceived, packetsLost, totalFreezesDuration: 0,
    paused: false,
  });
  const before = new Map([['bridge 3', { ...slot('ada', 1_000, 500), at: 0 }]]);
  assert.equal(summed([slot('ada', 1_090, 510)], before, 3_000).lossRatio, 0.1);
  assert.equal(summed([slot('bob', 1_090, 510)], before, 3_000), null, 'what was lost of Ada is not Bob’s');
  assert.equal(summed([slot('ada', 1_000, 500)], before, 3_000), null);
  assert.equal(summed([slot('ada', 1_005, 503)], before, 3_000).lossRatio, 0, 'too few to say');
  assert.equal(summed([{ ...slot('ada', 1_000, 500), paused: true }], before, 3_000).paused, true);
  const entry = (kind, more) =>
    ({ kind, packets: 9, active: true, lossRatio: 0, delay: 0.1, limitedBy: 'none', ...more });
  assert.deepEqual(sent([entry('audio', {}), entry('video', { limitedBy: 'bandwidth' }), entry('video', {})]),
    { lossRatio: 0, delay: 100, isLimited: false });
  assert.equal(sent([entry('audio', {}), entry('video', { limitedBy: 'bandwidth' })]).isLimited, true);
  assert.equal(sent([entry('video', { packets: 0 })]), null);
});
