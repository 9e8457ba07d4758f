// End-to-end encryption of what the page sends and receives, as the rest of the page sees it. Every transceiver is
// attached before its connection negotiates, whether encryption is on or not: transforms then pass frames through,
// and it can be turned on in mid-call. The work is done in frame_worker.js.

import { importBaseKey } from './sframe.js';

/**
 * Fires `status`, whose detail is {slot, kind, participant, owner, state, counts}: see SlotState; `owner` is whose key
 * opened the frames, whatever the bridge says. Fires `failed` once when the worker cannot run; then no media flows.
 */
export class FrameEncryption extends EventTarget {
  #worker;
  #senders = new Map();                      // id -> WeakRef of an RTCRtpSender: it outlives no connection
  #pending = new Map();                      // number of a command -> resolve
  #lastNumber = 0;
  #work = Promise.resolve();                 // commands leave in the order of the calls, also those that import a key

  /** Whether this browser can encrypt frames. */
  static supported() {
    const hasTransform = 'RTCRtpScriptTransform' in globalThis || hasEncodedStreams();
    return hasTransform && 'Worker' in globalThis && globalThis.crypto?.subtle !== undefined;
  }

  /**
   * To be given to every RTCPeerConnection. Without it Chromium ignores a transform that is set once negotiation has
   * begun, and the media goes in clear.
   */
  static connectionOptions() {
    return hasEncodedStreams() ? { encodedInsertableStreams: true } : {};
  }

  constructor() {
    super();
    this.#worker = new Worker(new URL('./frame_worker.js', import.meta.url), { type: 'module', name: 'frames' });
    this.#worker.addEventListener('message', ({ data }) => this.#handle(data));
    this.#worker.addEventListener('error', () => this.dispatchEvent(new Event('failed')), { once: true });
  }

  /** `rids`: of its encodings, where it sends a picture in several sizes. */
  attachSender(sender, { kind, rids = [] }) {
    const id = ++this.#lastNumber;
    this.#senders.set(id, new WeakRef(sender));
    this.#attach(sender, { direction: 'send', kind, id, rids });
  }

  /** `slot`: what the page calls it, a string or number; an earlier receiver of that name is replaced. */
  attachReceiver(receiver, { kind, slot }) {
    this.#attach(receiver, { direction: 'receive', kind, slot });
  }

  /** Resolves when every frame sent from then on is encrypted, or none is. Until there is a key nothing is sent. */
  setEncrypting(value) {
    return this.#tell({ command: 'encrypting', value });
  }

  /**
   * Seals with this key from now on. `key`: bytes, which stay as they are, or a CryptoKey from importBaseKey. Resolves
   * to whether it was taken: under one prefix, number and step may only grow.
   */
  setOwnKey({ prefix, number, step, key }) {
    return this.#tell({ command: 'ownKey', name: { prefix, number, step } }, key);
  }

  /** Resolves to whether it was taken: not when the prefix belongs to somebody else. */
  setPeerKey(participant, { prefix, number, step, key }) {
    return this.#tell({ command: 'peerKey', participant, name: { prefix, number, step } }, key);
  }

  /** The participant has left: their keys, prefix and declaration are gone. */
  forgetPeer(participant) {
    return this.#tell({ command: 'forget', participant });
  }

  /** Who is in these slots from now on, null for nobody; slots that are not named stay as they are. */
  setSlots(slots) {
    return this.#tell({ command: 'slots', slots: slots.map(({ slot, participant }) => ({ slot, participant })) });
  }

  /** Of somebody who declares that they encrypt, plain frames are not played. */
  setDeclared(participant, value) {
    return this.#tell({ command: 'declared', participant, value });
  }

  /** The worker ends, and with it the media of all connections that are attached. Calls under way resolve to false. */
  close() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#senders.clear();
    for (const number of [...this.#pending.keys()]) this.#settle(number, false);
  }

  #attach(end, options) {
    if ('RTCRtpScriptTransform' in globalThis) {
      end.transform = new RTCRtpScriptTransform(this.#worker, options);
    } else {
      const { readable, writable } = end.createEncodedStreams();
      this.#worker.postMessage({ command: 'streams', options, readable, writable }, [readable, writable]);
    }
  }

  #tell(message, key = null) {
    const number = ++this.#lastNumber;
    const baseKey = key instanceof Uint8Array ? importBaseKey(key) : Promise.resolve(key);
    return new Promise((resolve) => {
      this.#pending.set(number, resolve);
      this.#work = this.#work.then(async () => this.#worker?.postMessage({ ...message, key: await baseKey, number }))
        .catch(() => this.#settle(number, false));
    });
  }

  #settle(number, result) {
    this.#pending.get(number)?.(result);
    this.#pending.delete(number);
  }

  #handle(data) {
    if (data.event === 'done') {
      this.#settle(data.number, data.result);
    } else if (data.event === 'formats-wanted') {
      const formats = formatsOf(this.#senders.get(data.id)?.deref());
      this.#worker?.postMessage({ command: 'formats', id: data.id, formats });
    } else if (data.event === 'status') {
      for (const detail of data.news) this.dispatchEvent(new CustomEvent('status', { detail }));
    }
  }
}

function formatsOf(sender) {
  return (sender?.getParameters().codecs ?? []).map(({ payloadType, mimeType }) => [payloadType, mimeType]);
}

function hasEncodedStreams() {
  return 'createEncodedStreams' in (globalThis.RTCRtpSender?.prototype ?? {});
}
