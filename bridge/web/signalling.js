// One WebSocket to the bridge: JSON messages in both directions (deploy/docs/signalling.md). It knows no meaning of a
// message and never reconnects by itself: who owns it decides on the next one.

const Resuming = 4001;                       // a closing code, after which the bridge keeps our place

/** Fires `message` (detail: the parsed object) and, once, `close`. */
export class Signalling extends EventTarget {
  #socket;
  #closed = false;

  constructor(url) {
    super();
    this.#socket = new WebSocket(url);
    this.#socket.addEventListener('message', ({ data }) => this.#receive(data));
    this.#socket.addEventListener('close', () => this.#finish());
  }

  /** Resolves when messages can be sent; rejects when the bridge cannot be reached. */
  opened() {
    return new Promise((resolve, reject) => {
      this.#socket.addEventListener('open', resolve);
      this.#socket.addEventListener('close', () => reject(new Error('the bridge cannot be reached')));
    });
  }

  send(type, fields = {}) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type, ...fields }));
  }

  /** Closes without a `close` event: the caller knows. */
  close() {
    this.#closed = true;
    this.#socket.close();
  }

  /** The same, without saying goodbye to the bridge: another socket is to take over. */
  abandon() {
    this.#closed = true;
    this.#socket.close(Resuming);
  }

  #receive(data) {
    if (this.#closed) return;
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;                                // not for us; the bridge speaks JSON only
    }
    if (typeof message?.type === 'string') this.dispatchEvent(new CustomEvent('message', { detail: message }));
  }

  #finish() {
    if (this.#closed) return;
    this.#closed = true;
    this.dispatchEvent(new Event('close'));
  }
}

/** The signalling address that belongs to a page address. */
export function signallingUrl(page) {
  const url = new URL('/v1/signal', page);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/**
 * Waits before the attempts at a connection: 0.5 s, doubling to `most`, each spread by a quarter so that a crowd does
 * not return at once.
 */
export class Backoff {
  #most;
  #attempts = 0;

  constructor(most = 10_000) {
    this.#most = most;
  }

  nextMilliseconds() {
    const base = Math.min(this.#most, 500 * 2 ** this.#attempts++);
    return base * (0.75 + Math.random() / 2);
  }

  reset() {
    this.#attempts = 0;
  }
}
