// A call that is encrypted end to end through the real bridge: Chromium with Firefox and a third who comes and goes,
// with keys agreed on and changed meanwhile, judged by what the browsers themselves decode.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Bridge } from './lib/bridge.mjs';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { untilFlowing } from './lib/flow_meter.mjs';
import { Participant } from './lib/participant.mjs';
import { SteadyVoice } from './lib/sound_watch.mjs';
import { until } from './lib/until.mjs';

const Screenshots = fileURLToPath(new URL('../../build/interop', import.meta.url));

describe('a call that is encrypted end to end', () => {
  let bridge;
  let browsers = [];
  let ada;
  let alan;
  let grace;
  const present = () => [ada, alan, grace].filter((person) => person?.page);

  before(async () => {
    bridge = await Bridge.start();
    browsers = await Promise.all([launchChromium(), launchFirefox()]);
    const [chromium, firefox] = browsers;
    // Through the bridge also while they are two: direct calls have a test of their own.
    const person = (browser, name) => new Participant(browser, bridge,
      { name, conference: 'sealed', query: { direct: '0' }, script: SteadyVoice });
    [ada, alan, grace] = [person(chromium, 'Ada'), person(firefox, 'Alan'), person(chromium, 'Grace')];
  }, { timeout: 90_000 });

  after(async () => {
    await Promise.allSettled(browsers.map((browser) => browser.close()));
    await bridge?.stop();
  }, { timeout: 30_000 });

  const step = (name, body, timeout = 120_000) => test(name, { timeout }, async (context) => {
    try {
      await body(context);
      for (const person of present()) assert.deepEqual(person.page.errors(), [], `errors in ${person.name}'s page`);
    } catch (error) {
      for (const person of present()) {
        console.error(await person.report());
        await person.page.screenshot(path.join(Screenshots, `sealed-${person.name}.png`)).catch(() => {});
      }
      console.error(`--- the bridge's log\n${bridge.log.slice(-100).join('\n')}`);
      throw error;
    }
  });

  const digitsOf = async (person) => (await person.view()).e2ee.comparison?.text ?? null;
  const untilSaid = (people, pattern) => until(`everyone is told ${pattern}`, async () =>
    (await Promise.all(people.map((person) => person.privacySentence()))).every((text) => pattern.test(text)), 40);
  // Everyone opens everyone's frames, and all see the same digits, other ones than before.
  const untilSealed = async (people, before = null) => {
    const words = { 2: 'two', 3: 'three' };
    await untilSaid(people, new RegExp(`^Only the ${words[people.length]} of you can hear and see this call$`));
    const digits = await until('all see the same digits', async () => {
      const seen = await Promise.all(people.map(digitsOf));
      return seen[0] !== null && seen[0] !== before && seen.every((text) => text === seen[0]) && seen[0];
    }, 40);
    await untilFlowing(people, { seconds: 60 });
    for (const person of people) {
      await until(`${person.name} sees a lock on everyone`, async () =>
        (await person.tiles()).every(({ sealed }) => sealed), 30);
      for (const { participant, state, owner } of (await person.view()).e2ee.slots) {
        if (participant !== null && state === 'open') assert.equal(owner, participant);
      }
    }
    return digits;
  };
  let digits = null;

  step('is turned on in mid-call by one for everyone, Chromium with Firefox', async () => {
    await Promise.all([ada.join(), alan.join()]);
    await untilFlowing([ada, alan]);
    await untilSaid([ada, alan], /^The bridge at .* can decrypt this call while it forwards it; it keeps nothing$/);
    await ada.page.press('e');
    digits = await untilSealed([ada, alan]);
    assert.match(digits, /^\d{4} \d{4} \d{4}$/);
  });

  step('takes in a third who joins it, with other digits to compare', async () => {
    await grace.join();
    digits = await untilSealed([ada, alan, grace], digits);
  });

  step('is turned off and on again in mid-call, and media flows meanwhile', async () => {
    await alan.page.press('e');
    await untilSaid([ada, alan, grace], /^The bridge at .* can decrypt this call while it forwards it/);
    await untilFlowing([ada, alan, grace], { seconds: 60 });
    await ada.page.press('e');
    digits = await untilSealed([ada, alan, grace]);
  });

  step('goes on with new keys when one leaves and comes back', async () => {
    await grace.leave();
    digits = await untilSealed([ada, alan], digits);
    await grace.rejoin();
    digits = await untilSealed([ada, alan, grace], digits);
  });

  step('goes on when one reloads, in either browser', async () => {
    await alan.reload();
    digits = await untilSealed([ada, alan, grace], digits);
    await ada.reload();
    digits = await untilSealed([ada, alan, grace], digits);
  });

  step('mutes, and turns cameras off and on', async () => {
    await ada.setMuted('audio', true);
    await ada.setMuted('video', true);
    await until('Alan sees no picture of Ada', async () => !(await alan.tileOf('Ada')).hasPicture);
    await untilSaid([alan, grace], /^Only the three of you/);
    await ada.setMuted('audio', false);
    await ada.setMuted('video', false);
    await untilSealed([ada, alan, grace]);
  });

  step('shows to the operator as declared and looking like it', async () => {
    const report = await until('streams that look encrypted', async () => {
      const answer = await (await fetch(`${bridge.adminUrl}/v1/conferences/sealed/privacy`)).json();
      const streams = answer.participants.flatMap(({ sends }) => sends.filter(({ active }) => active));
      return streams.length === 6 && streams.every(({ verdict }) => verdict === 'consistent') && answer;
    }, 40);
    assert.equal(report.bridge.can_decrypt, false);
    assert.equal(report.encryption.wanted, true);
  });
});
