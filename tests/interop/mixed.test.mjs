// A listener in mixed mode, in a real browser: speakers are tones, and what the listener hears is measured in the
// sound that its page plays.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Bridge } from './lib/bridge.mjs';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { Participant } from './lib/participant.mjs';
import { FirefoxTone, heardTones, toneVoice } from './lib/tones.mjs';
import { until } from './lib/until.mjs';

const Tones = { Ada: 500, Alan: FirefoxTone, Lin: 1300 };
const Audible = -45;                         // dB, of a tone in the spectrum; at its full strength it has about -30
const Apart = 25;                            // dB between what is heard and what is not

describe('a conference with a listener in mixed mode', () => {
  let bridge;
  let browsers = [];
  let ada;
  let alan;
  let lin;
  const everyone = () => [ada, alan, lin];

  before(async () => {
    bridge = await Bridge.start();
    browsers = await Promise.all([launchChromium(), launchFirefox()]);
    const [chromium, firefox] = browsers;
    const person = (browser, name, query = {}) => new Participant(browser, bridge, {
      name, conference: 'mixed', query: { direct: '0', ...query }, script: toneVoice(Tones[name]),
    });
    [ada, alan, lin] = [
      person(chromium, 'Ada'),
      person(firefox, 'Alan', { mixed: '1' }),
      person(chromium, 'Lin', { mixed: '1' }),
    ];
  }, { timeout: 60_000 });

  after(async () => {
    await Promise.allSettled(browsers.map((browser) => browser.close()));
    await bridge?.stop();
  }, { timeout: 30_000 });

  const step = (name, body, timeout = 60_000) => test(name, { timeout }, async (context) => {
    try {
      await body(context);
    } catch (error) {
      for (const person of everyone()) console.error(await person.report());
      console.error(`--- the bridge's log\n${bridge.log.slice(-100).join('\n')}`);
      throw error;
    }
  });

  step('hears the two others, one in Chromium and one in Firefox, and not itself', async () => {
    await Promise.all(everyone().map((person) => person.join()));
    let heard;
    await until('Lin hears both', async () => {
      heard = await heardTones(lin, Tones);
      return heard.Ada > Audible && heard.Alan > Audible;
    }, 30);
    assert.ok(heard.Lin < Math.min(heard.Ada, heard.Alan) - Apart, `of ${JSON.stringify(heard)}`);
    const elements = await lin.page.evaluate(() => document.querySelectorAll('#call [data-part=sounds] audio').length);
    assert.equal(elements, 1);
  });

  step('hears a mix in Firefox as well', async () => {
    const energy = async () => {
      const slots = (await alan.stats())?.slots.filter(({ kind }) => kind === 'audio') ?? [];
      assert.ok(slots.length <= 1);
      return slots[0]?.totalAudioEnergy ?? 0;
    };
    const before = await energy();
    await until('Alan hears more', async () => (await energy()) > before + 0.01, 30);
  });

  step('is heard itself by somebody who hears single voices', async () => {
    await until('Ada hears Lin', async () => (await heardTones(ada, Tones)).Lin > Audible, 30);
  });

  step('still sees the others', async () => {
    for (const name of ['Ada', 'Alan']) {
      await until(`Lin sees ${name}`, async () => (await lin.tileOf(name))?.hasPicture);
    }
  });

  step('is told, like everybody, that the bridge decodes and mixes', async () => {
    for (const person of [lin, ada]) {
      await person.page.click('#call .privacy summary');
      await until(`${person.name} reads of the mix`, () => person.page.evaluate(() =>
        /decodes and mixes it/.test(document.querySelector('[data-part=privacy-panel]').textContent)));
    }
    const { endpoints } = await bridge.conference('mixed');
    assert.deepEqual(endpoints.filter(({ mixed }) => mixed).map(({ name }) => name).sort(), ['Alan', 'Lin']);
  });

  step('stops hearing somebody who is muted', async () => {
    await alan.setMuted('audio', true);
    await until('Lin hears Ada alone', async () => {
      const heard = await heardTones(lin, Tones);
      return heard.Ada > Audible && heard.Alan < heard.Ada - Apart;
    }, 30);
    await alan.setMuted('audio', false);
  });

  step('is told why it ends when the conference is encrypted, and joins again without', async () => {
    await ada.page.press('e');
    for (const person of [alan, lin]) {
      await until(`${person.name} sees why`, () => person.page.evaluate(() =>
        /cannot mix it/.test(document.querySelector('#ended [data-part=reason]').textContent)));
    }
    await lin.rejoin();
    assert.equal((await lin.view()).self.mixed, false);
  });

  step('is refused in words where the conference is encrypted already', async () => {
    const late = new Participant(lin.browser, bridge, { name: 'Late', conference: 'mixed', query: { mixed: '1' } });
    late.page = await late.browser.newPage();
    await late.page.goto(late.url);
    await until('Late reads why', () => late.page.evaluate(() =>
      /cannot mix it/.test(document.querySelector('#ended [data-part=reason]').textContent)));
    await late.close();
  });
});

test('the lobby offers a mix', { timeout: 60_000 }, async () => {
  const bridge = await Bridge.start();
  const chromium = await launchChromium();
  try {
    const page = await chromium.newPage();
    await page.goto(`${bridge.url}#lobby`);
    await page.type('#lobby [data-part=name]', 'Grace');
    await page.click('#lobby [data-part=mixed]');
    await page.click('#lobby [data-part=join]');
    await until('Grace is in the call', () => page.evaluate(() => window.viaduct.state === 'in-call'));
    assert.equal(await page.evaluate(() => window.viaduct.view.self.mixed), true);
    assert.deepEqual(page.errors(), []);
  } finally {
    await chromium.close();
    await bridge.stop();
  }
});
