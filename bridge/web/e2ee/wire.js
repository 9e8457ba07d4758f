// What participants write to each other in `relay` messages: envelopes, which the bridge sees, and the records inside a
// sealed one, which it does not (deploy/docs/end-to-end.md has the tables). Whatever does not have the exact form is
// not there: nothing here throws on what others sent.

export const Version = 1;
export const PublicKeyBytes = 65;            // P-256, uncompressed
export const HashBytes = 32;
export const NonceBytes = 32;
export const MaxEnvelopeCharacters = 65_536; // as much as the bridge relays
export const MaxRound = 2 ** 48;
const MaxSealedBytes = 49_152;
const RecordHeadBytes = 4;

export const Record = { key: 1, acknowledge: 2, message: 3 };

/** One string for the relay, of {hello, commit, reveal, sealed} as `parseEnvelope` gives them; each may be missing. */
export function writeEnvelope({ hello, commit, reveal, sealed }) {
  return JSON.stringify({
    v: Version,
    hello: hello && { key: toBase64(hello.key), answer: hello.answer },
    commit: commit && { round: commit.round, members: toBase64(commit.members), hash: toBase64(commit.hash) },
    reveal: reveal && { round: reveal.round, nonce: toBase64(reveal.nonce) },
    sealed: sealed && { n: sealed.n, data: toBase64(sealed.data) },
  });
}

/**
 * {hello: {key, answer}, commit: {round, members, hash}, reveal: {round, nonce}, sealed: {n, data}} with bytes as
 * Uint8Array; parts that are missing or malformed are null. Null for what is no envelope of this version.
 */
export function parseEnvelope(text) {
  if (typeof text !== 'string' || text.length > MaxEnvelopeCharacters) return null;
  let envelope;
  try {
    envelope = JSON.parse(text);
  } catch {
    return null;
  }
  if (envelope?.v !== Version) return null;
  return {
    hello: complete({ key: bytesOf(envelope.hello?.key, PublicKeyBytes), answer: envelope.hello?.answer === true }),
    commit: complete({
      round: roundOf(envelope.commit?.round),
      members: bytesOf(envelope.commit?.members, HashBytes),
      hash: bytesOf(envelope.commit?.hash, HashBytes),
    }),
    reveal: complete({
      round: roundOf(envelope.reveal?.round),
      nonce: bytesOf(envelope.reveal?.nonce, NonceBytes),
    }),
    sealed: complete({ n: counterOf(envelope.sealed?.n), data: bytesOf(envelope.sealed?.data) }),
  };
}

/** A record's bytes: its kind (1 byte), the length of its body (3 bytes), its body. */
export function writeRecord(kind, body) {
  const record = new Uint8Array(RecordHeadBytes + body.length);
  new DataView(record.buffer).setUint32(0, body.length);
  record[0] = kind;
  record.set(body, RecordHeadBytes);
  return record;
}

/** [{kind, body}] of records that stand one after the other; bodies share the memory. A cut one ends the list. */
export function parseRecords(bytes) {
  const records = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + RecordHeadBytes <= bytes.length;) {
    const length = view.getUint32(at) & 0xffffff;
    const kind = bytes[at];
    at += RecordHeadBytes;
    if (at + length > bytes.length) break;
    records.push({ kind, body: bytes.subarray(at, at + length) });
    at += length;
  }
  return records;
}

/** Body of a key record: number (2 bytes), step (1), whether it must be confirmed (1), the key. */
export function writeKey({ number, step, key }, mustConfirm) {
  const body = new Uint8Array(4 + key.length);
  new DataView(body.buffer).setUint16(0, number);
  body[2] = step;
  body[3] = mustConfirm ? 1 : 0;
  body.set(key, 4);
  return body;
}

/** {number, step, key, mustConfirm}; null when the key is not of `keyBytes`. The key is a copy. */
export function parseKey(body, keyBytes) {
  if (body.length !== 4 + keyBytes) return null;
  return {
    number: (body[0] << 8) | body[1],
    step: body[2],
    mustConfirm: (body[3] & 1) === 1,
    key: body.slice(4),
  };
}

export function writeNumber(number) {
  return Uint8Array.of(number >> 8, number & 0xff);
}

export function parseNumber(body) {
  return body.length === 2 ? (body[0] << 8) | body[1] : null;
}

/**
 * Strings and bytes as one sequence that no other sequence of fields gives: each behind its length (2 bytes). All that
 * is hashed or named to a key derivation goes through here.
 */
export function fields(...values) {
  const parts = values.map((value) => (typeof value === 'string' ? new TextEncoder().encode(value) : value));
  const all = new Uint8Array(parts.reduce((sum, part) => sum + 2 + part.length, 0));
  const view = new DataView(all.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint16(at, part.length);
    all.set(part, at + 2);
    at += 2 + part.length;
  }
  return all;
}

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

export function sameBytes(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function concatenate(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function complete(part) {
  return Object.values(part).includes(null) ? null : part;
}

function roundOf(value) {
  return Number.isSafeInteger(value) && value > 0 && value < MaxRound ? value : null;
}

function counterOf(value) {
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** Bytes of base64, of exactly that length if one is given; null for anything else. */
export function bytesOf(value, length) {
  if (typeof value !== 'string' || value.length > MaxEnvelopeCharacters) return null;
  let binary;
  try {
    binary = atob(value);
  } catch {
    return null;
  }
  const isRight = length === undefined ? binary.length <= MaxSealedBytes : binary.length === length;
  return isRight ? Uint8Array.from(binary, (character) => character.charCodeAt(0)) : null;
}

export function toBase64(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
