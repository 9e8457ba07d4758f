// One person in a conference: a page in a browser with the meeting page open, and what that page says of itself.

import { sleep, until } from './until.mjs';

const Camera = { width: 320, height: 180, fps: 15 };

export class Participant {
  /** `query` is added to the page's address, `script` runs before the page's own. */
  constructor(browser, bridge, { name, conference, codecs = null, query = {}, script = '' }) {
    this.browser = browser;
    this.name = name;
    this.script = script;
    const all = { conference, name, autojoin: '1', ...Camera, ...(codecs ? { codecs } : {}), ...query };
    this.url = `${bridge.url}?${new URLSearchParams(all)}`;
  }

  /** Opens the page and resolves when it is in the call. */
  async join(seconds = 30) {
    this.page ??= await this.browser.newPage({ script: this.script });
    await this.page.goto(this.url);
    await this.inCall(seconds);
    return this;
  }

  async reload() {
    await this.page.reload();
    await this.inCall();
  }

  /** Through the page's own buttons. */
  async leave() {
    await this.page.click('#call [data-part=leave]');
    await until(`${this.name} sees the end screen`, () =>
      this.page.evaluate(() => !document.getElementById('ended').hidden),
    );
  }
  async rejoin() {
    await this.page.click('#ended [data-part=rejoin]');
    await this.inCall();
  }

  /** Presses the key for "audio" or "video" unless it is so already. */
  async setMuted(kind, muted) {
    const own = async () => (await this.tiles()).find((tile) => tile.self);
    if ((await own())[kind === 'audio' ? 'audioMuted' : 'videoMuted'] === muted) return;
    await this.page.press(kind === 'audio' ? 'm' : 'v');
    await until(
      `${this.name} shows ${kind} ${muted ? 'muted' : 'unmuted'}`,
      async () => (await own())[`${kind}Muted`] === muted,
    );
  }

  inCall(seconds = 30) {
    return until(`${this.name} is in the call`, async () => (await this.state()) === 'in-call', seconds);
  }
  state() { return this.page.evaluate(() => window.viaduct.state); }
  /** Everything that the page would show, but for tracks. */
  view() {
    return this.page.evaluate(() => JSON.parse(JSON.stringify(window.viaduct.view)));
  }
  /** The sentence in the header that says who can hear and see the call. */
  privacySentence() {
    return this.page.evaluate(() => document.querySelector('[data-part=privacy-sentence]').textContent);
  }
  /** Null while there is no connection, and when the page does not answer within five seconds. */
  stats() {
    return Promise.race([this.page.evaluate(() => window.viaduct.stats()), sleep(5000).then(() => null)]);
  }
  close() { return this.page?.close(); }

  /** What the person sees: [{name, self, audioMuted, videoMuted, speaking, hasPicture, sealed, note}]. */
  tiles() {
    return this.page.evaluate(() => [...document.querySelectorAll('#call .tile:not(.rest)')].map((tile) => ({
      name: tile.querySelector('.name').textContent.replace(/ \(you\)$/, ''),
      self: tile.classList.contains('self'),
      audioMuted: tile.classList.contains('audio-muted'),
      videoMuted: tile.classList.contains('video-muted'),
      speaking: tile.classList.contains('speaking'),
      hasPicture: tile.classList.contains('has-picture'),
      sealed: tile.classList.contains('sealed'),
      note: tile.querySelector('.tile-note').hidden ? '' : tile.querySelector('.tile-note').textContent,
    })));
  }

  async tileOf(name) {
    return (await this.tiles()).find((tile) => tile.name === name);
  }

  /** For a failed test: everything the page can tell. */
  async report() {
    const attempt = (what) => what().catch((error) => `(${error.message})`);
    return [
      `--- ${this.name} (${this.browser.name}): ${await attempt(() => this.state())}`,
      `tiles: ${JSON.stringify(await attempt(() => this.tiles()))}`,
      `view: ${JSON.stringify(await attempt(() => this.view()))}`,
      `stats: ${JSON.stringify(await attempt(() => this.stats()))}`,
      ...(this.page?.console ?? []).map(({ level, text }) => `console ${level}: ${text}`),
    ].join('\n');
  }
}
