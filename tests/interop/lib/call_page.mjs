// The meeting page in a call with the bridge inside it (mock/mock_bridge.js), and what a person would see of it.

import fs from 'node:fs';
import { until } from './until.mjs';

const MockBridge = fs.readFileSync(new URL('../mock/mock_bridge.js', import.meta.url), 'utf8');
const Features = "window.mock.features = ['receive', 'layers'];";

export const Sealing = 'window.mock.seals = true;';        // a script for `join`

export class CallPage {
  #server;
  #page = null;

  /** `server` as servePage() gives it. */
  constructor(server) {
    this.#server = server;
  }

  get page() { return this.#page; }

  /** Opens the page anew and joins as Ada. `features` and `script` run before the page's own scripts. */
  async join(browser, { script = '', query = 'width=320&height=180', viewport, features = Features } = {}) {
    await this.#page?.close();
    this.#page = await browser.newPage({ script: MockBridge + features + script, viewport });
    await this.#page.goto(`${this.#server.url}?${query}&fps=15&conference=standup&name=Ada&autojoin=1`);
    await until('in the call', () => this.#page.evaluate(() => window.viaduct.state === 'in-call'), 40);
  }

  /** Somebody joins; gives their id. */
  add(name, more = {}) {
    return this.#page.evaluate(([who, how]) => window.mock.add(who, how), [name, more]);
  }
  /** Calls a method of the bridge. */
  mock(method, ...values) {
    return this.#page.evaluate(([name, list]) => window.mock[name](...list), [method, values]);
  }
  /** What the page has sent of a type. */
  told(type) {
    return this.#page.evaluate((wanted) => window.mock.received.filter((message) => message.type === wanted), type);
  }
  untilAsked(what, condition) {
    return until(`the page asks for ${what}`, async () => condition((await this.told('receive')).at(-1) ?? {}));
  }

  tiles() {
    return this.#page.evaluate(() => [...document.querySelectorAll('#call .tile')].map((tile) => ({
      picture: tile.dataset.picture,
      name: tile.querySelector('.name')?.textContent,
      classes: [...tile.classList],
      note: tile.querySelector('.tile-note')?.hidden ? '' : tile.querySelector('.tile-note')?.textContent,
      quality: tile.querySelector('.quality')?.getAttribute('aria-label'),
      box: tile.getBoundingClientRect().toJSON(),
    })));
  }
  async tileOf(name) {
    return (await this.tiles()).find((tile) => tile.name === name);
  }
  /** Whose picture is the large one; null in the tile view. */
  async large() {
    return (await this.tiles()).find(({ classes }) => classes.includes('staged'))?.name ?? null;
  }
  untilLarge(name) {
    return until(`${name} is large`, async () => (await this.large()) === name);
  }
  /** Waits for classes of a tile; one that begins with "!" must be absent. */
  shows(name, ...classes) {
    return until(`${name} shows ${classes}`, async () => {
      const tile = await this.tileOf(name);
      return tile && classes.every((one) =>
        (one.startsWith('!') ? !tile.classes.includes(one.slice(1)) : tile.classes.includes(one)));
    });
  }
  textOf(selector) {
    return this.#page.evaluate((wanted) => document.querySelector(wanted)?.textContent ?? '', selector);
  }
  /** What the page counts of what it sends. */
  async sending() {
    return (await this.#page.evaluate(() => window.viaduct.stats())).sending;
  }
}
