// Who we are for one join: a fresh P-256 key pair, whose private half cannot be read back and is never stored, and the
// channels to the others that come of it: ECDH, HKDF-SHA-256, AES-256-GCM, each by WebCrypto. A channel only tells
// that its other end holds the private key of that public key. Whose that is, people find out by comparing the string
// (comparison.js).

import { fields, sha256 } from './wire.js';

const Curve = { name: 'ECDH', namedCurve: 'P-256' };
const ChannelLabel = 'Viaduct E2EE 1 channel';
const PrefixLabel = 'Viaduct E2EE 1 prefix';
const SealedLabel = new TextEncoder().encode('Viaduct E2EE 1 sealed');

export class Identity {
  #privateKey;
  #channels = new Map();                     // id and public key -> Channel, of all that there ever were

  /** Takes what `Identity.create` made. */
  constructor({ id, conference, privateKey, publicKey, prefix }) {
    this.id = id;
    this.conference = conference;
    this.publicKey = publicKey;              // 65 bytes
    this.prefix = prefix;
    this.#privateKey = privateKey;
  }

  static async create(id, conference) {
    const pair = await crypto.subtle.generateKey(Curve, false, ['deriveBits']);
    const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
    const prefix = await prefixOf(conference, id, publicKey);
    return new Identity({ id, conference, privateKey: pair.privateKey, publicKey, prefix });
  }

  get channelCount() { return this.#channels.size; }

  /**
   * The channel with a participant; null when their key is no point of the curve. Somebody who went and came back under
   * the same id and key, or of whom the bridge says so, gets the channel they had: another one would have the same keys
   * and begin to count at 0 again.
   */
  async channelWith(id, publicKey) {
    const name = `${id} ${publicKey.join()}`;
    if (!this.#channels.has(name)) {
      const channel = await this.#agree(id, publicKey);
      if (!channel) return null;
      this.#channels.set(name, channel);
    }
    return this.#channels.get(name);
  }

  async #agree(id, publicKey) {
    let peer;
    try {
      peer = await crypto.subtle.importKey('raw', publicKey, Curve, false, []);
    } catch {
      return null;
    }
    const secret = await crypto.subtle.deriveBits({ name: 'ECDH', public: peer }, this.#privateKey, 256);
    const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
    new Uint8Array(secret).fill(0);
    const direction = (from, to, usage) => crypto.subtle.deriveKey(
      {
        name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0),
        info: fields(ChannelLabel, this.conference, from.id, from.publicKey, to.id, to.publicKey),
      },
      base, { name: 'AES-GCM', length: 256 }, false, [usage],
    );
    const other = { id, publicKey };
    return new Channel(await direction(this, other, 'encrypt'), await direction(other, this, 'decrypt'));
  }
}

/**
 * Both directions to one participant; there must never be two with the same keys. A counter is used once; what does not
 * come after the last one is refused.
 */
class Channel {
  #sendKey;
  #receiveKey;
  #sent = 0;
  #received = -1;

  constructor(sendKey, receiveKey) {
    this.#sendKey = sendKey;
    this.#receiveKey = receiveKey;
  }

  /** {n, data}; the plaintext is wiped. */
  async seal(plaintext) {
    const n = this.#sent++;
    const data = new Uint8Array(await crypto.subtle.encrypt(gcm(n), this.#sendKey, plaintext));
    plaintext.fill(0);
    return { n, data };
  }

  /** The plaintext; null for what is not authentic or not new. One call at a time. */
  async open({ n, data }) {
    if (n <= this.#received) return null;
    try {
      const plaintext = await crypto.subtle.decrypt(gcm(n), this.#receiveKey, data);
      this.#received = n;
      return new Uint8Array(plaintext);
    } catch {
      return null;
    }
  }
}

/**
 * The first half of a participant's KIDs. It comes of the public key, so that nobody can announce another's and lock
 * them out; the highest bit is set because a KID must have all its seven bytes.
 */
export async function prefixOf(conference, id, publicKey) {
  const prefix = (await sha256(fields(PrefixLabel, conference, id, publicKey))).slice(0, 4);
  prefix[0] |= 0x80;
  return prefix;
}

function gcm(n) {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setBigUint64(4, BigInt(n));
  return { name: 'AES-GCM', iv, additionalData: SealedLabel };
}
