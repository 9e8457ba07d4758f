// SFrame, RFC 9605: the header (section 4.3), the keys of one KID (4.4.2), sealing and opening (4.4.3, 4.4.4) with the
// two AES-GCM suites (4.5), all of it by WebCrypto. A key here is for sealing or for opening, never for both, and
// whoever seals must never give the same counter twice: a repeated nonce gives AES-GCM's key stream away.

/** Cipher suites by their registered number: sizes of the AEAD key and of the hash in bytes. */
export const Suites = {
  0x0004: { name: 'AES_128_GCM_SHA256_128', hash: 'SHA-256', hashBytes: 32, keyBytes: 16 },
  0x0005: { name: 'AES_256_GCM_SHA512_128', hash: 'SHA-512', hashBytes: 64, keyBytes: 32 },
};
export const MaxHeaderBytes = 17;
export const TagBytes = 16;
const NonceBytes = 12;
const CounterAt = NonceBytes - 8;            // a counter has at most 8 bytes and stands at the nonce's end

/** Why a frame could not be opened: `reason` is "not-sframe", "unknown-key", "not-authentic" or "replayed". */
export class SFrameError extends Error {
  constructor(reason) {
    super(`SFrame: ${reason}`);
    this.reason = reason;
  }
}

/**
 * The header's bytes. `kid` and `counter` are BigInt or Number, at most 64 bits.
 *
 *    0 1 2 3 4 5 6 7
 *   +-+-+-+-+-+-+-+-+-----------+-----------+
 *   |X|  K  |Y|  C  |   KID...  |   CTR...  |   X, Y: 0 = K, C are the value itself; 1 = the value's length less 1
 *   +-+-+-+-+-+-+-+-+-----------+-----------+
 */
export function encodeHeader(kid, counter) {
  const key = field(kid);
  const count = field(counter);
  const header = new Uint8Array(1 + key.bytes.length + count.bytes.length);
  header[0] = (key.nibble << 4) | count.nibble;
  header.set(key.bytes, 1);
  header.set(count.bytes, 1 + key.bytes.length);
  return header;
}

/** {kid, counter, length} at the start of `bytes`, kid and counter BigInt; null where no header fits in. */
export function decodeHeader(bytes) {
  if (bytes.length === 0) return null;
  const keyBytes = bytes[0] & 0x80 ? ((bytes[0] >> 4) & 7) + 1 : 0;
  const counterBytes = bytes[0] & 0x08 ? (bytes[0] & 7) + 1 : 0;
  const length = 1 + keyBytes + counterBytes;
  if (bytes.length < length) return null;
  const kid = keyBytes ? bigEndian(bytes, 1, keyBytes) : BigInt((bytes[0] >> 4) & 7);
  const counter = counterBytes ? bigEndian(bytes, 1 + keyBytes, counterBytes) : BigInt(bytes[0] & 7);
  // "MUST be encoded with the minimum number of bytes required": what is not is no SFrame.
  const isWide = (count, at) => (count === 1 && bytes[at] < 8) || (count > 1 && bytes[at] === 0);
  if (isWide(keyBytes, 1) || isWide(counterBytes, 1 + keyBytes)) return null;
  return { kid, counter, length };
}

/** The base key as a CryptoKey that cannot be read back, only be derived from. The caller's bytes stay as they are. */
export function importBaseKey(bytes) {
  return crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits', 'deriveKey']);
}

/** What seals or opens the frames of one KID: {key, salt, suite}. `usage` is "encrypt" or "decrypt". */
export async function deriveFrameKey(baseKey, kid, suite, usage) {
  const { hash, keyBytes } = Suites[suite];
  const hkdf = (label) => ({ name: 'HKDF', hash, salt: new Uint8Array(0), info: labelled(label, kid, suite) });
  const aes = { name: 'AES-GCM', length: keyBytes * 8 };
  const [key, salt] = await Promise.all([
    crypto.subtle.deriveKey(hkdf('SFrame 1.0 Secret key '), baseKey, aes, false, [usage]),
    crypto.subtle.deriveBits(hkdf('SFrame 1.0 Secret salt '), baseKey, NonceBytes * 8),
  ]);
  return { key, salt: new Uint8Array(salt), suite };
}

/** The bytes of the base key one step further (section 5.1). There is no way back. */
export async function ratchetBaseKey(baseKey, suite) {
  const { hash, hashBytes } = Suites[suite];
  const info = new TextEncoder().encode('SFrame 1.0 Ratchet');
  const hkdf = { name: 'HKDF', hash, salt: new Uint8Array(0), info };
  return new Uint8Array(await crypto.subtle.deriveBits(hkdf, baseKey, hashBytes * 8));
}

/** Header and ciphertext as two arrays. `metadata` is authenticated with them and travels elsewhere. */
export async function seal(frameKey, kid, counter, metadata, plaintext) {
  const header = encodeHeader(kid, counter);
  return { header, ciphertext: new Uint8Array(await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: nonceOf(frameKey.salt, BigInt(counter)), additionalData: joined(header, metadata) },
    frameKey.key, plaintext,
  )) };
}

/** The plaintext of an SFrame whose header has been decoded and whose key is known; SFrameError if it is not that. */
export async function open(frameKey, header, metadata, sframe) {
  const additionalData = joined(sframe.subarray(0, header.length), metadata);
  const iv = nonceOf(frameKey.salt, header.counter);
  try {
    return await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv, additionalData }, frameKey.key, sframe.subarray(header.length),
    );
  } catch {
    throw new SFrameError('not-authentic');
  }
}

/** "salt XOR counter", the counter as a big-endian number of the nonce's size. */
export function nonceOf(salt, counter) {
  const nonce = salt.slice();
  const view = new DataView(nonce.buffer);
  view.setBigUint64(CounterAt, view.getBigUint64(CounterAt) ^ counter);
  return nonce;
}

function labelled(label, kid, suite) {
  const text = new TextEncoder().encode(label);
  const info = new Uint8Array(text.length + 10);
  info.set(text);
  const view = new DataView(info.buffer, text.length);
  view.setBigUint64(0, BigInt(kid));
  view.setUint16(8, suite);
  return info;
}

// One field of the header: its four bits of the first byte, and the bytes that follow when those do not hold it.
function field(value) {
  let rest = BigInt(value);
  if (rest < 8n) return { nibble: Number(rest), bytes: new Uint8Array(0) };
  const bytes = [];
  for (; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 0xffn));
  if (bytes.length > 8) throw new RangeError('a field of the SFrame header has at most 64 bits');
  return { nibble: 0x8 | (bytes.length - 1), bytes: Uint8Array.from(bytes) };
}

function bigEndian(bytes, at, count) {
  let value = 0n;
  for (let i = 0; i < count; ++i) value = (value << 8n) | BigInt(bytes[at + i]);
  return value;
}

function joined(first, second) {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
