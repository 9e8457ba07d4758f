// A bridge behind a cable of its own: it stands in one network namespace, and a browser in another, whose network can
// be taken away and given back. Packets of both directions are dropped without a word, as a dead radio link drops them.

import { execFile, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Binary } from './bridge.mjs';
import { logLines } from './line_log.mjs';
import { WebRoot } from './page_server.mjs';
import { sleep, until } from './until.mjs';

const [BridgeAddress, FarAddress] = ['198.18.9.1', '198.18.9.2'];
const PagePort = 8080;
const AdminPort = 9091;

const run = (...words) => execFileSync(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });

/** Why this machine cannot have one; null where it can. */
export function missingForFarBridge() {
  if (process.getuid() !== 0) return 'makes network namespaces: run it as root';
  const name = `viaduct-probe-${process.pid}`;
  try {
    run('ip', 'netns', 'add', name);
    try {
      run('ip', 'netns', 'exec', name, 'nft', 'add', 'table', 'inet', 'probe');
    } finally {
      run('ip', 'netns', 'del', name);
    }
    return null;
  } catch (error) {
    return `no network namespaces with nft here: ${error.stderr || error.message}`;
  }
}

export class FarBridge {
  /** Lines that it wrote, oldest first. */
  log = [];
  #spaces = { near: `viaduct-${process.pid}-near`, far: `viaduct-${process.pid}-far` };
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'viaduct-far-'));
  #process = null;

  static async start(extra = []) {
    const bridge = new FarBridge();
    try {
      bridge.#connect();
      await bridge.#run(extra);
    } catch (error) {
      await bridge.stop();
      throw error;
    }
    return bridge;
  }

  get url() { return `http://${BridgeAddress}:${PagePort}/`; }
  get running() {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** For launchChromium(): a browser in the bridge's namespace ("near") or in the other ("far"). */
  chromium(where) {
    return {
      wrap: (executable) => {
        const wrapper = path.join(this.#folder, `chromium-${where}`);
        const command = `ip netns exec ${this.#spaces[where]} ${executable}`;
        fs.writeFileSync(wrapper, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
        return wrapper;
      },
      flags: [`--unsafely-treat-insecure-origin-as-secure=http://${BridgeAddress}:${PagePort}`,
        `--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE ${BridgeAddress}`],
    };
  }

  /** The far browser has no network any more. */
  cutNetwork() {
    this.#nft('input', 'iifname "cable" drop');
    this.#nft('output', 'oifname "cable" drop');
  }
  /** Its connections to the page end with a reset as soon as it sends something on them; media goes on. */
  resetSockets() {
    this.#nft('output', `tcp dport ${PagePort} reject with tcp reset`);
  }
  restoreNetwork() {
    run('ip', 'netns', 'exec', this.#spaces.far, 'nft', 'delete', 'table', 'inet', 'cut');
  }

  /** The sum of a metric over the series that have this label, or over all. */
  async count(name, label = '') {
    const program = `process.stdout.write(await (await fetch('http://127.0.0.1:${AdminPort}/metrics')).text())`;
    const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', this.#spaces.near, process.execPath,
      '--input-type=module', '--eval', program], { maxBuffer: 1 << 24 });
    const series = stdout.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'));
    const wanted = [...series].filter(([, labels]) => (labels ?? '').includes(label));
    return wanted.reduce((sum, [, , value]) => sum + Number(value), 0);
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

  #nft(hook, rule) {
    const nft = (...words) => run('ip', 'netns', 'exec', this.#spaces.far, 'nft', 'add', ...words);
    nft('table', 'inet', 'cut');
    nft('chain', 'inet', 'cut', hook, `{ type filter hook ${hook} priority 0 ; }`);
    nft('rule', 'inet', 'cut', hook, ...rule.split(' '));
  }

  #connect() {
    const { near, far } = this.#spaces;
    for (const name of [near, far]) {
      run('ip', 'netns', 'add', name);
      run('ip', '-n', name, 'link', 'set', 'lo', 'up');
    }
    run('ip', '-n', near, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', far);
    for (const [name, address] of [[near, BridgeAddress], [far, FarAddress]]) {
      run('ip', '-n', name, 'address', 'add', `${address}/24`, 'dev', 'cable');
      run('ip', '-n', name, 'link', 'set', 'cable', 'up');
      run('ip', '-n', name, 'route', 'add', 'default', 'dev', 'cable');  // by which Chromium gathers candidates
    }
  }

  async #run(extra) {
    this.#process = spawn('ip', [
      'netns', 'exec', this.#spaces.near, Binary, '--page-address', `${BridgeAddress}:${PagePort}`, '--admin-address',
      `127.0.0.1:${AdminPort}`, '--media-address', BridgeAddress, '--media-port', '10000', '--advertise', BridgeAddress,
      '--workers', '1', '--web-root', WebRoot, ...extra,
    ], { stdio: ['ignore', 'pipe', 'pipe'] });
    logLines(this.#process, this.log);
    await until('the bridge is ready', async () => {
      if (!this.running) throw new Error(`the bridge ended at start:\n${this.log.join('\n')}`);
      return this.log.some((line) => line.includes('admin at'));
    }, 45);
  }
}
