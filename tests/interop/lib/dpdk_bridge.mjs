// A bridge that takes its packets from DPDK: it and the browsers are in network namespaces of their own, with one cable
// for media, on which the bridge itself is the host, and another for the page.

import { execFile, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Binary } from './bridge.mjs';
import { logLines } from './line_log.mjs';
import { WebRoot } from './page_server.mjs';
import { sleep, until } from './until.mjs';

const [BridgeMedia, PeerMedia] = ['10.98.0.1', '10.98.0.2'];
const [BridgePage, PeerPage] = ['198.18.8.1', '198.18.8.2'];
const PagePort = 8080;
const AdminPort = 9091;
// What a veth leaves out while both of its ends are in one machine.
const Offloads = ['rx', 'tx', 'gso', 'tso', 'gro', 'txvlan', 'rxvlan'].flatMap((name) => [name, 'off']);

const ip = (...words) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

/** Why this machine cannot have one; null where it can. */
export function missingForDpdk() {
  if (process.getuid() !== 0) return 'makes network namespaces: run it as root';
  try {
    const name = `viaduct-probe-${process.pid}`;
    ip('netns', 'add', name);
    try {
      ip('-n', name, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
    } finally {
      ip('netns', 'del', name);
    }
    execFileSync('ethtool', ['--version'], { stdio: 'ignore' });
    return null;
  } catch (error) {
    return `no network namespaces here: ${error.stderr || error.message}`;
  }
}

export class DpdkBridge {
  /** Lines that it wrote, oldest first. */
  log = [];
  #spaces = { bridge: `viaduct-${process.pid}-bridge`, peer: `viaduct-${process.pid}-peer` };
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'viaduct-dpdk-'));
  #process = null;

  /** A running bridge that is ready. `port`: for --dpdk-ports; its interface is called media. */
  static async start(port, extra = []) {
    const bridge = new DpdkBridge();
    try {
      bridge.#connect();
      await bridge.#run(port, extra);
    } catch (error) {
      await bridge.stop();
      throw error;
    }
    return bridge;
  }

  get url() { return `http://${BridgePage}:${PagePort}/`; }
  get running() {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** For launchChromium(): a browser in the other namespace, which takes the bridge's page for a secure one. */
  chromium() {
    return {
      wrap: (executable) => {
        const wrapper = path.join(this.#folder, 'chromium');
        const command = `ip netns exec ${this.#spaces.peer} ${executable}`;
        fs.writeFileSync(wrapper, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
        return wrapper;
      },
      flags: [`--unsafely-treat-insecure-origin-as-secure=http://${BridgePage}:${PagePort}`,
        `--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE ${BridgePage}`],
    };
  }

  async metrics() {
    const program = `process.stdout.write(await (await fetch('http://127.0.0.1:${AdminPort}/metrics')).text())`;
    const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', this.#spaces.bridge, process.execPath,
      '--input-type=module', '--eval', program], { maxBuffer: 1 << 24 });
    return stdout;
  }

  /** The sum of a metric over its series. */
  async count(name) {
    const series = (await this.metrics()).matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'));
    return [...series].reduce((sum, [, value]) => sum + Number(value), 0);
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
      if (fs.existsSync(`/run/netns/${name}`)) ip('netns', 'del', name);
    }
    fs.rmSync(this.#folder, { recursive: true, force: true });
    return code;
  }

  #connect() {
    const { bridge, peer } = this.#spaces;
    for (const name of [bridge, peer]) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    for (const cable of ['media', 'page']) {
      ip('-n', bridge, 'link', 'add', cable, 'type', 'veth', 'peer', 'name', cable, 'netns', peer);
      for (const name of [bridge, peer]) {
        ip('netns', 'exec', name, 'ethtool', '--features', cable, ...Offloads);
        ip('-n', name, 'link', 'set', cable, 'up');
      }
    }
    ip('-n', bridge, 'address', 'add', `${BridgePage}/24`, 'dev', 'page');
    ip('-n', peer, 'address', 'add', `${PeerPage}/24`, 'dev', 'page');
    ip('-n', peer, 'address', 'add', `${PeerMedia}/24`, 'dev', 'media');
    ip('-n', peer, 'route', 'add', 'default', 'dev', 'media'); // Chromium gathers candidates by the default route
  }

  async #run(port, extra) {
    this.#process = spawn('ip', [
      'netns', 'exec', this.#spaces.bridge, Binary, '--io', 'dpdk', '--dpdk-ports', port, '--dpdk-addresses',
      `${BridgeMedia}/24`, '--page-address', `${BridgePage}:${PagePort}`, '--admin-address', `127.0.0.1:${AdminPort}`,
      '--workers', '1', '--web-root', WebRoot, ...extra,
    ], { stdio: ['ignore', 'pipe', 'pipe'] });
    logLines(this.#process, this.log);
    await until('the bridge is ready', async () => {
      if (!this.running) throw new Error(`the bridge ended at start:\n${this.log.join('\n')}`);
      return this.log.some((line) => line.includes('admin at'));
    }, 45);
  }
}
