// SFrame and sender keys, against the test vectors of RFC 9605 (appendix C) and against whoever sits between.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { describe, test } from 'node:test';
import { assemble, canEncrypt, clearBytes, disassemble } from '../../bridge/web/e2ee/frame_format.js';
import {
  decodeHeader, deriveFrameKey, encodeHeader, importBaseKey, nonceOf, open, ratchetBaseKey, seal, Suites,
} from '../../bridge/web/e2ee/sframe.js';
import {
  kidOf, KeyBytes, newSenderKey, nextSenderKey, ratchet, ReceivingKeys, ReplayFilter, SendingKey,
} from '../../bridge/web/e2ee/sender_keys.js';
import { SlotState } from '../../bridge/web/e2ee/slot_state.js';

globalThis.crypto ??= webcrypto;             // node 18

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (array) => Buffer.from(array).toString('hex');
const text = (string) => new TextEncoder().encode(string);

// RFC 9605, appendix C.1.
const Headers = [
  [0n, 0n, '00'],
  [0n, 1n, '01'],
  [0n, 255n, '08ff'],
  [0n, 256n, '090100'],
  [0n, 65535n, '09ffff'],
  [0n, 65536n, '0a010000'],
  [0n, 4294967296n, '0c0100000000'],
  [0n, 281474976710656n, '0e01000000000000'],
  [0n, 18446744073709551615n, '0fffffffffffffffff'],
  [1n, 0n, '10'],
  [1n, 16777215n, '1affffff'],
  [1n, 1099511627776n, '1d010000000000'],
  [255n, 0n, '80ff'],
  [255n, 255n, '88ffff'],
  [255n, 72057594037927935n, '8effffffffffffffff'],
  [256n, 1n, '910100'],
  [256n, 65536n, '9a0100010000'],
  [65535n, 4294967295n, '9bffffffffffff'],
  [65536n, 256n, 'a90100000100'],
  [16777215n, 0n, 'a0ffffff'],
  [16777216n, 16777216n, 'bb0100000001000000'],
  [4294967295n, 72057594037927936n, 'bfffffffff0100000000000000'],
  [4294967296n, 281474976710655n, 'cd0100000000ffffffffffff'],
  [1099511627775n, 0n, 'c0ffffffffff'],
  [18446744073709551615n, 281474976710656n, 'feffffffffffffffff01000000000000'],
  [18446744073709551615n, 18446744073709551615n, 'ffffffffffffffffffffffffffffffffff'],
];

// RFC 9605, appendix C.3, the suites with AES-GCM.
const Common = {
  kid: 0x123,
  counter: 0x4567,
  baseKey: bytes('000102030405060708090a0b0c0d0e0f'),
  metadata: bytes('4945544620534672616d65205747'),
  plaintext: bytes('64726166742d696574662d736672616d652d656e63'),
};
const Vectors = [
  {
    suite: 4,
    salt: '75234edefe07819026751816',
    nonce: '75234edefe07819026755d71',
    sframe: '9901234567b7412c2513a1b66dbb48841bbaf17f598751176ad847681a69c6d0b091c07018ce4adb34eb',
  },
  {
    suite: 5,
    salt: '84991c167b8cd23c93708ec7',
    nonce: '84991c167b8cd23c9370cba0',
    sframe: '990123456794f509d36e9beacb0e261d99c7d1e972f1fed787d4049f17ca21353c1cc24d56ceabced279',
  },
];

describe('the header', () => {
  test('is written and read as in the RFC', () => {
    for (const [kid, counter, encoded] of Headers) {
      assert.equal(hex(encodeHeader(kid, counter)), encoded);
      assert.deepEqual(decodeHeader(bytes(`${encoded}0102`)), { kid, counter, length: encoded.length / 2 });
    }
  });

  test('is refused when it is cut short or longer than it need be', () => {
    for (const [, , encoded] of Headers) {
      for (let length = 0; length < encoded.length; length += 2) {
        assert.equal(decodeHeader(bytes(encoded.slice(0, length))), null);
      }
    }
    for (const wide of ['0807', '8007', '900007', '09000f', '0f0000000000000001']) {
      assert.equal(decodeHeader(bytes(wide)), null, wide);
    }
  });
});

describe('sealing and opening', () => {
  test('give the RFC\'s keys, nonces and ciphertexts', async () => {
    for (const { suite, salt, nonce, sframe } of Vectors) {
      const baseKey = await importBaseKey(Common.baseKey);
      const sealing = await deriveFrameKey(baseKey, Common.kid, suite, 'encrypt');
      assert.equal(hex(sealing.salt), salt);
      assert.equal(hex(nonceOf(sealing.salt, BigInt(Common.counter))), nonce);
      const { header, ciphertext } = await seal(
        sealing, Common.kid, Common.counter, Common.metadata, Common.plaintext);
      assert.equal(hex(header) + hex(ciphertext), sframe);
      const opening = await deriveFrameKey(baseKey, Common.kid, suite, 'decrypt');
      const opened = await open(opening, decodeHeader(bytes(sframe)), Common.metadata, bytes(sframe));
      assert.deepEqual(new Uint8Array(opened), Common.plaintext);
    }
  });

  test('take keys that serve one purpose and cannot be read back', async () => {
    const baseKey = await importBaseKey(Common.baseKey);
    const { key } = await deriveFrameKey(baseKey, 1, 4, 'encrypt');
    assert.deepEqual([key.usages, key.extractable, baseKey.extractable], [['encrypt'], false, false]);
  });

  test('notice a change of any single bit, and every cut', async () => {
    const { suite, sframe } = Vectors[0];
    const key = await deriveFrameKey(await importBaseKey(Common.baseKey), Common.kid, suite, 'decrypt');
    const attempt = (metadata, frame) => open(key, decodeHeader(frame), metadata, frame);
    const notAuthentic = { reason: 'not-authentic' };
    for (let bit = 0; bit < bytes(sframe).length * 8; ++bit) {
      const frame = bytes(sframe);
      frame[bit >> 3] ^= 1 << (bit & 7);
      if (decodeHeader(frame)) await assert.rejects(attempt(Common.metadata, frame), notAuthentic, `bit ${bit}`);
    }
    const metadata = Common.metadata.slice();
    metadata[0] ^= 1;
    await assert.rejects(attempt(metadata, bytes(sframe)), notAuthentic);
    await assert.rejects(attempt(new Uint8Array(0), bytes(sframe)), notAuthentic);
    for (let length = 5; length < bytes(sframe).length; ++length) {
      await assert.rejects(attempt(Common.metadata, bytes(sframe).subarray(0, length)), notAuthentic);
    }
  });

  // HKDF by hand from HMAC (RFC 5869), so that the ratchet is not compared with itself.
  test('ratchet as section 5.1 says', async () => {
    const hmac = async (key, data, hash) => {
      const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash }, false, ['sign']);
      return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data));
    };
    for (const suite of [4, 5]) {
      const { hash, hashBytes } = Suites[suite];
      const secret = await hmac(new Uint8Array(hashBytes), Common.baseKey, hash);
      const expected = await hmac(secret, Uint8Array.of(...text('SFrame 1.0 Ratchet'), 1), hash);
      assert.deepEqual(await ratchetBaseKey(await importBaseKey(Common.baseKey), suite), expected);
    }
  });
});

describe('sender keys', () => {
  const None = new Uint8Array(0);

  // A sender and a receiver who know each other as "ada", and a clock.
  async function pair() {
    const time = { now: 0 };
    const own = newSenderKey();
    const sending = new SendingKey();
    const receiving = new ReceivingKeys(() => time.now);
    assert.equal(await sending.set(own, await importBaseKey(own.key)), true);
    assert.equal(await receiving.add('ada', own, await importBaseKey(own.key)), true);
    return { own, sending, receiving, time };
  }
  const sealed = async (sending, string, clear = None) => {
    const { header, ciphertext } = await sending.seal(clear, text(string));
    return Uint8Array.of(...header, ...ciphertext);
  };
  const opened = async (receiving, sframe, clear = None) => {
    const { participant, plaintext } = await receiving.open(clear, sframe);
    return `${participant}: ${Buffer.from(plaintext)}`;
  };
  const use = async (sending, key) => sending.set(key, await importBaseKey(key.key));
  const refuses = (receiving, sframe, reason) => assert.rejects(receiving.open(None, sframe), { reason });

  test('tell who sealed a frame', async () => {
    const { sending, receiving } = await pair();
    const grace = newSenderKey();
    const sendingOfGrace = new SendingKey();
    await use(sendingOfGrace, grace);
    await receiving.add('grace', grace, await importBaseKey(grace.key));
    assert.equal(await opened(receiving, await sealed(sending, 'one')), 'ada: one');
    assert.equal(await opened(receiving, await sealed(sendingOfGrace, 'two')), 'grace: two');
  });

  test('have a KID of seven bytes: prefix, number, step', () => {
    const name = { prefix: bytes('01020304'), number: 0x0506, step: 0x07 };
    assert.equal(kidOf(name), 0x01020304050607n);
    for (let i = 0; i < 1000; ++i) assert.notEqual(newSenderKey().prefix[0], 0);
    const { key, number, step } = nextSenderKey({ ...name, key: new Uint8Array(KeyBytes) });
    assert.deepEqual([number, step, key.length], [0x0507, 0, KeyBytes]);
    assert.throws(() => nextSenderKey({ ...name, number: 0xffff }), RangeError);
  });

  test('never use a counter twice, also when frames of several media are sealed at once', async () => {
    const { own, sending } = await pair();
    const seen = new Set();
    const collect = async () => {
      const frames = await Promise.all(Array.from({ length: 200 }, () => sealed(sending, 'x')));
      for (const frame of frames) {
        const { kid, counter } = decodeHeader(frame);
        assert.equal(seen.has(`${kid} ${counter}`), false);
        seen.add(`${kid} ${counter}`);
      }
    };
    await collect();
    assert.equal(await use(sending, own), false, 'a key that was used is not taken up again');
    await collect();
    const ratcheted = await ratchet(own);
    assert.equal(await use(sending, ratcheted), true);
    await collect();
    assert.equal(await use(sending, own), false, 'nor one before it');
    assert.equal(await use(sending, newSenderKey()), true);
    await collect();
    assert.equal(await use(sending, ratcheted), false, 'nor after another prefix was used meanwhile');
    assert.deepEqual(await Promise.all([use(sending, nextSenderKey(own)), use(sending, nextSenderKey(own))])
      .then((taken) => taken.sort()), [false, true]);
    await collect();
    assert.equal(seen.size, 1000);
  });

  test('distinguish what is no SFrame, what has no key, and what does not authenticate', async () => {
    const { own, sending, receiving } = await pair();
    const frame = await sealed(sending, 'x');
    for (const plain of ['', '00', '9901234567', '82498342', '78aabbccddeeff001122334455667788', 'fcffffffffffff']) {
      await refuses(receiving, bytes(plain), 'not-sframe');
    }
    // RED of Opus under payload type 111, whose first bytes could be a header: the counter is one that no key reaches.
    const red = bytes('ef0f0050786f0c1122334455667788990011223344556677');
    assert.ok(decodeHeader(red).kid >> 48n, 'a key identifier as long as ours');
    await refuses(receiving, red, 'not-sframe');
    await refuses(new ReceivingKeys(), frame, 'unknown-key');
    const other = new ReceivingKeys();
    await other.add('ada', own, await importBaseKey(new Uint8Array(KeyBytes)));
    await refuses(other, frame, 'not-authentic');
    await other.add('ada', own, await importBaseKey(own.key));
    assert.equal(await opened(other, frame), 'ada: x', 'the right key mends it');
  });

  test('authenticate the bytes before the SFrame', async () => {
    const { sending, receiving } = await pair();
    const key = clearBytes('video/VP8', true);
    const frame = await sealed(sending, 'picture', key);
    await assert.rejects(receiving.open(clearBytes('video/VP8', false), frame), { reason: 'not-authentic' });
    assert.equal(await opened(receiving, frame, key), 'ada: picture');
  });

  test('open a frame once', async () => {
    const { own, sending, receiving } = await pair();
    const frames = [];
    for (let i = 0; i < 10; ++i) frames.push(await sealed(sending, `${i}`));
    for (const i of [3, 1, 2, 9, 4]) assert.equal(await opened(receiving, frames[i]), `ada: ${i}`);
    for (const i of [3, 1, 2, 9, 4]) await refuses(receiving, frames[i], 'replayed');
    await receiving.add('ada', own, await importBaseKey(own.key));
    await refuses(receiving, frames[3], 'replayed');
    const twice = await Promise.allSettled([receiving.open(None, frames[5]), receiving.open(None, frames[5])]);
    assert.deepEqual(twice.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  });

  test('remember which counters were seen over a window, against a plain list', () => {
    const filter = new ReplayFilter();
    const seen = new Set();
    let highest = -1n;
    let seed = 1;
    const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
    for (let i = 0; i < 20_000; ++i) {
      const far = random(100) === 0 ? 5000 : 20;
      const counter = highest + BigInt(random(far)) - BigInt(random(2) ? random(far) : 0) + 1n;
      if (counter < 0n) continue;
      const expected = seen.has(counter) || counter <= highest - 4096n;
      assert.equal(filter.hasSeen(counter), expected, `${counter} after ${highest}`);
      if (expected) continue;
      filter.mark(counter);
      seen.add(counter);
      if (counter > highest) highest = counter;
    }
  });

  test('are followed by receivers as their sender ratchets', async () => {
    const { own, sending, receiving } = await pair();
    let key = own;
    for (let step = 1; step <= 3; ++step) key = await ratchet(key);
    const late = await sealed(sending, 'sealed before');
    await use(sending, key);
    assert.equal(decodeHeader(await sealed(sending, '')).kid, kidOf(own) + 3n);
    assert.equal(await opened(receiving, await sealed(sending, 'after')), 'ada: after');
    assert.equal(await opened(receiving, late), 'ada: sealed before');
    assert.equal(await opened(receiving, await sealed(sending, 'again')), 'ada: again');
  });

  test('are not ratcheted for a frame that does not authenticate, nor further than 32 steps', async () => {
    const { own, sending, receiving, time } = await pair();
    let key = own;
    for (let step = 1; step <= 33; ++step) key = await ratchet(key);
    await use(sending, key);
    await refuses(receiving, await sealed(sending, 'too far'), 'unknown-key');
    const forger = new SendingKey();
    await use(forger, { ...newSenderKey(), prefix: own.prefix, step: 20 });
    await refuses(receiving, await sealed(forger, 'forged'), 'not-authentic');
    const honest = new SendingKey();
    await use(honest, await ratchet(own));
    const frame = await sealed(honest, 'step 1');
    await refuses(receiving, frame, 'not-authentic');
    time.now += 251;                         // a forger costs us derivations only now and then
    assert.equal(await opened(receiving, frame), 'ada: step 1');
  });

  test('are outlived by their successor for five seconds only', async () => {
    const { own, sending, receiving, time } = await pair();
    const early = [await sealed(sending, 'a'), await sealed(sending, 'b'), await sealed(sending, 'c')];
    const fresh = nextSenderKey(own);
    await receiving.add('ada', fresh, await importBaseKey(fresh.key));
    time.now += 60_000;                      // announced, but not in use yet
    assert.equal(await opened(receiving, early[0]), 'ada: a');
    await use(sending, fresh);
    assert.equal(await opened(receiving, await sealed(sending, 'new')), 'ada: new');
    time.now += 4_999;
    assert.equal(await opened(receiving, early[1]), 'ada: b');
    time.now += 2;
    await refuses(receiving, early[2], 'unknown-key');
  });

  test('stay within bounds however many are announced', async () => {
    const { own, sending, receiving } = await pair();
    let key = own;
    for (let i = 0; i < 50; ++i) {
      key = nextSenderKey(key);
      await receiving.add('ada', key, await importBaseKey(key.key));
    }
    await refuses(receiving, await sealed(sending, 'the first'), 'unknown-key');
    await use(sending, key);
    assert.equal(await opened(receiving, await sealed(sending, 'the last')), 'ada: the last');
    const added = [];
    for (let i = 0; i < 6; ++i) added.push(await receiving.add('ada', newSenderKey(), await importBaseKey(own.key)));
    assert.deepEqual(added, [true, true, true, false, false, false]);
  });

  test('cannot be claimed by somebody else', async () => {
    const { own, sending, receiving } = await pair();
    const baseKey = await importBaseKey(own.key);
    assert.equal(await receiving.add('mallory', { ...own, number: 1 }, baseKey), false);
    const mine = newSenderKey();
    receiving.reserve(mine.prefix);
    assert.equal(await receiving.add('mallory', mine, baseKey), false);
    assert.equal(await opened(receiving, await sealed(sending, 'x')), 'ada: x');
  });

  test('are gone with their participant, also when they are only just being added', async () => {
    const { own, sending, receiving } = await pair();
    const adding = receiving.add('ada', nextSenderKey(own), await importBaseKey(own.key));
    receiving.forget('ada');
    await adding;
    await refuses(receiving, await sealed(sending, 'x'), 'unknown-key');
    await use(sending, nextSenderKey(own));
    await refuses(receiving, await sealed(sending, 'x'), 'unknown-key');
    assert.equal(await receiving.add('grace', own, await importBaseKey(own.key)), true);
  });

  test('are refused with a name that is none', async () => {
    const { own } = await pair();
    const receiving = new ReceivingKeys();
    const baseKey = await importBaseKey(own.key);
    for (const wrong of [
      { prefix: bytes('00010203') }, { prefix: bytes('010203') }, { prefix: '01020304' }, { number: -1 },
      { number: 0x10000 }, { number: 1.5 }, { step: 256 }, { step: undefined },
    ]) {
      assert.equal(await receiving.add('ada', { ...own, ...wrong }, baseKey), false);
      assert.equal(await new SendingKey().set({ ...own, ...wrong }, baseKey), false);
    }
    assert.equal(await ratchet({ ...own, step: 255 }), null);
  });
});

describe('the form of a frame', () => {
  const sealed = { header: encodeHeader(0xc8010203040506n, 300n), ciphertext: new Uint8Array(200).fill(7) };

  test('is undone by the receiver, also after AV1\'s depacketizer has put a size in', () => {
    for (const mimeType of ['video/VP8', 'video/VP9', 'video/AV1', 'audio/opus']) {
      for (const isKeyFrame of [false, true]) {
        const clear = clearBytes(mimeType, isKeyFrame);
        const frame = assemble(clear, sealed);
        const sframe = frame.subarray(clear.length);
        const kind = mimeType.split('/')[0];
        assert.deepEqual(disassemble(kind, frame), { clear, sframe });
        if (mimeType !== 'video/AV1') continue;
        const sized = Uint8Array.of(frame[0] | 2, 0x80 | (sframe.length & 0x7f), sframe.length >> 7, ...sframe);
        assert.deepEqual(disassemble(kind, sized), { clear, sframe });
      }
    }
  });

  test('adds at most one byte in clear, and is not there for H.264', () => {
    for (const mimeType of ['video/VP8', 'video/VP9', 'video/AV1', 'audio/opus']) {
      assert.ok(clearBytes(mimeType, true).length <= 1 && canEncrypt(mimeType));
    }
    assert.equal(canEncrypt('video/H264'), false);
    assert.equal(canEncrypt('video/H265'), false);
  });

  test('is not found in plain frames', async () => {
    const receiving = new ReceivingKeys();
    for (const [kind, frame] of [
      ['video', '101a009d012a4001b400393700131c22'],                   // VP8, key and delta frame
      ['video', '310b00e4e0afcce337a747a7d8851f2f'],
      ['video', '824983420013f00b34123824'],                           // VP9
      ['video', '86004092b88058c3603010'],
      ['video', '0a0a000000043cfecc01a00832b10f10'],                   // AV1 as received
      ['video', '320930c040fdf801294340'],
      ['video', '0000000167420c1f8c8d40'],                             // H.264
      ['audio', 'f8fffe'],                                             // Opus: silence, 20 ms, 60 ms in SILK
      ['audio', '7880a0c0e00102030405060708090a0b'],
      ['audio', '58010203040506070809'],
      ['video', ''], ['audio', ''],
    ]) {
      const { clear, sframe } = disassemble(kind, bytes(frame));
      await assert.rejects(receiving.open(clear, sframe), { reason: 'not-sframe' }, frame);
    }
  });
});

describe('the state of a slot', () => {
  test('goes from waiting to open, and a short gap does not show', () => {
    const slot = new SlotState();
    slot.assign('ada');
    assert.equal(slot.state(0), 'idle');
    slot.dropped('unknown-key', 10);
    assert.equal(slot.state(10), 'waiting');
    slot.passed('ada', true, 500);
    assert.equal(slot.state(500), 'open');
    slot.dropped('not-authentic', 510);
    assert.equal(slot.state(510), 'open');
    slot.dropped('not-authentic', 1499);
    assert.equal(slot.state(1499), 'open');
    slot.dropped('not-authentic', 1511);
    assert.equal(slot.state(1511), 'wrong-key');
    slot.passed('ada', false, 1600);
    assert.equal(slot.state(1600), 'open');
    assert.equal(slot.state(3601), 'idle');
  });

  test('is wrong-key or refused only after a second of nothing else', () => {
    for (const [reason, state] of [['not-authentic', 'wrong-key'], ['not-sframe', 'refused']]) {
      const slot = new SlotState();
      slot.assign('ada');
      slot.dropped(reason, 0);
      slot.dropped(reason, 999);
      assert.equal(slot.state(999), 'waiting');
      slot.dropped(reason, 1000);
      assert.equal(slot.state(1000), state);
    }
  });

  test('is not changed by frames that somebody sends again', () => {
    const slot = new SlotState();
    slot.assign('ada');
    slot.passed('ada', true, 0);
    for (let now = 0; now < 1500; now += 10) slot.dropped('replayed', now);
    assert.equal(slot.state(1500), 'open');
    assert.equal(slot.passed('ada', false, 1510), false, 'no key frame is needed');
    assert.equal(slot.counts.replayed, 150);
  });

  test('asks for a key frame until one comes, twice a second at most', () => {
    const slot = new SlotState();
    slot.assign('ada');
    const asked = [];
    for (let now = 0; now < 1200; now += 100) if (slot.passed('ada', false, now)) asked.push(now);
    assert.deepEqual(asked, [0, 500, 1000]);
    assert.equal(slot.passed('ada', true, 1600), false);
    assert.equal(slot.passed('ada', false, 2200), false);
    assert.equal(slot.passed('grace', false, 2300), true, 'another sender');
    slot.passed('grace', true, 2400);
    slot.dropped('not-authentic', 2500);
    assert.equal(slot.passed('grace', false, 2900), true, 'after a frame was dropped');
  });
});
