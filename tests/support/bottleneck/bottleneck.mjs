// A poor network between one client and a bridge: a UDP relay on an address of its own with the bridge's ports. It has
// a socket of its own for each address of the client, so that the bridge tells them apart as it does behind a NAT.

import dgram from 'node:dgram';
import { Link } from './link.mjs';

export class Bottleneck {
  #address;
  #target;
  #up;                                       // {link, timer, send}
  #down;
  #sockets = [];

  /**
   * `address`: where the client finds it; `ports`: those of the bridge, which is at `target`. `seed` makes the losses.
   */
  static async open({ address, ports, target = '127.0.0.1', seed = 1 }) {
    const bottleneck = new Bottleneck(address, target, seed);
    try {
      for (const port of ports) await bottleneck.#listen(port);
    } catch (error) {
      bottleneck.close();
      throw error;
    }
    return bottleneck;
  }

  constructor(address, target, seed) {
    this.#address = address;
    this.#target = target;
    this.#up = new Direction(new Link({}, seed));
    this.#down = new Direction(new Link({}, seed + 1));
  }

  get address() { return this.#address; }
  /** From the client to the bridge: set(limits) as in Link, counts. */
  get up() { return this.#up; }
  /** From the bridge to the client. */
  get down() { return this.#down; }

  close() {
    this.#up.close();
    this.#down.close();
    for (const socket of this.#sockets) socket.close();
    this.#sockets = [];
  }

  async #listen(port) {
    const front = await this.#bind(port);
    const backs = new Map();                 // "address:port" of the client -> promise of its socket
    front.on('message', async (data, { address, port: from }) => {
      const client = `${address}:${from}`;
      if (!backs.has(client)) {
        backs.set(client, this.#bind(0).then((back) => back.on('message', (answer) =>
          this.#down.take(answer, () => front.send(answer, from, address)))));
      }
      const back = await backs.get(client);
      this.#up.take(data, () => back.send(data, port, this.#target));
    });
  }

  #bind(port) {
    const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    this.#sockets.push(socket);
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, this.#address, () => {
        socket.off('error', reject);
        socket.on('error', () => {});        // a bridge that has gone answers with "port unreachable"
        resolve(socket);
      });
    });
  }
}

// A link with a clock.
class Direction {
  #link;
  #timer = null;
  #isClosed = false;

  constructor(link) {
    this.#link = link;
  }

  get counts() { return this.#link.counts; }

  set(limits) {
    this.#link.set(limits, performance.now());
    this.#run();
  }

  /** `send` is called when the packet has arrived, if it does. */
  take(packet, send) {
    if (this.#isClosed) return;
    this.#link.offer({ length: packet.length, send }, performance.now());
    this.#run();
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #run() {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    for (const { send } of this.#link.due(performance.now())) send();
    const { nextAt } = this.#link;
    if (nextAt !== Infinity) this.#timer = setTimeout(() => this.#run(), nextAt - performance.now());
  }
}
