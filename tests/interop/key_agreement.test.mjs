// How participants agree on keys over a bridge that relays what it is given. Others: key_agreement_attacks.test.mjs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Identity } from '../../bridge/web/e2ee/identity.js';
import { writeEnvelope } from '../../bridge/web/e2ee/wire.js';
import { quickSubtle } from './lib/quick_crypto.mjs';
import {
  SimulatedBridge, assertAllHearAll, assertSameString, meeting, seeded, withWebCrypto,
} from './lib/simulated_bridge.mjs';

const Names = ['ada', 'bob', 'cyd', 'dan', 'eve', 'flo', 'gus', 'hal', 'ivy', 'jon'];

async function agree(count) {
  const [bridge, ...people] = await meeting(Names.slice(0, count));
  await assertAllHearAll(people);
  assertSameString(people);
  for (const { states } of people) {
    assert.equal(states.size, count - 1);
    for (const state of states.values()) assert.deepEqual(state, { state: 'agreed', reason: null });
  }
  bridge.close();
}

for (const count of [2, 3, 10]) {
  test(`${count} participants know each other's keys and show the same string`, () => agree(count));
}

test('so do three with WebCrypto itself, through a join and a leave', () => withWebCrypto(async () => {
  await agree(3);
  const [bridge, ada, bob] = await meeting(['ada', 'bob']);
  const cyd = bridge.join('cyd');
  await bridge.run(2_000);
  await assertAllHearAll([ada, bob, cyd]);
  bridge.leave('bob');
  await bridge.run(2_000);
  await assertAllHearAll([ada, cyd]);
  assertSameString([ada, cyd]);
  assert.equal(await bob.open(await ada.seal('secret')), 'unknown-key');
  bridge.close();
}));

test('the quick cryptography of these tests gives what WebCrypto gives', async () => {
  const real = (name, ...parameters) => withWebCrypto(() => crypto.subtle[name](...parameters));
  const quick = (name, ...parameters) => quickSubtle[name](...parameters);
  const bytes = (buffer) => [...new Uint8Array(buffer)];
  const curve = { name: 'ECDH', namedCurve: 'P-256' };
  const secrets = [];
  const pairs = [await real('generateKey', curve, true, ['deriveBits']), await quick('generateKey')];
  const publicOf = (use, pair) => use('exportKey', 'raw', pair.publicKey);
  const publics = [await publicOf(real, pairs[0]), await publicOf(quick, pairs[1])];
  for (const [own, other, use] of [[0, 1, real], [1, 0, quick]]) {
    const key = await use('importKey', 'raw', new Uint8Array(publics[other]), curve, false, []);
    secrets.push(await use('deriveBits', { name: 'ECDH', public: key }, pairs[own].privateKey, 256));
    await assert.rejects(use('importKey', 'raw', new Uint8Array(65).fill(4), curve, false, []));
  }
  assert.deepEqual(bytes(secrets[0]), bytes(secrets[1]));

  const outcomes = [];
  for (const use of [real, quick]) {
    const base = await use('importKey', 'raw', secrets[0], 'HKDF', false, ['deriveKey', 'deriveBits']);
    const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: new Uint8Array([1, 2]) };
    const gcm = { name: 'AES-GCM', iv: new Uint8Array(12).fill(3), additionalData: new Uint8Array(5) };
    const aes = { name: 'AES-GCM', length: 256 };
    const key = await use('deriveKey', hkdf, base, aes, false, ['encrypt', 'decrypt']);
    const sealed = await use('encrypt', gcm, key, new Uint8Array(40));
    const opened = await use('decrypt', gcm, key, sealed);
    await assert.rejects(use('decrypt', gcm, key, new Uint8Array(sealed).fill(0, 0, 1)));
    const bits = await use('deriveBits', hkdf, base, 256);
    outcomes.push([sealed, opened, bits, await use('digest', 'SHA-256', new Uint8Array(sealed))].map(bytes));
  }
  assert.deepEqual(outcomes[0], outcomes[1]);
});

test('one who is alone has a key and nothing to compare', async () => {
  const [bridge, ada] = await meeting(['ada']);
  assert.equal(ada.ownKeys.length, 1);
  assert.deepEqual(ada.comparisons, []);
  bridge.close();
});

test('another meeting of the same people shows another string', async () => {
  const strings = new Set();
  for (const seed of [1, 2, 3]) {
    const [bridge, ada] = await meeting(['ada', 'bob'], { seed });
    strings.add(ada.comparison.text);
    bridge.close();
  }
  assert.equal(strings.size, 3);
});

test('a newcomer opens what is sent from then on and nothing of before', async () => {
  const [bridge, ada, bob] = await meeting(['ada', 'bob']);
  const before = await ada.seal('before');
  const cyd = bridge.join('cyd');
  await bridge.run(1_000);
  assert.equal(await bob.open(before), 'ada: before');
  assert.equal(await cyd.open(before), 'unknown-key');
  assert.equal(await cyd.open(await ada.seal('after')), 'ada: after');
  await assertAllHearAll([ada, bob, cyd]);
  // A step of the same key for each, which the newcomer is told and the others take by themselves.
  assert.deepEqual(ada.ownKeys.map(({ number, step }) => [number, step]), [[0, 0], [0, 1], [0, 2]]);
  assert.deepEqual(bob.peerKeys.filter(({ participant }) => participant === 'ada').length, 1);
  bridge.close();
});

test('the keys of one who has left open nothing that is sent after', async () => {
  const [bridge, ada, bob, cyd] = await meeting(['ada', 'bob', 'cyd']);
  bridge.leave('cyd');
  await bridge.run(2_000);
  for (const sender of [ada, bob]) assert.equal(await cyd.open(await sender.seal('secret')), 'unknown-key');
  await assertAllHearAll([ada, bob]);
  assertSameString([ada, bob]);
  assert.equal(ada.ownKeys.at(-1).number, 1);
  bridge.close();
});

test('a fresh key is used only when the others have it, and after a second at the latest', async () => {
  const [bridge, ada, bob] = await meeting(['ada', 'bob', 'cyd']);
  const usedAt = [];
  ada.agreement.addEventListener('own-key', () => usedAt.push(bridge.clock.now));
  const knownAt = [];
  bob.agreement.addEventListener('peer-key', () => knownAt.push(bridge.clock.now));
  bridge.leave('cyd');
  const leftAt = bridge.clock.now;
  await bridge.run(3_000);
  assert.equal(knownAt.length, 1);
  assert.ok(knownAt[0] < usedAt[0], `known at ${knownAt}, used at ${usedAt}`);
  assert.ok(usedAt[0] - leftAt < 1_000);

  bridge.intercept = (from) => (from === 'bob' ? [] : undefined);      // nobody confirms anything any more
  bridge.join('dan');
  await bridge.run(3_000);
  bridge.leave('dan');
  const leftAgainAt = bridge.clock.now;
  await bridge.run(3_000);
  const waited = usedAt.at(-1) - leftAgainAt;
  assert.ok(waited > 1_000 && waited < 1_500, `${waited} ms`);
  bridge.close();
});

test('several who leave at about the same time cost one fresh key', async () => {
  const [bridge, ...people] = await meeting(Names.slice(0, 8));
  for (const name of Names.slice(4, 8)) {
    bridge.leave(name);
    await bridge.run(20);
  }
  await bridge.run(3_000);
  assert.deepEqual(people.slice(0, 4).map(({ ownKeys }) => ownKeys.at(-1).number), [1, 1, 1, 1]);
  await assertAllHearAll(people.slice(0, 4));
  bridge.close();
});

test('who comes while a fresh key is under way gets that one, and who left opens nothing', async () => {
  for (let seed = 1; seed <= 10; ++seed) {
    const [bridge, ada, bob, cyd] = await meeting(['ada', 'bob', 'cyd'], { seed });
    bridge.leave('cyd');
    await bridge.run(50 * seed);
    const dan = bridge.join('dan');
    await bridge.run(5_000);
    await assertAllHearAll([ada, bob, dan]);
    assertSameString([ada, bob, dan]);
    assert.equal(await cyd.open(await ada.seal('secret')), 'unknown-key');
    bridge.close();
  }
});

// Participants of whom nothing is known but their greeting: cheap enough for a hundred.
async function greetedBy(names, conference = 'standup') {
  return Promise.all(names.map(async (name) => {
    const { publicKey } = await Identity.create(name, conference);
    return [name, writeEnvelope({ hello: { key: publicKey, answer: true } })];
  }));
}

test('after two dozen newcomers a key is drawn afresh: nobody has to follow further than they can', async () => {
  const [bridge, ada, bob] = await meeting(['ada', 'bob']);
  for (const [name, hello] of await greetedBy(Array.from({ length: 30 }, (_, i) => `guest ${i}`))) {
    ada.agreement.add(name);
    ada.agreement.handle(name, hello);
    await bridge.run(500);
  }
  await bridge.run(2_000);
  assert.ok(ada.ownKeys.every(({ step }) => step <= 24));
  assert.deepEqual([0, 1].map((count) => ada.ownKeys.filter(({ number }) => number === count).length), [25, 6]);
  assert.equal(await bob.open(await ada.seal('still here')), 'ada: still here');
  bridge.close();
});

test('who has used up all keys of their prefix begins anew under another', async () => {
  const bridge = new SimulatedBridge();
  const people = [bridge.join('ada', { maxNumber: 1 }), bridge.join('bob')];
  for (let i = 0; i < 2; ++i) {
    bridge.join(`guest ${i}`);
    await bridge.run(3_000);
    bridge.leave(`guest ${i}`);
    await bridge.run(5_000);
  }
  const prefixes = new Set(people[0].ownKeys.map(({ prefix }) => prefix.join()));
  assert.equal(prefixes.size, 2);
  await assertAllHearAll(people);
  assertSameString(people);
  bridge.close();
});

test('people who come and go in bursts end up with each other\'s keys and one string', async () => {
  for (let seed = 1; seed <= 6; ++seed) {
    const bridge = new SimulatedBridge({ seed });
    const random = seeded(seed);
    const gone = [];
    for (let i = 0; i < 24; ++i) {
      const present = [...bridge.participants.keys()];
      const leaves = present.length > 2 && random() < 0.45;
      if (leaves) gone.push(bridge.leave(present[Math.floor(random() * present.length)]));
      else bridge.join(`p${String(i).padStart(2, '0')}`);
      await bridge.run(random() < 0.7 ? 20 : 900);
    }
    await bridge.run(20_000);
    const people = [...bridge.participants.values()];
    assert.ok(people.length >= 2);
    await assertAllHearAll(people);
    assertSameString(people);
    for (const leaver of gone.filter(({ ownKeys }) => ownKeys.length > 0)) {
      assert.notEqual(await leaver.open(await people[0].seal('secret')), `${people[0].id}: secret`);
    }
    bridge.close();
  }
});

test('a greeting that is lost is said again', async () => {
  const bridge = new SimulatedBridge();
  let isDeaf = true;
  bridge.intercept = () => (isDeaf ? [] : undefined);
  const people = [bridge.join('ada'), bridge.join('bob')];
  await bridge.run(2_000);
  isDeaf = false;
  await bridge.run(5_000);
  await assertAllHearAll(people);
  assertSameString(people);
  bridge.close();
});

test('somebody who never answers holds up nobody, and is welcome later', async () => {
  const bridge = new SimulatedBridge();
  bridge.intercept = (from, to) => (from === 'cyd' || to === 'cyd' ? [] : undefined);
  const people = ['ada', 'bob', 'cyd'].map((name) => bridge.join(name));
  await bridge.run(4_000);
  await assertAllHearAll(people.slice(0, 2));
  assert.equal(people[0].comparison, null, 'an answer is still expected');
  await bridge.run(14_000);
  assert.deepEqual(people[0].states.get('cyd'), { state: 'failed', reason: 'no-answer' });
  assertSameString(people.slice(0, 2));
  bridge.intercept = null;
  await bridge.run(30_000);
  await assertAllHearAll(people);
  assertSameString(people);
  bridge.close();
});

test('who begins anew under the same id is taken for a newcomer, and their old key for that of a leaver', async () => {
  const [bridge, ada, bob] = await meeting(['ada', 'bob']);
  const before = await ada.seal('before');
  bob.agreement.close();
  const again = bridge.participant('bob');
  bridge.participants.set('bob', again);
  again.onSend((message) => bridge.deliver('bob', 'ada', message.all ?? message.to.ada));
  again.agreement.add('ada');
  again.agreement.start();
  await bridge.run(5_000);
  await assertAllHearAll([ada, again]);
  assertSameString([ada, again]);
  assert.equal(await again.open(before), 'unknown-key');
  assert.equal(await bob.open(await ada.seal('secret')), 'unknown-key');
  bridge.close();
});

test('a private message reaches one participant and nobody else', async () => {
  const [bridge, ada, bob, cyd] = await meeting(['ada', 'bob', 'cyd']);
  const offer = { type: 'offer', sdp: 'v=0\r\n'.repeat(2_000) };
  assert.equal(await ada.agreement.sendPrivate('bob', offer), true);
  assert.equal(await ada.agreement.sendPrivate('bob', { candidate: null }), true);
  assert.equal(await ada.agreement.sendPrivate('nobody', offer), false);
  await assert.rejects(ada.agreement.sendPrivate('bob', 'x'.repeat(32 * 1024)), RangeError);
  await bridge.run(1_000);
  assert.deepEqual(bob.privates, [{ from: 'ada', data: offer }, { from: 'ada', data: { candidate: null } }]);
  assert.deepEqual(cyd.privates, []);
  assert.ok(bridge.relayed.every(({ all, to }) => !JSON.stringify(all ?? to).includes('offer')));
  bridge.close();
});

test('private messages that do not fit into one relay message follow in the next, in order', async () => {
  const [bridge, ada, bob, cyd] = await meeting(['ada', 'bob', 'cyd']);
  const long = (i) => `${i}`.padEnd(30_000, '.');
  for (let i = 0; i < 4; ++i) {
    for (const to of ['bob', 'cyd']) await ada.agreement.sendPrivate(to, long(i));
  }
  await bridge.run(3_000);
  for (const { privates } of [bob, cyd]) assert.deepEqual(privates.map(({ data }) => data), [0, 1, 2, 3].map(long));
  for (const message of bridge.relayed) assert.ok(charactersOf(message) <= 65_536);
  bridge.close();
});

test('after it is closed an agreement says nothing and wipes its key', async () => {
  const [bridge, ada] = await meeting(['ada', 'bob']);
  const shown = ada.comparisons.length;
  ada.agreement.close();
  const relayed = bridge.relayed.filter(({ from }) => from === 'ada').length;
  bridge.leave('bob');
  bridge.join('cyd');
  await bridge.run(10_000);
  assert.equal(ada.comparisons.length, shown);
  assert.equal(bridge.relayed.filter(({ from }) => from === 'ada').length, relayed);
  assert.equal(await ada.agreement.sendPrivate('cyd', {}), false);
  bridge.close();
});

// --- what the bridge sees ---

test('the bridge sees no key', async () => {
  const bridge = new SimulatedBridge();
  const people = Names.slice(0, 5).map((name) => bridge.join(name));
  await bridge.run(3_000);
  bridge.leave('eve');
  await bridge.run(3_000);
  people.push(bridge.join('flo'));
  await bridge.run(3_000);
  const keys = people.flatMap(({ ownKeys }) => ownKeys.map(({ key }) => key));
  assert.ok(keys.length >= 15);
  const texts = bridge.relayed.flatMap(({ all, to }) => (all ? [all] : Object.values(to)));
  for (const key of keys) assert.ok(!texts.some((text) => holds(text, key)));
  // The search finds a key that is there, in each of the forms.
  const bytes = Buffer.from(keys[0]);
  for (const form of ['hex', 'base64', 'base64url', 'latin1']) {
    assert.ok(holds(`{"v":1,"key":"${bytes.toString(form)}"}`, keys[0]), form);
  }
  assert.ok(holds(JSON.stringify({ data: Buffer.concat([Buffer.from('ab'), bytes]).toString('base64') }), keys[0]));
  bridge.close();
});

function holds(text, key) {
  const needle = Buffer.from(key);
  const spellings = [needle.toString('hex'), needle.toString('base64url'), needle.toString('latin1')];
  if (spellings.some((spelling) => text.includes(spelling))) return true;
  const coded = text.match(/[A-Za-z0-9+/_-]{16,}=*/g) ?? [];
  return coded.some((code) => Buffer.from(code, 'base64').includes(needle));
}

function charactersOf({ all, to }) {
  return all ? all.length : Object.entries(to).reduce((sum, [id, data]) => sum + id.length + data.length, 0);
}

test('among a hundred participants messages stay within the sizes that the bridge relays', async () => {
  const bridge = new SimulatedBridge();
  const ada = bridge.join('ada');
  await bridge.run(1_000);
  const ids = Array.from({ length: 99 }, (_, i) => (0xabcd_0000 + i).toString(16).padStart(16, '0'));
  for (const [id, hello] of await greetedBy(ids)) {
    ada.agreement.add(id);
    ada.agreement.handle(id, hello);
  }
  await bridge.run(1_000);
  ada.agreement.remove(ids[0]);
  await bridge.run(20_000);                  // they never say more, so they are greeted again and again
  // Ninety-nine newcomers cost two steps, and one who leaves a fresh key.
  assert.deepEqual(ada.ownKeys.map(({ number, step }) => [number, step]), [[0, 0], [0, 1], [0, 2], [1, 0]]);
  const told = bridge.relayed.filter(({ to }) => Object.keys(to ?? {}).length >= 98);
  assert.ok(told.length >= 3, `${told.length} to all others`);
  for (const message of bridge.relayed) {
    assert.ok(charactersOf(message) <= (message.all ? 4_096 : 65_536), `${charactersOf(message)} characters`);
    assert.ok(JSON.stringify(message).length <= 262_144);
  }
  bridge.close();
});

test('nobody sends more than the bridge allows while fifty join one by one', async () => {
  const bridge = new SimulatedBridge({ receivesMedia: false });
  for (let i = 0; i < 50; ++i) {
    bridge.join(`p${i}`);
    await bridge.run(700);
  }
  await bridge.run(5_000);
  assertSameString([...bridge.participants.values()].sort((a, b) => (a.id < b.id ? -1 : 1)));
  for (const id of bridge.participants.keys()) {
    const times = bridge.relayed.filter(({ from }) => from === id).map(({ at }) => at);
    // A bucket of 40 that gains 20 a second, as the bridge keeps it; half of it is left for other messages.
    let bucket = 20;
    times.forEach((at, i) => {
      bucket = Math.min(20, bucket + (i ? (at - times[i - 1]) / 100 : 0)) - 1;
      assert.ok(bucket >= 0, `${id} at ${at}`);
    });
  }
  bridge.close();
});

test('who was cut off while keys changed asks again and is told, and tells', async () => {
  const [bridge, ada, bob, cyd] = await meeting(['ada', 'bob', 'cyd']);
  bridge.intercept = (from, to, data) => (from === 'ada' || to === 'ada' ? [] : [[from, to, data]]);
  bridge.leave('cyd');                       // upon which both take new keys, and neither hears of the other's
  await bridge.run(5_000);
  bridge.intercept = null;
  assert.equal(await ada.open(await bob.seal('lost')), 'unknown-key');
  assert.equal(await bob.open(await ada.seal('lost')), 'unknown-key');
  await ada.agreement.repeat();
  await bridge.run(5_000);
  await assertAllHearAll([ada, bob]);
  await bridge.run(30_000);
  assertSameString([ada, bob]);
  assert.equal(await cyd.open(await ada.seal('secret')), 'unknown-key');
  assert.equal(ada.states.get('bob').state, 'agreed');
  assert.equal(bob.states.get('ada').state, 'agreed');
  bridge.close();
});
