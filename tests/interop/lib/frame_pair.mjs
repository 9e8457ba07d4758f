// Two pages, in one browser or in two, joined by a connection that the test signals: participants to each other.

import fs from 'node:fs';
import { newSenderKey } from '../../../bridge/web/e2ee/sender_keys.js';
import { until } from './until.mjs';

const Script = fs.readFileSync(new URL('../mock/frame_end.js', import.meta.url), 'utf8');

/** A key as a page can be told it. */
export const packed = ({ prefix, number, step, key }) => ({ prefix: [...prefix], number, step, key: [...key] });

export class FramePair {
  /** Opens both pages. `options` as frame_end.js takes them, or a list of one for each end. */
  static async open(url, browsers, options) {
    const pair = new FramePair();
    const [first, second] = Array.isArray(options) ? options : [options, options];
    pair.ends = await Promise.all([
      FrameEnd.open(url, browsers[0], 'ada', first),
      FrameEnd.open(url, browsers[1], 'grace', second),
    ]);
    return pair;
  }

  get names() { return this.ends.map(({ browser }) => browser).join(' and '); }

  /** Gives both the keys of both, as a key agreement would. */
  async exchangeKeys() {
    const [ada, grace] = this.ends;
    for (const [from, to] of [[ada, grace], [grace, ada]]) {
      await from.page.evaluate((key) => window.end.ownKey(key), packed(from.key));
      await to.learn(from, from.key);
    }
  }

  /** Tells each whether the other says that it encrypts. */
  async declare(value) {
    const [ada, grace] = this.ends;
    await Promise.all([ada.declare(grace, value), grace.declare(ada, value)]);
  }

  async encrypt(value) {
    await Promise.all(this.ends.map(({ page }) =>
      page.evaluate((on) => window.end.encryption.setEncrypting(on), value),
    ));
  }

  async connect() {
    const [ada, grace] = this.ends;
    const offer = await ada.page.evaluate(() => window.end.offer());
    this.answer = await grace.page.evaluate((sdp) => window.end.answer(sdp), offer);
    await ada.page.evaluate((sdp) => window.end.accept(sdp), this.answer);
    for (const [end, other] of [[ada, grace], [grace, ada]]) {
      if (end.transforms) await end.page.evaluate((who) => window.end.assign(who), other.name);
    }
  }

  /** Resolves when `condition` holds for what every end sees of every slot. */
  async everySlot(what, condition, seconds = 30) {
    for (const end of this.ends) await end.everySlot(what, condition, seconds);
  }

  async close() {
    for (const { page } of this.ends) {
      await page.evaluate(() => window.end.close()).catch(() => {});
      await page.close();
    }
  }
}

class FrameEnd {
  key = newSenderKey();

  static async open(url, browser, name, options) {
    const end = new FrameEnd();
    end.name = name;
    end.browser = browser.name;
    end.transforms = options.transforms ?? true;
    end.page = await browser.newPage({ script: Script });
    await end.page.goto(`${url}blank.html`);
    await end.page.evaluate((wanted) => window.end.open(wanted), options);
    return end;
  }

  learn(other, key) {
    const told = { name: other.name, key: packed(key) };
    return this.page.evaluate((wanted) => window.end.peerKey(wanted.name, wanted.key), told);
  }
  declare(other, value) {
    return this.page.evaluate(
      ({ name, on }) => window.end.encryption.setDeclared(name, on), { name: other.name, on: value });
  }
  look() { return this.page.evaluate(() => window.end.look()); }
  resize(width, height) { return this.page.evaluate(({ w, h }) => window.end.resize(w, h), { w: width, h: height }); }

  async everySlot(what, condition, seconds = 30) {
    let seen;
    try {
      return await until(`${this.browser} (${this.name}): ${what}`, async () => {
        seen = await this.look();
        return Object.entries(seen).every(([slot, state]) => condition(state, slot)) && seen;
      }, seconds);
    } catch (error) {
      console.error(`${this.browser} (${this.name}) saw ${JSON.stringify(seen, null, 1)}`);
      for (const { level, text } of this.page.console) console.error(`console ${level}: ${text}`);
      throw error;
    }
  }
}
