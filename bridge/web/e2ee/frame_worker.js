// The worker that every frame of the page passes on its way between codec and network: one for all connections, so
// that there is one counter for our key. With encryption on, what cannot be sealed is dropped, never sent in clear.

import { assemble, clearBytes, disassemble } from './frame_format.js';
import { ReceivingKeys, SendingKey } from './sender_keys.js';
import { SlotState } from './slot_state.js';

const StatusMilliseconds = 250;
const CountsMilliseconds = 1_000;            // how often a page hears of nothing but higher counts

const ownKey = new SendingKey();
const peerKeys = new ReceivingKeys();
const sources = new Map();                   // id -> Source: what we send
const slots = new Map();                     // slot -> Slot: what we receive
const participants = new Map();              // slot -> participant id or null, also of slots that are yet to come
const declaring = new Set();                 // participants who declare that they encrypt
let encrypting = false;

/** One sender of one connection. Frames of all sizes of a picture (simulcast) come this way, told apart by SSRC. */
class Source {
  #id;
  #kind;
  #rids;
  #transformer;
  #formats = new Map();                      // payload type -> MIME type
  #waiting = [];                             // frames that need to know theirs
  #dropped = new Set();                      // SSRCs whose receivers lack a frame

  constructor({ id, kind, rids = [] }, transformer) {
    this.#id = id;
    this.#kind = kind;
    this.#rids = rids;
    this.#transformer = transformer;
  }

  async transform(frame, controller) {
    const format = encrypting && ownKey.isSet ? await this.#formatOf(frame) : null;
    // No waiting from here on: what is sent in clear is sent before a switch is acknowledged, or not at all.
    if (!encrypting) return controller.enqueue(frame);
    const { synchronizationSource: ssrc } = frame.getMetadata();
    const clear = format === null || !ownKey.isSet ? null : clearBytes(format, frame.type === 'key');
    if (clear === null) {
      this.#dropped.add(ssrc);
      return;
    }
    if (this.#dropped.delete(ssrc) && frame.type !== 'key') this.requestKeyFrame();
    try {
      frame.data = assemble(clear, await ownKey.seal(clear, frame.data)).buffer;
      controller.enqueue(frame);
    } catch {
      this.#dropped.add(ssrc);               // a key that is used up; an error thrown on would end the stream
    }
  }

  /** A key frame, so that whoever could not follow can again. Where the browser has no such call, receivers ask. */
  requestKeyFrame() {
    if (this.#kind !== 'video') return;
    // Without a name only the first of several sizes has to give one.
    const asks = this.#rids.length > 0 ? this.#rids.map((rid) => [rid]) : [[]];
    for (const ask of asks) this.#transformer?.generateKeyFrame?.(...ask).catch(() => {});
  }

  /** The page's answer to "formats-wanted". */
  setFormats(formats) {
    this.#formats = new Map(formats);
    for (const resume of this.#waiting.splice(0)) resume();
  }

  // Null for a format that even the page does not know.
  async #formatOf(frame) {
    if (this.#kind === 'audio') return 'audio/opus';
    const { mimeType, payloadType } = frame.getMetadata();
    if (mimeType) return mimeType;
    if (!this.#formats.has(payloadType)) {
      postMessage({ event: 'formats-wanted', id: this.#id });
      await new Promise((resolve) => { this.#waiting.push(resolve); });
    }
    return this.#formats.get(payloadType) ?? null;
  }
}

/** One receiver of one connection. */
class Slot {
  state = new SlotState();
  #kind;
  #transformer;
  #told = { state: 'idle', owner: null, at: -Infinity, counts: '' };

  constructor({ kind, slot }, transformer) {
    this.slot = slot;
    this.#kind = kind;
    this.#transformer = transformer;
    this.state.assign(participants.get(slot) ?? null);
  }

  async transform(frame, controller) {
    // Padding by which a sender probes for bandwidth. There is nothing in it to open or to refuse.
    if (frame.data.byteLength === 0) return controller.enqueue(frame);
    const { clear, sframe } = disassemble(this.#kind, new Uint8Array(frame.data));
    let owner = null;
    try {
      const opened = await peerKeys.open(clear, sframe);
      owner = opened.participant;
      frame.data = opened.plaintext;
    } catch (error) {
      // An SFrame that nothing opens is never played: a decoder would make noise of it.
      if (error.reason !== 'not-sframe' || !this.#takesPlain()) {
        return this.state.dropped(error.reason, performance.now());
      }
    }
    const asks = this.state.passed(owner, this.#kind === 'audio' || frame.type === 'key', performance.now());
    controller.enqueue(frame);
    if (asks) this.#transformer?.sendKeyFrameRequest?.().catch(() => {});
  }

  /** What to tell the page; null when there is nothing new. */
  news(now) {
    const { owner, participant, counts } = this.state;
    const state = this.state.state(now);
    const counted = Object.values(counts).join();
    const changed = state !== this.#told.state || owner !== this.#told.owner;
    if (!changed && (counted === this.#told.counts || now - this.#told.at < CountsMilliseconds)) return null;
    this.#told = { state, owner, at: now, counts: counted };
    return { slot: this.slot, kind: this.#kind, participant, owner, state, counts: { ...counts } };
  }

  #takesPlain() {
    const { participant } = this.state;
    return participant === null ? !encrypting : !declaring.has(participant);
  }
}

function attach({ direction, ...options }, readable, writable, transformer = null) {
  const [table, key, end] = direction === 'send'
    ? [sources, options.id, new Source(options, transformer)]
    : [slots, options.slot, new Slot(options, transformer)];
  table.set(key, end);
  readable
    .pipeThrough(new TransformStream({ transform: (frame, controller) => end.transform(frame, controller) }))
    .pipeTo(writable)
    .catch(() => {})                         // the connection was closed
    .finally(() => { if (table.get(key) === end) table.delete(key); });
}

const commands = {
  streams({ options, readable, writable }) { attach(options, readable, writable); },
  formats({ id, formats }) { sources.get(id)?.setFormats(formats); },
  encrypting({ value }) {
    if (value && !encrypting) for (const source of sources.values()) source.requestKeyFrame();
    encrypting = value;
  },
  async ownKey({ name, key }) {
    const before = ownKey.kid;
    if (!(await ownKey.set(name, key))) return false;
    peerKeys.reserve(name.prefix);
    // Receivers follow a ratchet by themselves; a fresh key may have reached some of them late.
    const isFresh = before === null || before >> 8n !== ownKey.kid >> 8n;
    if (isFresh) for (const source of sources.values()) source.requestKeyFrame();
    return true;
  },
  peerKey({ participant, name, key }) { return peerKeys.add(participant, name, key); },
  forget({ participant }) {
    peerKeys.forget(participant);
    declaring.delete(participant);
  },
  slots({ slots: list }) {
    for (const { slot, participant } of list) {
      participants.set(slot, participant);
      slots.get(slot)?.state.assign(participant);
    }
  },
  declared({ participant, value }) {
    if (value) declaring.add(participant);
    else declaring.delete(participant);
  },
};

// In order: a later command must not overtake one that still derives a key. Formats are what a frame waits for.
let work = Promise.resolve();
addEventListener('message', ({ data }) => {
  if (data.command === 'formats') return commands.formats(data);
  work = work.then(() => commands[data.command](data)).then(
    (result) => postMessage({ event: 'done', number: data.number, result: result ?? true }),
    () => postMessage({ event: 'done', number: data.number, result: false }),
  );
});

addEventListener('rtctransform', ({ transformer }) => {
  attach(transformer.options, transformer.readable, transformer.writable, transformer);
});

setInterval(() => {
  const now = performance.now();
  const news = [...slots.values()].map((slot) => slot.news(now)).filter((entry) => entry !== null);
  if (news.length > 0) postMessage({ event: 'status', news });
}, StatusMilliseconds);
