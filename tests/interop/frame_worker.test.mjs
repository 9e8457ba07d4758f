// The frame worker in node, with streams and a page of our own: what it does with frames that a browser rarely makes.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { before, beforeEach, describe, test } from 'node:test';
import { decodeHeader, importBaseKey } from '../../bridge/web/e2ee/sframe.js';
import { newSenderKey, nextSenderKey, ratchet } from '../../bridge/web/e2ee/sender_keys.js';

globalThis.crypto ??= webcrypto;             // node 18

const handlers = {};                         // what the worker listens to
let look;                                    // its timer
let told = [];                               // what it told the page
let answers = new Map();                     // number of a command -> resolve
let lastNumber = 0;

/** Resolves when the condition holds; what it waits for takes no time of its own. */
async function until(condition) {
  while (!condition()) await new Promise(setImmediate);
}

/** One end of a connection, as the worker sees it: frames go in by write() and come out, in order, by take(). */
class Pipe {
  keyFrames = 0;                             // how many the worker asked for
  rids = [];                                 // of which encodings
  #out = [];
  #input;
  #closed;

  constructor(options) {
    const input = new TransformStream();
    this.#input = input.writable.getWriter();
    const transformer = {
      options,
      readable: input.readable,
      generateKeyFrame: async (rid) => {
        this.keyFrames++;
        this.rids.push(rid);
      },
      sendKeyFrameRequest: async () => { this.keyFrames++; },
    };
    this.#closed = new Promise((close) => {
      const write = ({ data }) => { this.#out.push(new Uint8Array(data)); };
      transformer.writable = new WritableStream({ write, close });
    });
    handlers.rtctransform({ transformer });
  }

  write(data, { type = 'delta', mimeType = 'video/VP8', payloadType = 96, ssrc = 1 } = {}) {
    const metadata = { mimeType, payloadType, synchronizationSource: ssrc };
    this.#input.write({ data: Uint8Array.from(data).buffer, type, getMetadata: () => metadata });
  }
  /** The next `count` frames. */
  async take(count) {
    await until(() => this.#out.length >= count);
    return this.#out.splice(0, count);
  }
  /** All that is left when everything that was written has passed or was dropped. */
  async end() {
    this.#input.close();
    await this.#closed;
    return this.#out.splice(0);
  }
}

const tell = (message) => new Promise((resolve) => {
  answers.set(++lastNumber, resolve);
  handlers.message({ data: { ...message, number: lastNumber } });
});
const named = async ({ prefix, number, step, key }) =>
  ({ name: { prefix, number, step }, key: await importBaseKey(key) });
const setOwnKey = async (key) => tell({ command: 'ownKey', ...(await named(key)) });
const setPeerKey = async (participant, key) => tell({ command: 'peerKey', participant, ...(await named(key)) });
const encrypt = (value) => tell({ command: 'encrypting', value });

let lastId = 0;
const source = (kind = 'video', rids = []) => new Pipe({ direction: 'send', kind, id: ++lastId, rids });
const slot = (name, kind = 'video') => new Pipe({ direction: 'receive', kind, slot: name });

// Everything in one worker, as in a page: a state that one test leaves behind is undone before the next.
describe('the frame worker', () => {
  before(async () => {
    const real = globalThis.setInterval;
    globalThis.addEventListener = (type, handler) => { handlers[type] = handler; };
    globalThis.setInterval = (handler) => { look = handler; };
    globalThis.postMessage = (message) => {
      if (message.event === 'done') answers.get(message.number)(message.result);
      else told.push(message);
    };
    await import('../../bridge/web/e2ee/frame_worker.js');
    globalThis.setInterval = real;
  });
  beforeEach(async () => {
    await encrypt(false);
    for (const participant of ['ada', 'grace']) await tell({ command: 'forget', participant });
    told = [];
  });

  test('sends nothing while it should encrypt and has no key', async () => {
    const [video, audio] = [source(), source('audio')];
    video.write([1, 2, 3]);
    assert.deepEqual(await video.take(1), [Uint8Array.of(1, 2, 3)]);
    await encrypt(true);
    video.write([4]);
    audio.write([5], { mimeType: 'audio/opus' });
    assert.deepEqual([...(await video.end()), ...(await audio.end())], []);
  });

  test('asks its encoders for a key frame when a fresh key is used, and not for a ratchet', async () => {
    const video = source();
    const key = newSenderKey();
    await setOwnKey(key);
    assert.equal(video.keyFrames, 1);
    await setOwnKey(await ratchet(key));
    assert.equal(video.keyFrames, 1);
    await setOwnKey(nextSenderKey(key));
    assert.equal(video.keyFrames, 2);
  });

  test('asks every size of a picture for a key frame, and counts once for all of them', async () => {
    const video = source('video', ['q', 'h', 'f']);
    await setOwnKey(newSenderKey());
    assert.deepEqual(video.rids, ['q', 'h', 'f']);
    await encrypt(true);
    for (let i = 0; i < 10; ++i) for (const ssrc of [1, 2, 3]) video.write([i], { mimeType: 'video/VP9', ssrc });
    const counters = (await video.end()).map((frame) => decodeHeader(frame).counter);
    assert.deepEqual([counters.length, new Set(counters).size], [30, 30]);
  });

  test('asks for a key frame when a size goes on after a gap, though another one gave one meanwhile', async () => {
    const video = source('video', ['q', 'f']);
    await encrypt(true);
    for (const ssrc of [1, 2]) video.write([1], { mimeType: 'video/H264', ssrc });     // which cannot be sealed
    await setOwnKey(newSenderKey());
    const before = video.keyFrames;
    video.write([2], { type: 'key', ssrc: 1 });
    video.write([3], { ssrc: 2 });
    await video.take(2);
    assert.ok(video.keyFrames > before, 'the second still lacks one');
  });

  test('opens what comes of one sender in another size, with counters far apart', async () => {
    const ada = newSenderKey();
    const video = source('video', ['q', 'h', 'f']);
    await setOwnKey(ada);
    await encrypt(true);
    for (let i = 0; i < 900; ++i) video.write([i & 0xff], { ssrc: i % 3 });
    const sealed = await video.end();
    await encrypt(false);
    await setOwnKey(newSenderKey());         // so that the prefix may be somebody else's here
    await setPeerKey('ada', ada);
    const small = sealed.filter((frame, i) => i % 3 === 0 && i < 300);
    const large = sealed.filter((frame, i) => i % 3 === 2 && i >= 600);
    const received = slot('switching');
    for (const frame of [...small, ...large, ...small.slice(0, 1)]) received.write(frame);
    assert.equal((await received.end()).length, small.length + large.length, 'and none of them twice');
  });

  test('refuses a key that it has left behind', async () => {
    const key = newSenderKey();
    assert.equal(await setOwnKey(nextSenderKey(key)), true);
    assert.equal(await setOwnKey(key), false);
    assert.equal(await setPeerKey('grace', key), false, 'and our own prefix from others');
  });

  test('counts once for all connections', async () => {
    const pipes = [source(), source(), source('audio'), source('audio')];
    await setOwnKey(newSenderKey());
    await encrypt(true);
    for (let i = 0; i < 20; ++i) for (const pipe of pipes) pipe.write([i], { mimeType: 'video/VP9' });
    const frames = [];
    for (const pipe of pipes) frames.push(...(await pipe.end()));
    const counters = frames.map((frame) => decodeHeader(frame).counter);
    assert.equal(frames.length, 80);
    assert.equal(new Set(counters).size, 80);
  });

  test('never lets a format out that it cannot encrypt', async () => {
    const video = source();
    await setOwnKey(newSenderKey());
    await encrypt(true);
    video.write([0, 0, 0, 1, 0x67], { mimeType: 'video/H264', type: 'key' });
    video.write([0x31], { mimeType: 'video/VP8' });
    const frames = await video.end();
    assert.deepEqual(frames.map(([first]) => first), [0x01]);
    assert.equal(video.keyFrames, 3, 'for the fresh key, when encryption began, and after the gap');
  });

  test('learns from the page what a browser does not say of its frames', async () => {
    const video = source();
    await setOwnKey(newSenderKey());
    await encrypt(true);
    video.write([1], { mimeType: null, payloadType: 45 });
    video.write([2], { mimeType: null, payloadType: 45, type: 'key' });
    await until(() => told.length > 0);
    assert.deepEqual(told, [{ event: 'formats-wanted', id: lastId }]);
    handlers.message({ data: { command: 'formats', id: lastId, formats: [[45, 'video/AV1']] } });
    assert.deepEqual((await video.end()).map(([first]) => first), [0x30, 0x08]);
  });

  test('sends nothing whose format nobody knows', async () => {
    const video = source();
    await setOwnKey(newSenderKey());
    await encrypt(true);
    video.write([7, 7, 7, 7], { mimeType: null, payloadType: 45 });
    await until(() => told.length > 0);
    handlers.message({ data: { command: 'formats', id: lastId, formats: [] } });
    assert.deepEqual(await video.end(), []);
  });

  test('opens what is known, drops what is not, and tells the page of each', async () => {
    const ada = newSenderKey();
    const video = source();
    await setOwnKey(ada);
    await encrypt(true);
    for (let i = 0; i < 3; ++i) video.write([9, i], { type: 'key' });
    const sealed = await video.end();
    await encrypt(false);
    await setOwnKey(newSenderKey());         // so that the prefix may be somebody else's here

    await tell({ command: 'slots', slots: [{ slot: 'a', participant: 'ada' }] });
    const received = slot('a');
    received.write(sealed[0], { type: 'key' });
    await until(() => (look(), told.some(({ news }) => news?.some(({ state }) => state === 'waiting'))));
    await setPeerKey('ada', ada);
    for (const frame of [sealed[1], sealed[1], [0x31, 1, 2]]) received.write(frame, { type: 'key' });
    assert.deepEqual(await received.take(2), [Uint8Array.of(9, 1), Uint8Array.of(0x31, 1, 2)]);
    await tell({ command: 'declared', participant: 'ada', value: true });
    const forged = sealed[2].slice();
    forged[forged.length - 1] ^= 1;
    for (const frame of [[0x31, 1, 2], forged, sealed[2]]) received.write(frame);
    assert.deepEqual(await received.take(1), [Uint8Array.of(9, 2)]);
    assert.equal(received.keyFrames, 1, 'a picture is missing since the last key frame');

    told = [];
    look();
    const [{ news }] = told.filter(({ event }) => event === 'status');
    assert.deepEqual(news, [{
      slot: 'a', kind: 'video', participant: 'ada', owner: 'ada', state: 'open',
      counts: { opened: 2, plain: 1, refused: 1, unknown: 1, failed: 1, replayed: 1 },
    }]);
    told = [];
    look();
    assert.deepEqual(told, [], 'nothing new');
  });

  test('does not call padding a plain frame', async () => {
    await tell({ command: 'slots', slots: [{ slot: 'c', participant: 'ada' }] });
    await tell({ command: 'declared', participant: 'ada', value: true });
    const received = slot('c', 'audio');
    received.write([]);
    assert.deepEqual(await received.end(), [new Uint8Array(0)]);
    look();
    assert.ok(!told.some(({ news }) => news?.some(({ slot: name, counts }) => name === 'c' && counts.refused > 0)));
  });

  test('takes plain frames of an empty slot only while it does not encrypt', async () => {
    const received = slot('b');
    received.write([0x31]);
    assert.equal((await received.take(1)).length, 1);
    await encrypt(true);
    received.write([0x31]);
    assert.equal((await received.end()).length, 0);
  });
});
