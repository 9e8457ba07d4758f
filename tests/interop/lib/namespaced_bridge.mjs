// A bridge in a network namespace of its own, with cables to others in which browsers stand. What is on the cables, and
// how the bridge takes its packets from them, is said by whoever extends it.

import { execFile, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Binary } from './bridge.mjs';
import { logLines } from './line_log.mjs';
import { WebRoot } from './page_server.mjs';
import { sleep, until } from './until.mjs';

const PagePort = 8080;
const AdminPort = 9091;

export const run = (...words) => execFileSync(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });

/** Why this machine cannot have namespaces in which `tryOut(namespace)` succeeds; null where it can. */
export function missingNamespaces(needed, tryOut) {
  if (process.getuid() !== 0) return 'makes network namespaces: run it as root';
  const name = `viaduct-probe-${process.pid}`;
  try {
    run('ip', 'netns', 'add', name);
    try {
      tryOut(name);
    } finally {
      run('ip', 'netns', 'del', name);
    }
    return null;
  } catch (error) {
    return `no network namespaces with ${needed} here: ${error.stderr || error.message}`;
  }
}

export class NamespacedBridge {
  /** Lines that it wrote, oldest first. */
  log = [];
  #spaces = {};
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'viaduct-namespaces-'));
  #address;
  #process = null;

  /** `names`: of its namespaces, the bridge's own first. `address`: of its page, on one of the cables. */
  constructor(names, address) {
    for (const name of names) this.#spaces[name] = `viaduct-${process.pid}-${name}`;
    this.#address = address;
  }

  get url() { return `http://${this.#address}:${PagePort}/`; }
  get pagePort() { return PagePort; }
  get running() {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** For launchChromium(): a browser in one of the namespaces, which takes the bridge's page for a secure one. */
  chromium(name) {
    return {
      wrap: (executable) => {
        const wrapper = path.join(this.#folder, `chromium-${name}`);
        const command = `ip netns exec ${this.#spaces[name]} ${executable}`;
        fs.writeFileSync(wrapper, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
        return wrapper;
      },
      flags: [`--unsafely-treat-insecure-origin-as-secure=http://${this.#address}:${PagePort}`,
        `--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE ${this.#address}`],
    };
  }

  async metrics() {
    const program = `process.stdout.write(await (await fetch('http://127.0.0.1:${AdminPort}/metrics')).text())`;
    const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', this.#own, process.execPath,
      '--input-type=module', '--eval', program], { maxBuffer: 1 << 24 });
    return stdout;
  }

  /** The sum of a metric over the series that have this label, or over all. */
  async count(name, label = '') {
    const series = (await this.metrics()).matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'));
    const wanted = [...series].filter(([, labels]) => (labels ?? '').includes(label));
    return wanted.reduce((sum, [, , value]) => sum + Number(value), 0);
  }

  /** Makes the namespaces, has `connect` lay the cables, and starts the bridge; resolves when it is ready. */
  async start(connect, ...options) {
    try {
      for (const name of Object.values(this.#spaces)) {
        run('ip', 'netns', 'add', name);
        run('ip', '-n', name, 'link', 'set', 'lo', 'up');
      }
      connect();
      await this.#launch(options);
      return this;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Asks it to stop and resolves to its exit code; null when it had to be killed. The namespaces go with it. */
  async stop() {
    let code = this.#process?.exitCode ?? null;
    if (this.running) {
      const ended = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGTERM');
      code = (await Promise.race([ended, sleep(15_000)])) ?? null;
      if (this.running) this.#process.kill('SIGKILL');
      await ended;
    }
    for (const name of Object.values(this.#spaces)) {
      if (fs.existsSync(`/run/netns/${name}`)) run('ip', 'netns', 'del', name);
    }
    fs.rmSync(this.#folder, { recursive: true, force: true });
    return code;
  }

  /**
   * A cable from the bridge's namespace to another, up at both ends; `prepare(namespace)` comes before. It has no
   * addresses but those that it is given: one of IPv6's own would come seconds later, and Chromium gives up what it is
   * loading when its network changes.
   */
  lay(cable, name, prepare = () => {}) {
    const ends = [this.#own, this.#spaces[name]];
    run('ip', '-n', ends[0], 'link', 'add', cable, 'type', 'veth', 'peer', 'name', cable, 'netns', ends[1]);
    for (const end of ends) {
      prepare(end);
      run('ip', '-n', end, 'link', 'set', cable, 'addrgenmode', 'none');
      run('ip', '-n', end, 'link', 'set', cable, 'up');
    }
  }
  ip(name, ...words) { run('ip', '-n', this.#spaces[name], ...words); }
  inside(name, ...words) { run('ip', 'netns', 'exec', this.#spaces[name], ...words); }

  get #own() { return Object.values(this.#spaces)[0]; }

  async #launch(options) {
    this.#process = spawn('ip', [
      'netns', 'exec', this.#own, Binary, '--page-address', `${this.#address}:${PagePort}`, '--admin-address',
      `127.0.0.1:${AdminPort}`, '--workers', '1', '--web-root', WebRoot, ...options,
    ], { stdio: ['ignore', 'pipe', 'pipe'] });
    logLines(this.#process, this.log);
    await until('the bridge is ready', async () => {
      if (!this.running) throw new Error(`the bridge ended at start:\n${this.log.join('\n')}`);
      return this.log.some((line) => line.includes('admin at'));
    }, 45);
  }
}
