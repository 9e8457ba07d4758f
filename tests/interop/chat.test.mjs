// Chat: what is sealed, who can open it, and what is refused. Keys come of real key agreements over a simulated bridge.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { meeting, settle } from './lib/simulated_bridge.mjs';
import { Chat, ChatLog } from '../../bridge/web/chat.js';
import { ChatKeys } from '../../bridge/web/e2ee/chat_keys.js';
import { cleanText, isTooLong, MaxTextBytes, parseChat, writeChat } from '../../bridge/web/e2ee/chat_wire.js';
import { ReceivingKeys, SendingKey, newSenderKey, nextSenderKey, ratchet } from '../../bridge/web/e2ee/sender_keys.js';
import { decodeHeader, importBaseKey } from '../../bridge/web/e2ee/sframe.js';

// Somebody's chat as a presence of the page has it, with the keys of a participant of a meeting.
class Writer {
  entries = [];
  sent = [];                                 // strings as they were relayed
  isSealed = true;

  constructor(id, { conference = 'standup', names = { ada: 'Ada', bob: 'Bob', cleo: 'Cleo' } } = {}) {
    this.id = id;
    this.keys = new ChatKeys({ conference, self: id });
    this.chat = new Chat({
      self: { id, name: names[id] },
      nameOf: (other) => names[other] ?? null,
      keys: this.keys,
      send: (data) => this.sent.push(data),
      mustSeal: () => this.isSealed,
    });
    this.chat.addEventListener('entry', ({ detail }) => this.entries.push(detail));
  }

  async follow(participant) {
    for (const key of participant.ownKeys) await this.keys.setOwn(key);
    for (const key of participant.peerKeys) await this.keys.setPeer(key.participant, key);
    return this;
  }
  /** What they read last: [name, text, problem]. */
  async read(from, data) {
    const count = this.entries.length;
    this.chat.take(from, data);
    await settle();
    const entry = this.entries.length > count ? this.entries.at(-1) : null;
    return entry && [entry.name, entry.text, entry.problem];
  }
}

let ada;
let bob;
let cleo;
let bridge;
const close = () => { for (const { chat } of [ada, bob, cleo]) chat.close(); };

before(async () => {
  const [simulated, ...participants] = await meeting(['ada', 'bob', 'cleo']);
  bridge = simulated;
  [ada, bob, cleo] = await Promise.all(participants.map((one) => new Writer(one.id).follow(one)));
  bridge.close();
});

const sealed = async (writer, text) => {
  assert.equal(await writer.chat.say(text), null);
  return writer.sent.at(-1);
};
const changed = (data, change) => {
  const bytes = parseChat(data).sealed;
  change(bytes);
  return writeChat({ sealed: bytes });
};

test('everyone reads what somebody writes, under the name that the bridge has, and the bridge does not', async () => {
  const data = await sealed(ada, 'Grüße <b>an alle</b> 🙂');
  assert.ok(!data.includes('alle'));
  for (const reader of [bob, cleo]) {
    assert.deepEqual(await reader.read('ada', data), ['Ada', 'Grüße <b>an alle</b> 🙂', null]);
  }
  assert.deepEqual([ada.entries.at(-1).isOwn, ada.entries.at(-1).text], [true, 'Grüße <b>an alle</b> 🙂']);
  close();
});

test('a message that was changed, in its key, counter, text or tag, is refused and nothing of it shown', async () => {
  const data = await sealed(ada, 'pay ten');
  const { length } = decodeHeader(parseChat(data).sealed);
  for (const at of [0, length, length + 3, -1]) {
    const forged = changed(data, (bytes) => { bytes[at < 0 ? bytes.length + at : at] ^= 4; });
    assert.deepEqual(await bob.read('ada', forged), ['Ada', '', 'forged'], `byte ${at}`);
  }
  const ofAnotherKey = await bob.read('ada', changed(data, (bytes) => { bytes[length - 1] ^= 1; }));
  assert.equal(ofAnotherKey?.[1] ?? '', '', 'refused, or waits for a key that never comes');
  bob.chat.close();
  assert.deepEqual(await bob.read('ada', writeChat({ sealed: Uint8Array.of(1, 2, 3) })), ['Ada', '', 'forged']);
  assert.deepEqual(await bob.read('ada', data), ['Ada', 'pay ten', null], 'and the true one still opens');
});

test('a message is refused when it is said to be from somebody else, and when it comes twice', async () => {
  const data = await sealed(ada, 'it was me');
  assert.deepEqual(await bob.read('cleo', data), ['Cleo', '', 'forged']);
  assert.deepEqual(await bob.read('ada', data), ['Ada', 'it was me', null]);
  assert.equal(await bob.read('ada', data), null);
});

test('one’s own message thrown back as another’s is refused', async () => {
  const data = await sealed(ada, 'echo');
  assert.equal((await ada.read('bob', data))?.[1] ?? '', '', 'refused, or waits for a key that never comes');
  ada.chat.close();
  assert.ok(!ada.entries.some(({ participant, text }) => participant === 'bob' && text === 'echo'));
});

test('a message opens in its own conference only', async () => {
  const key = newSenderKey();
  const [here, there, away] = ['standup', 'standup', 'elsewhere'].map((conference, i) =>
    new Writer(i === 0 ? 'ada' : 'bob', { conference }));
  await here.keys.setOwn(key);
  for (const reader of [there, away]) await reader.keys.setPeer('ada', key);
  const data = await sealed(here, 'for us');
  assert.deepEqual(await away.read('ada', data), ['Ada', '', 'forged']);
  assert.deepEqual(await there.read('ada', data), ['Ada', 'for us', null]);
});

test('where the call is encrypted, what comes in clear is refused, and nothing leaves in clear', async () => {
  assert.deepEqual(await bob.read('ada', writeChat({ text: 'hello' })), ['Ada', '', 'plain']);
  const keyless = new Writer('ada');
  assert.equal(await keyless.chat.say('hello'), 'no-key');
  assert.deepEqual(keyless.sent, []);
  const bare = new Chat({ self: { id: 'ada', name: 'Ada' }, nameOf: () => null, keys: null, send: assert.fail,
    mustSeal: () => true });
  assert.equal(await bare.say('hello'), 'no-key');
});

test('where it is not, messages go and come in clear, and sealed ones of a moment ago still open', async () => {
  const data = await sealed(ada, 'before');
  bob.isSealed = ada.isSealed = false;
  try {
    assert.deepEqual(await bob.read('ada', data), ['Ada', 'before', null]);
    assert.equal(await ada.chat.say('after'), null);
    assert.equal(ada.sent.at(-1), '{"v":1,"chat":{"text":"after"}}');
    assert.deepEqual(await bob.read('ada', ada.sent.at(-1)), ['Ada', 'after', null]);
  } finally {
    bob.isSealed = ada.isSealed = true;
  }
});

test('a reader follows ratchets by themselves, and a fresh key makes the old one worthless', async () => {
  const [writer, reader] = [new Writer('ada'), new Writer('bob')];
  let key = newSenderKey();
  await writer.keys.setOwn(key);
  await reader.keys.setPeer('ada', key);
  for (let step = 0; step < 3; ++step) key = await ratchet(key);
  await writer.keys.setOwn(key);
  assert.deepEqual(await reader.read('ada', await sealed(writer, 'three on')), ['Ada', 'three on', null]);
  await writer.keys.setOwn(nextSenderKey(key));
  const late = await sealed(writer, 'not for you');
  assert.equal(await reader.read('ada', late), null, 'it waits for a key');
  await reader.keys.setPeer('ada', nextSenderKey(key));      // another one of that number
  reader.chat.tryAgain('ada');
  await settle();
  assert.deepEqual(reader.entries.at(-1).problem, 'forged');
  reader.chat.close();
});

test('a message that is faster than its key is shown when the key is there', async () => {
  const [writer, reader] = [new Writer('ada'), new Writer('bob')];
  const key = newSenderKey();
  await writer.keys.setOwn(key);
  assert.equal(await reader.read('ada', await sealed(writer, 'early')), null);
  await reader.keys.setPeer('ada', key);
  reader.chat.tryAgain('ada');
  await settle();
  assert.equal(reader.entries.at(-1).text, 'early');
});

test('messages and frames of one sender key are sealed under different keys', async () => {
  const key = newSenderKey();
  const chat = new ChatKeys({ conference: 'standup', self: 'ada' });
  await chat.setOwn(key);
  const bytes = await chat.seal('the same words');
  const frames = new ReceivingKeys();
  await frames.add('ada', key, await importBaseKey(key.key));
  await assert.rejects(frames.open(new Uint8Array(0), bytes), { reason: 'not-authentic' });
  const media = new SendingKey();
  await media.set(key, await importBaseKey(key.key));
  const { header, ciphertext } = await media.seal(new Uint8Array(0), new TextEncoder().encode('the same words'));
  assert.deepEqual(header, bytes.slice(0, header.length), 'the same KID and counter');
  assert.notDeepEqual(ciphertext.slice(0, 14), bytes.slice(header.length, header.length + 14), 'another key stream');
});

test('no counter is used twice, also when many messages are under way at once', async () => {
  const keys = new ChatKeys({ conference: 'standup', self: 'ada' });
  await keys.setOwn(newSenderKey());
  const all = await Promise.all(Array.from({ length: 50 }, () => keys.seal('x')));
  assert.equal(new Set(all.map((bytes) => String(decodeHeader(bytes).counter))).size, 50);
});

test('what is no chat message is left to others, and what is too long is none', () => {
  for (const data of ['', '{', 'null', '[]', '{"v":1}', '{"v":1,"chat":null}', '{"v":2,"chat":{"text":"x"}}',
    '{"v":1,"chat":{"text":7}}', '{"v":1,"chat":{"sealed":7}}', '{"v":1,"chat":{"sealed":"%"}}', 7, null,
    writeChat({ text: 'x'.repeat(MaxTextBytes + 1) }), writeChat({ sealed: new Uint8Array(3_000) })]) {
    assert.equal(parseChat(data), null, String(data).slice(0, 60));
  }
  assert.deepEqual(parseChat(writeChat({ text: 'x' })), { text: 'x' });
});

test('the longest text fits into what a bridge relays, sealed and in clear', async () => {
  for (const [text, sealing] of [['"\\'.repeat(MaxTextBytes / 2), false], ['é'.repeat(MaxTextBytes / 2), true]]) {
    ada.isSealed = sealing;
    assert.equal(await ada.chat.say(text), null);
    ada.isSealed = true;
    assert.ok(Buffer.byteLength(ada.sent.at(-1)) <= 4_096);
  }
  assert.equal(await ada.chat.say('é'.repeat(MaxTextBytes / 2 + 1)), 'too-long');
  assert.equal(await ada.chat.say(' \n\u202e\u0007 '), 'empty');
});

test('characters that would turn or hide a line are dropped; line breaks stay', () => {
  assert.equal(cleanText('a\u202eb\u0000c\r\nd\te\u2066'), 'abc\nd\te');
  assert.equal(isTooLong('€'.repeat(700)), true);
});

test('of people who are not in the list of participants nothing is shown', async () => {
  assert.equal(await bob.read('mallory', writeChat({ text: 'hi' })), null);
});

test('the log holds the latest messages, counts what nobody saw, and refused ones push nothing out', () => {
  const log = new ChatLog();
  const entry = (text, more = {}) => ({ participant: 'ada', name: 'Ada', text, problem: null, isOwn: false, ...more });
  for (let i = 0; i < 250; ++i) log.add(entry(String(i)));
  assert.deepEqual([log.entries.length, log.entries[0].text, log.unread], [200, '50', 250]);
  for (let i = 0; i < 50; ++i) log.add(entry('', { problem: 'forged' }));
  assert.deepEqual([log.entries.length, log.entries[1].text], [200, '52']);
  log.watch(true);
  log.add(entry('seen'));
  assert.equal(log.unread, 0);
  log.watch(false);
  log.add(entry('mine', { isOwn: true }));
  assert.equal(log.unread, 0);
});
