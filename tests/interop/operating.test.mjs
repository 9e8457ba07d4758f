// What a person does in a call besides looking: writing, choosing devices, going by keyboard alone, holding a phone. A
// real browser against the bridge inside the page (mock/mock_bridge.js).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from './lib/browsers.mjs';
import { CallPage, Sealing } from './lib/call_page.mjs';
import { servePage } from './lib/page_server.mjs';
import { sleep, until } from './lib/until.mjs';

const Phone = { width: 360, height: 640 };
const options = { timeout: 120_000 };

describe('operating a call', { concurrency: 1 }, () => {
  let server;
  let browser;
  let call;

  before(async () => {
    server = await servePage();
    browser = await launchChromium();
    call = new CallPage(server);
  }, options);
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  const join = (how) => call.join(browser, how);
  const press = (key) => call.page.press(key);
  const messages = () => call.page.evaluate(() =>
    [...document.querySelectorAll('.chat li[data-number]')].map((item) => ({
      name: item.querySelector('.chat-name').textContent,
      text: item.querySelector('.chat-text').textContent,
      refused: item.classList.contains('refused'),
      elements: item.querySelectorAll('a, b:not(.chat-name), img, script').length,
    })));
  const write = async (text) => {
    await call.page.type('[data-part=chat-field]', text);
    await press('Enter');
  };
  const untilSaid = (what, condition) => until(what, async () => condition(await messages()));
  const unread = () => call.page.evaluate(() => {
    const mark = document.querySelector('[data-part=unread]');
    return mark.hidden ? 0 : Number(mark.textContent);
  });
  const focused = () => call.page.evaluate(() => {
    const { activeElement: element } = document;
    return element?.dataset.part ?? element?.className ?? '';
  });
  const noErrors = () => assert.deepEqual(call.page.errors(), []);

  test('carries what people write, as text and nothing else, and counts what nobody has seen', options, async () => {
    await join();
    const grace = await call.add('Grace');
    await call.mock('write', grace, 'one <img src=x onerror=alert(1)> https://example.org');
    await call.mock('write', grace, 'two');
    await until('two unread', async () => (await unread()) === 2);
    assert.equal(await call.page.evaluate(() => document.querySelector('[data-part=chat]').title),
      'Chat, 2 unread (c)');
    await press('c');
    await untilSaid('both', (list) => list.length === 2);
    const [first] = await messages();
    assert.deepEqual([first.name, first.text, first.elements],
      ['Grace', 'one <img src=x onerror=alert(1)> https://example.org', 0]);
    assert.deepEqual([await unread(), await focused()], [0, 'chat-field']);
    await write('m is no shortcut here');
    await untilSaid('one’s own', (list) => list.at(-1)?.name === 'Ada (you)');
    assert.deepEqual(await call.mock('read', grace), ['m is no shortcut here']);
    assert.match(await call.textOf('[data-part=chat-note]'), /^The bridge can read messages/);
    assert.deepEqual(await call.told('mute'), []);
    await press('Escape');
    assert.equal(await call.page.evaluate(() => document.querySelector('[data-part=chat-panel]').hidden), true);
    await call.mock('write', 'nobody', 'from nowhere');
    await call.mock('relay', grace, '{"v":1,"chat":{"text":7}}');
    await sleep(300);
    assert.equal(await unread(), 0);
    noErrors();
  });

  test('seals what people write in an encrypted call, and refuses the rest', options, async () => {
    await join({ script: Sealing });
    const [grace, alan] = [await call.add('Grace'), await call.add('Alan')];
    await press('e');
    await call.mock('seal', grace);
    await call.mock('seal', alan);
    await call.shows('Ada (you)', 'sealed');
    await press('c');
    assert.match(await call.textOf('[data-part=chat-note]'), /^Messages are encrypted end to end/);
    await until('keys', async () => {
      await write('between us');
      return (await call.mock('read', grace)).at(-1) === 'between us';
    });
    const relayed = JSON.stringify((await call.told('relay')).map(({ all }) => all ?? ''));
    assert.ok(relayed.includes('sealed') && !relayed.includes('between us'));
    const before = (await messages()).length;
    await call.mock('write', grace, 'yes', { sealed: true });
    await untilSaid('what Grace sealed', (list) => list.length === before + 1 && list.at(-1).text === 'yes');
    await call.mock('write', grace, 'in clear');
    await untilSaid('a refusal', (list) => /came unencrypted/.test(list.at(-1).text));
    await call.mock('write', grace, 'not by Grace', { sealed: true, by: alan });
    await untilSaid('a refusal', (list) => /not sealed by whom/.test(list.at(-1).text) && list.at(-1).name === 'Grace');
    await call.page.evaluate(([id]) => window.mock.write(id, 'pay ten', {
      sealed: true, change: (bytes) => { bytes[bytes.length - 1] ^= 1; },
    }), [alan]);
    await untilSaid('a refusal', (list) => list.at(-1).refused && list.at(-1).name === 'Alan');
    const all = (await messages()).map(({ text }) => text).join();
    for (const text of ['in clear', 'not by Grace', 'pay ten']) assert.ok(!all.includes(text), text);
    noErrors();
  });

  test('keeps what was written through a reconnect, and nothing of it after the call', options, async () => {
    await join();
    const grace = await call.add('Grace');
    await call.mock('write', grace, 'before');
    await call.mock('dropSocket');
    await until('joined again', () => call.page.evaluate(() =>
      window.mock.joins === 2 && window.viaduct.state === 'in-call'), 30);
    await call.mock('write', grace, 'after');
    await press('c');
    await untilSaid('both', (list) => list.map(({ text }) => text).join() === 'before,after');
    await call.page.click('#call [data-part=leave]');
    await call.page.click('#ended [data-part=rejoin]');
    await until('in the call', () => call.page.evaluate(() => window.viaduct.state === 'in-call'), 30);
    await press('c');
    assert.deepEqual(await messages(), []);
    assert.deepEqual(await call.page.evaluate(() => Object.keys(localStorage).sort()), ['viaduct.name']);
    noErrors();
  });

  test('is operated by keyboard alone, with a list of its keys', options, async () => {
    await join();
    await call.add('Grace');
    await call.shows('Grace', 'has-picture');
    await press('?');
    assert.equal(await call.page.evaluate(() => document.querySelector('dialog[open]').dataset.part), 'help');
    assert.match(await call.textOf('dialog[open]'), /mMute or unmute your microphone.*cOpen or close the chat/s);
    await press('m');
    assert.deepEqual(await call.told('mute'), [], 'a window over the page takes the keys');
    await press('Escape');
    assert.equal(await focused(), 'audio', 'the focus is where it was');
    const seen = [];
    for (let i = 0; i < 30; ++i) {
      seen.push(await focused());
      const ring = await call.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      if (i > 0 && seen.at(-1) !== '') assert.notEqual(ring, 'none', `the focus on ${seen.at(-1)} can be seen`);
      await press('Tab');
    }
    const order = ['audio', 'video', 'screen', 'seal', 'view', 'chat', 'open-settings', 'copy', 'open-help', 'leave'];
    assert.deepEqual(seen.slice(0, order.length), order);
    assert.equal(seen.filter((name) => name === 'pin').length >= 2, true, 'and every picture');
    const nameless = await call.page.evaluate(() => [...document.querySelectorAll('#call :is(button, summary, select)')]
      .filter((one) => one.checkVisibility?.() && !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
      .map((one) => one.outerHTML));
    assert.deepEqual(nameless, []);
    noErrors();
  });

  test('tells people who do not see the screen who speaks and who comes', options, async () => {
    await join();
    const grace = await call.add('Grace');
    assert.equal(await call.page.evaluate(() => document.querySelector('#call .toast').getAttribute('role')), 'status');
    assert.equal(await call.textOf('#call .toast'), 'Grace joined');
    await call.mock('speak', grace);
    await until('news', async () => (await call.textOf('[aria-live]')) === 'Grace speaks');
    noErrors();
  });

  test('has room for everything on a phone', options, async () => {
    await join({ viewport: Phone });
    const grace = await call.add('Grace Brewster Murray Hopper of the United States Navy');
    for (let i = 0; i < 5; ++i) await call.add(`Person ${i}`);
    await call.mock('share', grace);
    for (const key of [null, 't', 'c', 'Escape', 'd', 'Escape', '?', 'Escape']) {
      if (key) await press(key);
      await sleep(150);
      const outside = await call.page.evaluate(() => {
        const { innerWidth: width, innerHeight: height } = window;
        const parts = '#call .controls button, #call .tile, .chat, .chat form, dialog[open], .bar *';
        const all = document.querySelectorAll(parts);
        return [document.documentElement.scrollWidth > width ? 'scrolls' : null, ...[...all].map((one) => {
          const { left, top, right, bottom } = one.getBoundingClientRect();
          const isInside = left >= 0 && top >= 0 && right <= width && bottom <= height;
          return one.checkVisibility() && !one.closest('.panel') && !isInside ? one.outerHTML.slice(0, 120) : null;
        })].filter(Boolean);
      });
      assert.deepEqual(outside, [], `after ${key}`);
    }
    const small = await call.page.evaluate(() => [...document.querySelectorAll('#call .controls button')]
      .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width < 44).length);
    assert.equal(small, 0, 'buttons are large enough for a thumb');
    noErrors();
  });

  test('changes devices in mid-call, and remembers only what the lobby remembers', options, async () => {
    await join();
    await press('d');
    const choices = (part) => call.page.evaluate((name) =>
      [...document.querySelectorAll(`dialog [data-part=${name}] option`)].map(({ value }) => value), part);
    await until('microphones', async () => (await choices('microphones')).length > 1);
    const track = () => call.page.evaluate(() => window.viaduct.stats().then(({ sending }) =>
      sending.find(({ kind }) => kind === 'audio').packets));
    const choose = (part, value) => call.page.evaluate(([name, id]) => {
      const select = document.querySelector(`dialog [data-part=${name}]`);
      select.value = id;
      select.dispatchEvent(new Event('change'));
    }, [part, value]);
    const other = (await choices('microphones')).at(-1);
    const packets = await track();
    await choose('microphones', other);
    await until('sound goes on', async () => (await track()) > packets + 20);
    await press('Escape');
    await press('d');
    await until('the other is in use', () => call.page.evaluate((id) =>
      document.querySelector('dialog [data-part=microphones]').value === id, other));
    const speaker = (await choices('speakers')).at(-1);
    await choose('speakers', speaker);
    await until('the others play there', () => call.page.evaluate((id) =>
      [...document.querySelectorAll('[data-part=sounds] audio')].every(({ sinkId }) => sinkId === id), speaker));
    assert.deepEqual(await call.page.evaluate(() => Object.keys(localStorage).sort()),
      ['viaduct.device.audio', 'viaduct.name']);
    noErrors();
  });

  test('goes on with another microphone when one is unplugged, and says when the camera stops', options, async () => {
    const Unplug = `{
      const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      window.given = [];
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await real(wanted);
        if (wanted.audio?.echoCancellation || wanted.video) window.given.push(...stream.getTracks());
        return stream;
      };
      window.unplug = (kind) => {
        const track = window.given.findLast((one) => one.kind === kind && one.readyState === 'live');
        track.stop();
        track.dispatchEvent(new Event('ended'));
      };
      const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
      navigator.mediaDevices.enumerateDevices = async () =>
        (await list()).filter(({ kind }) => kind !== window.gone);
    }`;
    await join({ script: Unplug });
    await call.page.evaluate(() => window.unplug('audio'));
    await until('a sentence', async () => /Your microphone was unplugged/.test(await call.textOf('#call .toast')));
    await call.shows('Ada (you)', '!audio-muted');
    await call.page.evaluate(() => window.unplug('video'));
    await call.shows('Ada (you)', 'video-muted', '!audio-muted');
    assert.match(await call.textOf('#call .notices'), /The camera has stopped/);
    await press('v');
    await call.shows('Ada (you)', '!video-muted', 'has-picture');
    await press('d');
    await until('loudspeakers', () => call.page.evaluate(() =>
      document.querySelectorAll('dialog [data-part=speakers] option').length > 1));
    await call.page.evaluate(() => {
      const select = document.querySelector('dialog [data-part=speakers]');
      select.value = select.options[select.options.length - 1].value;
      select.dispatchEvent(new Event('change'));
      window.gone = 'audiooutput';
      navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    });
    await until('the system’s loudspeaker', () => call.page.evaluate(() =>
      [...document.querySelectorAll('[data-part=sounds] audio')].every(({ sinkId }) => sinkId === '')));
    assert.match(await call.textOf('#call .toast'), /Your loudspeaker was unplugged/);
    noErrors();
  });
});
