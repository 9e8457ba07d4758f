// The page's modules that need no browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlowMeter } from './lib/flow_meter.mjs';
import { codecsToOffer, dropUnlisted, formatsToSend, sendFirst } from '../../bridge/web/codecs.js';
import { arrange, fitting } from '../../bridge/web/layout.js';
import { deviceProblem, listed, refusal } from '../../bridge/web/messages.js';
import { details, isShowable, summarize, tileNote, warnings } from '../../bridge/web/privacy.js';
import { Backoff, signallingUrl } from '../../bridge/web/signalling.js';

test('tiles fill the window without leaving it, at any count and size', () => {
  for (const [width, height] of [[1280, 720], [390, 844], [844, 390], [2560, 1080], [320, 480]]) {
    for (let count = 1; count <= 49; ++count) {
      const tile = arrange(count, width, height, 10);
      const rows = Math.ceil(count / tile.columns);
      assert.ok(tile.columns * tile.width + (tile.columns - 1) * 10 <= width, `${count} tiles in ${width}x${height}`);
      assert.ok(rows * tile.height + (rows - 1) * 10 <= height, `${count} tiles in ${width}x${height}`);
      assert.ok(tile.width / tile.height <= 16 / 9 + 0.05);
    }
  }
});

test('two people stand side by side in a wide window and one above the other in an upright one', () => {
  assert.equal(arrange(2, 1280, 720, 10).columns, 2);
  assert.equal(arrange(2, 390, 700, 10).columns, 1);
});

test('people whose tile would be too small to see share the last one', () => {
  assert.equal(fitting(9, 1280, 600, 10), 9);
  assert.ok(fitting(200, 390, 700, 10) < 60);
});

test('of the many profiles a browser lists, one of each format is offered, and nothing that wraps video', () => {
  const list = [
    { mimeType: 'video/VP8' },
    { mimeType: 'video/rtx' },
    { mimeType: 'video/VP9', sdpFmtpLine: 'profile-id=0' },
    { mimeType: 'video/VP9', sdpFmtpLine: 'profile-id=2' },
    { mimeType: 'video/AV1', sdpFmtpLine: 'level-idx=5;profile=0;tier=0' },
    { mimeType: 'video/AV1', sdpFmtpLine: 'level-idx=5;profile=1;tier=0' },
    { mimeType: 'video/H264', sdpFmtpLine: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f' },
    { mimeType: 'video/H264', sdpFmtpLine: 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f' },
    { mimeType: 'video/red' }, { mimeType: 'video/ulpfec' }, { mimeType: 'video/flexfec-03' },
  ];
  assert.deepEqual(codecsToOffer(null, list), [list[0], list[1], list[2], list[4], list[6]]);
  assert.deepEqual(codecsToOffer(['vp9'], list), [list[1], list[2]]);
});

test('a payload type moves to the front of its own section only', () => {
  const sdp =
    'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97 98\r\na=mid:1\r\n' +
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98\r\na=mid:10\r\n';
  assert.equal(sendFirst(sdp, '1', 98), sdp.replace('96 97 98\r\na=mid:1\r\n', '98 96 97\r\na=mid:1\r\n'));
  assert.equal(sendFirst(sdp, '1', 45), sdp);
});

test('what a description says of payload types that it does not list is dropped', () => {
  const sdp = 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 109\r\na=rtcp-fb:109 nack\r\na=rtcp-fb:120 nack\r\n' +
    'm=video 9 UDP/TLS/RTP/SAVPF 120 99\r\na=rtcp-fb:120 nack\r\na=rtcp-fb:123 nack\r\na=fmtp:99 profile=0\r\n' +
    'a=rtcp-fb:* ccm fir\r\na=mid:1\r\n';
  const dropped = sdp.replace(/a=rtcp-fb:120 nack\r\n(?=m=)/, '').replace('a=rtcp-fb:123 nack\r\n', '');
  assert.equal(dropUnlisted(sdp), dropped);
  assert.equal(dropUnlisted(dropped), dropped);
});

test('signalling lives on the host and scheme of the page', () => {
  assert.equal(signallingUrl('http://127.0.0.1:8080/?name=Ada#standup'), 'ws://127.0.0.1:8080/v1/signal');
  assert.equal(signallingUrl('https://meet.example.org/'), 'wss://meet.example.org/v1/signal');
});

test('attempts to reconnect grow apart up to about ten seconds', () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 12 }, () => backoff.nextMilliseconds());
  assert.ok(waits[0] >= 375 && waits[0] <= 625);
  assert.ok(waits.at(-1) >= 7500 && waits.at(-1) <= 12_500);
  backoff.reset();
  assert.ok(backoff.nextMilliseconds() <= 625);
});

test('a device problem names the device and what still works', () => {
  assert.match(deviceProblem('audio', 'NotFoundError'), /No microphone was found.*you can listen/);
  assert.match(deviceProblem('video', 'NotReadableError'), /camera is in use.*your name instead/);
  assert.match(refusal('offer-refused', 'The offer has no BUNDLE.'), /^The offer has no BUNDLE\.$/);
});

test('what a slot received counts for whoever it carried meanwhile', async () => {
  const meter = new FlowMeter();
  const slot = (name, framesDecoded) => ({ mid: '5', kind: 'video', name, framesDecoded, totalAudioEnergy: 0 });
  const looks = [
    slot('Grace', 10),
    slot('Grace', 25),
    slot('Alan', 40),
    slot('Alan', 47),
    slot('Alan', 3),
    slot('Alan', 5),
    slot(null, 5),
  ];
  for (const seen of looks) await meter.look([{ name: 'Ada', stats: async () => ({ slots: [seen] }) }]);
  assert.equal(meter.flow('Grace', 'Ada').frames, 15);
  assert.equal(meter.flow('Alan', 'Ada').frames, 9);
});

test('where a call is sealed only formats that can be encrypted are sent, and any of these rather than none', () => {
  assert.deepEqual(formatsToSend(['H264', 'VP9', 'VP8'], false), ['H264', 'VP9', 'VP8']);
  assert.deepEqual(formatsToSend(['H264', 'VP9', 'VP8'], true), ['VP9', 'VP8']);
  assert.deepEqual(formatsToSend(['H264'], true), ['VP8', 'VP9', 'AV1']);
  assert.deepEqual(formatsToSend([], false), []);
});

test('names are listed as people would say them', () => {
  assert.equal(listed(['Ada']), 'Ada');
  assert.equal(listed(['Ada', 'Grace']), 'Ada and Grace');
  assert.equal(listed(['Ada', 'Grace', 'Alan', 'Radia', 'Edsger']), 'Ada, Grace and 3 others');
});

// --- the privacy sentence and its details ---

const sealedPerson = (name, more = {}) => ({
  id: name.toLowerCase(),
  name,
  audioMuted: false,
  videoMuted: false,
  e2ee: { capable: true, declared: true, verdict: 'consistent' },
  media: { state: 'open' },
  agreed: 'agreed',
  ...more,
});
const plainPerson = (name, more = {}) => sealedPerson(name, {
  e2ee: { capable: true, declared: false, verdict: 'undeclared' },
  media: { state: 'plain' },
  ...more,
});
const callView = (people, { sealed = true, wanted = sealed, path = 'bridge', ...more } = {}) => ({
  state: 'in-call',
  host: 'meet.example.org',
  self: { id: 'me', name: 'Me', capable: true, canSealVideo: true, sealed, failed: false, heldBack: {}, ...more.self },
  people,
  e2ee: {
    wanted,
    required: false,
    comparison: { text: '1234 5678 9012', participants: ['me', ...people.map(({ id }) => id)] },
    ...more.e2ee,
  },
  path,
  direct: { protection: null },
  report: more.report ?? null,
});
const sentenceOf = (...view) => summarize(callView(...view)).sentence;

test('"only you can hear and see" is said when everyone encrypts, opens and has agreed, and never before', () => {
  const [ada, grace] = [sealedPerson('Ada'), sealedPerson('Grace')];
  const claim = 'Only the three of you can hear and see this call';
  assert.equal(sentenceOf([ada, grace]), claim);
  assert.equal(summarize(callView([ada, grace])).level, 'sealed');
  assert.equal(sentenceOf([ada]), 'Only the two of you can hear and see this call');
  const doubts = {
    'does not declare': plainPerson('Grace'),
    'looks plain to the bridge': sealedPerson('Grace', {
      e2ee: { capable: true, declared: true, verdict: 'contradicted' },
    }),
    'comes plain': sealedPerson('Grace', { media: { state: 'refused' } }),
    'does not open': sealedPerson('Grace', { media: { state: 'wrong-key' } }),
    'has no key here': sealedPerson('Grace', { media: { state: 'waiting' } }),
    'opens with another key': sealedPerson('Grace', { media: { state: 'foreign', owner: 'ada' } }),
    'has only just changed': sealedPerson('Grace', { media: { state: 'settling' } }),
    'has not been seen': sealedPerson('Grace', {
      e2ee: { capable: true, declared: true, verdict: 'undecided' }, media: { state: 'idle' },
    }),
  };
  for (const [why, person] of Object.entries(doubts)) assert.notEqual(sentenceOf([ada, person]), claim, why);
  assert.notEqual(sentenceOf([ada, grace], { sealed: false, wanted: true }), claim, 'we do not encrypt');
  assert.notEqual(sentenceOf([ada, grace], { e2ee: { comparison: null } }), claim, 'no agreement');
  assert.notEqual(sentenceOf([ada, grace], { e2ee: { comparison: { text: '1', participants: ['me', 'ada'] } } }), claim,
    'no agreement with one of them');
});

test('somebody who encrypts and sends nothing does not cast doubt on the call', () => {
  const silent = sealedPerson('Grace', {
    audioMuted: true, videoMuted: true, media: { state: 'idle' },
    e2ee: { capable: true, declared: true, verdict: 'undecided' },
  });
  assert.equal(sentenceOf([silent]), 'Only the two of you can hear and see this call');
});

test('a call in clear names the bridge that can decrypt it', () => {
  assert.equal(sentenceOf([plainPerson('Ada')], { sealed: false }),
    'The bridge at meet.example.org can decrypt this call while it forwards it; it keeps nothing');
  assert.equal(sentenceOf([], { sealed: false }),
    'Only you are here. The bridge at meet.example.org can decrypt what you send; it keeps nothing');
  assert.equal(sentenceOf([]), 'Only you are here, and what you send is encrypted end to end');
});

test('a mixed call names those whom the bridge can decrypt', () => {
  const [ada, grace] = [sealedPerson('Ada'), plainPerson('Grace')];
  assert.equal(sentenceOf([ada, grace]),
    'The bridge at meet.example.org can decrypt what Grace sends; it keeps nothing');
  assert.equal(sentenceOf([ada, grace], { sealed: false, wanted: true }),
    'The bridge at meet.example.org can decrypt what Grace and you send; it keeps nothing');
  const liar = sealedPerson('Ada', { e2ee: { capable: true, declared: true, verdict: 'contradicted' } });
  const { level, sentence } = summarize(callView([liar]));
  assert.deepEqual([level, sentence], ['alarm',
    'What Ada sends looks unencrypted: the bridge at meet.example.org can probably decrypt it']);
});

test('a direct call says that the bridge carries none of it, encrypted end to end or not', () => {
  assert.equal(sentenceOf([plainPerson('Ada')], { sealed: false, path: 'direct' }),
    'This call goes directly between the two of you. The bridge carries none of it');
  assert.equal(sentenceOf([sealedPerson('Ada')], { path: 'direct' }),
    'Only the two of you can hear and see this call. It goes directly between you');
});

test('what cannot be opened is said on the tile instead of shown', () => {
  const nameOf = (id) => ({ ada: 'Ada', alan: 'Alan' })[id];
  const note = (person) => tileNote(person, { e2ee: { wanted: true }, nameOf });
  const wrong = sealedPerson('Ada', { media: { state: 'wrong-key' } });
  assert.equal(note(wrong), 'Ada’s picture is encrypted with a key that this browser does not have');
  assert.equal(note({ ...wrong, videoMuted: true }),
    'Ada’s sound is encrypted with a key that this browser does not have');
  assert.equal(isShowable(wrong), false);
  const foreign = sealedPerson('Ada', { media: { state: 'foreign', owner: 'alan' } });
  assert.equal(note(foreign), 'Shown as Ada, but encrypted with Alan’s key');
  assert.match(note({ ...foreign, media: { state: 'foreign', owner: 'gone' } }), /the key of somebody who is not Ada$/);
  assert.equal(note(sealedPerson('Ada', { media: { state: 'refused' } })),
    'Ada says that they encrypt, but their streams look unencrypted');
  assert.equal(note(plainPerson('Ada', { e2ee: { capable: false, declared: false, verdict: 'undeclared' } })),
    'Ada’s browser cannot encrypt end to end');
  assert.equal(note(sealedPerson('Ada')), null);
  assert.equal(note(plainPerson('Ada')), null);
});

test('who cannot encrypt is told so, and the others are told who it is', () => {
  const ada = plainPerson('Ada', { e2ee: { capable: false, declared: false, verdict: 'undeclared' } });
  const barbara = sealedPerson('Barbara', { e2ee: { capable: false, declared: true, verdict: 'consistent' } });
  const told = warnings(callView([ada, barbara]));
  assert.match(told[0], /^Ada’s browser cannot encrypt end to end: the bridge can decrypt what Ada sends/);
  assert.match(told[1], /^Barbara sends no picture: end-to-end encryption needs VP8, VP9 or AV1/);
  const self = { id: 'me', capable: false, canSealVideo: true, sealed: false, heldBack: { audio: 'undeclared' } };
  const own = warnings(callView([], { self, wanted: true }));
  assert.match(own[0], /^This browser cannot encrypt end to end/);
  assert.match(own[1], /^The others do not get your sound: .*does not encrypt/);
  assert.match(warnings(callView([], { self: { ...self, capable: true, canSealVideo: false, heldBack: {} } }))[0],
    /^Your picture is not sent/);
  assert.deepEqual(warnings(callView([ada], { sealed: false })), [], 'nobody asked for encryption');
});

test('the details give each leg, and say what the claim rests on', () => {
  const hop = {
    dtls_version: 'DTLSv1.2', dtls_group: 'X25519', dtls_cipher: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    srtp_profile: 'AEAD_AES_128_GCM', participant_fingerprint: 'sha-256 AB:CD', bridge_fingerprint: 'sha-256 12:34',
  };
  const stream = {
    kind: 'video', declared: true, observed: 'ciphertext', readable_by: ['participants'], held_back: null,
  };
  const report = { participants: [
    { id: 'me', name: 'Me', path: 'bridge', hop, direct: null, sends: [stream],
      receives: [{ kind: 'audio', participant: 'ada', path: 'bridge', readable_by: ['participants'] }] },
    { id: 'ada', name: 'Ada', path: 'bridge', hop, direct: null, sends: [{
      ...stream, declared: false, observed: 'plain', held_back: 'undeclared', readable_by: ['participants', 'bridge'],
    }] },
  ] };
  const found = details(callView([sealedPerson('Ada')], { report }));
  assert.equal(found.digits.text, '1234 5678 9012');
  assert.ok(found.paragraphs.some((text) => text.startsWith('Until the digits have been compared')));
  const text = found.legs.flatMap(({ name, lines }) => [name, ...lines.map((line) => line.join(': '))]).join('\n');
  assert.match(text, /^You\nsends: picture through the bridge: declares end-to-end encryption; looks encrypted \(evid/);
  assert.match(text, /receives: Ada, sound through the bridge; the bridge cannot decrypt it/);
  assert.match(text, /To the bridge: DTLSv1.2, X25519, ECDHE-ECDSA-AES128-GCM-SHA256, AEAD_AES_128_GCM/);
  assert.match(text, /fingerprint: sha-256 AB:CD/);
  assert.match(text, /looks like plain codec data \(evidence, not proof\);.* held back: not declared encrypted; the b/);
  const pending = details(callView([sealedPerson('Ada', { agreed: 'failed' })], { e2ee: { comparison: null } }));
  assert.equal(pending.digits, null);
  assert.match(pending.digitsNote, /no agreement on keys with Ada/);
});

test('a report that is not as expected does not break the panel', () => {
  for (const report of [{}, { participants: 'none' }, { participants: [{ id: 'ada' }] },
    { participants: [{ id: 'ada', sends: {}, receives: null, hop: {}, direct: {} }] }]) {
    assert.ok(details(callView([sealedPerson('Ada')], { report })).sentence);
  }
});
