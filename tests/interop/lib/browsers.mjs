// Real browsers, headless, with a fake camera and microphone, on loopback. Chromium is driven by playwright-core over
// a pipe, Firefox by puppeteer-core over WebDriver BiDi; `Page` makes them look alike. Each flag and preference is
// there for a reason found by trial.

import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import { sleep } from './until.mjs';

const ChromiumPaths = [process.env.VIADUCT_CHROMIUM, '/usr/lib/chromium/chromium', '/usr/bin/chromium'];
const FirefoxPaths = [process.env.VIADUCT_FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'];

const ChromiumFlags = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), // its sandbox refuses to run as root
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-pings',
  '--disable-domain-reliability',
  '--disable-default-apps',
  '--disable-extensions',
  // WebRtcHideLocalIpsWithMdns would give multicast names for candidates.
  '--disable-features=WebRtcHideLocalIpsWithMdns,OptimizationHints,MediaRouter,Translate',
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost, EXCLUDE 127.0.0.1', // nothing leaves the machine
  '--allow-loopback-in-peer-connection',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream=fps=15',
  '--autoplay-policy=no-user-gesture-required',
  '--mute-audio', // the elements must stay unmuted or energy is not counted
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

const FirefoxPreferences = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.peerconnection.ice.loopback': true,                      // works only together with the two permissions
  'permissions.default.camera': 1,
  'permissions.default.microphone': 1,
  'media.gmp-manager.updateEnabled': false,                       // the rest keeps it from talking to the outside
  'media.gmp-provider.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'services.settings.server': 'http://127.0.0.1:1/',
  'app.normandy.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'network.proxy.type': 0,
};

/** `wrap` gives the program that starts the one named; `flags` come last. */
export async function launchChromium({ wrap = (executable) => executable, flags = [] } = {}) {
  const browser = await chromium.launch({
    executablePath: wrap(findExecutable('Chromium', ChromiumPaths)),
    headless: true,
    args: [...ChromiumFlags, ...flags],
  });
  return {
    name: 'chromium',
    close: () => browser.close(),
    async newPage({ script, viewport = { width: 1280, height: 720 } } = {}) {
      const context = await browser.newContext({ viewport });     // a window and a memory of its own
      const page = await context.newPage();
      if (script) await page.addInitScript({ content: script });
      return new Page('chromium', page, {
        close: () => context.close(),
        resize: (size) => page.setViewportSize(size),
      });
    },
  };
}

export async function launchFirefox() {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: findExecutable('Firefox', FirefoxPaths),
    headless: true,
    extraPrefsFirefox: FirefoxPreferences,
    env: { ...process.env, MOZ_REMOTE_SETTINGS_DEVTOOLS: '1' }, // or the preference for the settings server is ignored
  });
  return {
    name: 'firefox',
    close: () => browser.close(),
    async newPage({ script, viewport = { width: 1280, height: 720 } } = {}) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage({ type: 'window' });    // a tab behind another one is hidden and throttled
      await page.setViewport(viewport);
      if (script) await page.evaluateOnNewDocument(script);
      return new Page('firefox', page, {
        close: () => context.close(),
        resize: (size) => page.setViewport(size),
      });
    },
  };
}

/** One tab in one of the browsers. */
export class Page {
  /** What the page wrote to its console, and errors nobody caught: [{level, text}]. */
  console = [];
  #page;
  #how;

  constructor(browser, page, how) {
    this.browser = browser;
    this.#page = page;
    this.#how = how;
    page.on('console', (message) => this.console.push({ level: message.type(), text: message.text() }));
    page.on('pageerror', (error) => this.console.push({ level: 'error', text: String(error?.stack ?? error) }));
  }

  goto(url) { return this.#page.goto(url, { waitUntil: 'load', timeout: 30_000 }); }
  reload() { return this.#page.reload({ waitUntil: 'load', timeout: 30_000 }); }
  evaluate(body, argument) { return this.#page.evaluate(body, argument); }
  press(key) { return this.#page.keyboard.press(key); }
  click(selector) { return this.#page.click(selector); }
  type(selector, text) { return this.#page.type(selector, text); }
  resize(size) { return this.#how.resize(size); }
  close() { return this.#how.close(); }

  /** Errors on the console that the page caused. */
  errors() { return this.console.filter(({ level }) => level === 'error').map(({ text }) => text); }

  async screenshot(file) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    await Promise.race([this.#page.screenshot({ path: file }), sleep(10_000)]);
  }
}

function findExecutable(name, candidates) {
  const found = candidates.find((candidate) => candidate && fs.existsSync(candidate));
  if (!found) throw new Error(`${name} is not installed; looked for ${candidates.filter(Boolean).join(', ')}`);
  return found;
}
