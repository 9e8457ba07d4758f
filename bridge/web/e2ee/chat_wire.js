// A chat message in an envelope (wire.js has the other parts): {"v": 1, "chat": {"text": ...}} in clear, or
// {"v": 1, "chat": {"sealed": base64}}. What does not have this form is no chat message, and nothing here throws.

import { bytesOf, toBase64, Version } from './wire.js';

export const MaxTextBytes = 2_000;           // sealed and in base64, or in clear and escaped, within 4 KiB
const MaxEnvelopeCharacters = 4_096;         // what the bridge relays to everybody
const MaxSealedBytes = MaxTextBytes + 64;
// What could turn a line around, hide a part of it, or move on a screen; line breaks and tabs stay.
const Unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A text as it may be sent and shown; empty when nothing of it is left. */
export function cleanText(text) {
  return String(text).replace(/\r\n?/g, '\n').replace(Unprintable, '').trim();
}

export function isTooLong(text) {
  return new TextEncoder().encode(text).length > MaxTextBytes;
}

/** One string for the relay, of {text} or {sealed: bytes}. */
export function writeChat({ text, sealed }) {
  return JSON.stringify({ v: Version, chat: sealed ? { sealed: toBase64(sealed) } : { text } });
}

/** {text} or {sealed: bytes}; null for what is no chat message. */
export function parseChat(data) {
  if (typeof data !== 'string' || data.length > MaxEnvelopeCharacters) return null;
  let envelope;
  try {
    envelope = JSON.parse(data);
  } catch {
    return null;
  }
  if (envelope?.v !== Version || envelope.chat === null || typeof envelope.chat !== 'object') return null;
  const { text, sealed } = envelope.chat;
  if (sealed !== undefined) {
    const bytes = bytesOf(sealed);
    return bytes && bytes.length <= MaxSealedBytes ? { sealed: bytes } : null;
  }
  return typeof text === 'string' && !isTooLong(text) ? { text } : null;
}
