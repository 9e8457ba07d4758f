// The page's modules that need no browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlowMeter } from './lib/flow_meter.mjs';
import { codecsToOffer, sendFirst } from '../../bridge/web/codecs.js';
import { arrange, fitting } from '../../bridge/web/layout.js';
import { deviceProblem, refusal } from '../../bridge/web/messages.js';
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
