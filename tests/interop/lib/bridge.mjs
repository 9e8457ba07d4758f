// Starts the real bridge on free ports of loopback, keeps its log, and stops it.

import { execFile, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { logLines } from './line_log.mjs';
import { WebRoot } from './page_server.mjs';
import { sleep, until } from './until.mjs';

export const Binary =
  process.env.VIADUCT_BIN ?? fileURLToPath(new URL('../../../build/release/viaduct', import.meta.url));
const Workers = 2; // so that a worker's port besides the first is advertised and used, too

export class Bridge {
  /** Lines that it wrote, oldest first. */
  log = [];
  #process = null;
  #ports;
  #extra;

  /** A running bridge that is ready. `extra`: further command line arguments. */
  static async start(extra = []) {
    if (!fs.existsSync(Binary))
      throw new Error(`${Binary} does not exist: build it first, or name another one in VIADUCT_BIN`);
    const bridge = new Bridge();
    bridge.#ports = {
      page: await freePorts(isFreeTcpPort), admin: await freePorts(isFreeTcpPort),
      media: await freePorts(isFreeUdpPort, Workers),
    };
    bridge.#extra = extra;
    await bridge.restart();
    return bridge;
  }

  get url() {
    return `http://127.0.0.1:${this.#ports.page}/`;
  }
  get adminUrl() {
    return `http://127.0.0.1:${this.#ports.admin}`;
  }
  /** The UDP ports of all workers. */
  get mediaPorts() {
    return Array.from({ length: Workers }, (_, i) => this.#ports.media + i);
  }
  get running() {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Starts it again on the same ports, after kill() or stop(). */
  async restart() {
    this.#process = spawn(Binary, [
      '--page-address', `127.0.0.1:${this.#ports.page}`, '--admin-address', `127.0.0.1:${this.#ports.admin}`,
      '--media-address', '127.0.0.1', '--media-port', String(this.#ports.media), '--advertise', '127.0.0.1',
      '--workers', String(Workers), '--web-root', WebRoot, ...this.#extra,
    ], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.once('exit', (code, signal) => this.log.push(`(the bridge ended: ${signal ?? `exit code ${code}`})`));
    logLines(this.#process, this.log);
    await until('the bridge is ready', async () => {
      if (!this.running) throw new Error(`the bridge ended at start:\n${this.log.join('\n')}`);
      return (await fetch(`${this.adminUrl}/readyz`)).ok;
    }, 45);
  }

  /** Asks it to stop and resolves to its exit code; null when it had to be killed after ten seconds. */
  async stop() {
    if (!this.running) return this.#process?.exitCode ?? null;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    const code = await Promise.race([ended, sleep(10_000).then(() => undefined)]);
    if (code !== undefined) return code;
    this.#process.kill('SIGKILL');
    await ended;
    return null;
  }

  /** Ends it without a goodbye, as a crash would. */
  async kill() {
    if (!this.running) throw new Error('the bridge has already ended');
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** What the admin API says of a conference, with its endpoints, sources and slots. */
  async conference(name) {
    return (await fetch(`${this.adminUrl}/v1/conferences/${encodeURIComponent(name)}`)).json();
  }
  /** The admin API's list: [{id, name, participants, speaker, ...}]. */
  async conferences() {
    return (await (await fetch(`${this.adminUrl}/v1/conferences`)).json()).conferences;
  }

  async metrics() {
    return (await fetch(`${this.adminUrl}/metrics`)).text();
  }

  /** Resident memory in bytes. */
  residentBytes() {
    const status = fs.readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024;
  }
}

/** What promtool says of an exposition: {code, text}; code is null where promtool is not installed. */
export function checkMetrics(exposition) {
  return new Promise((resolve, reject) => {
    const promtool = execFile('promtool', ['check', 'metrics'], (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') resolve({ code: null, text: 'promtool is not installed' });
      else if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: error?.code ?? 0, text: stdout + stderr });
    });
    promtool.stdin.on('error', () => {});    // a promtool that is not there reads nothing
    promtool.stdin.end(exposition);
  });
}

// The first of `count` neighbouring ports that `isFree` finds free. Below those that the kernel gives to whoever
// connects: none of them is taken while the bridge starts.
async function freePorts(isFree, count = 1) {
  for (let attempt = 0; attempt < 50; ++attempt) {
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)));
    if (free.every(Boolean)) return first;
  }
  throw new Error('no free ports');
}

function isFreeTcpPort(port) {
  return new Promise((resolve) => {
    const server = net.createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isFreeUdpPort(port) {
  return new Promise((resolve) => {
    const socket = dgram.createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
