// The part of WebCrypto that the key agreement and SFrame use, computed at once by node's own cryptography. WebCrypto
// sends every operation through other threads, which takes a hundred times as long as most of them do; tests of
// hundreds of meetings cannot wait for that. Gives the same bytes: key_agreement.test.mjs compares the two.

import { ECDH, createCipheriv, createDecipheriv, createECDH, createHash, hkdfSync } from 'node:crypto';

const Curve = 'prime256v1';
const TagBytes = 16;

export const quickSubtle = {
  async generateKey() {
    const pair = createECDH(Curve);
    pair.generateKeys();
    return { privateKey: pair, publicKey: pair.getPublicKey() };
  },

  async exportKey(format, publicKey) {
    return bufferOf(publicKey);
  },

  async importKey(format, bytes, algorithm) {
    const copy = Buffer.from(bytes);         // of an array or of a buffer's bytes
    if (algorithm.name === 'ECDH') ECDH.convertKey(copy, Curve);       // throws for what is no point
    return Buffer.from(copy);
  },

  async deriveBits(algorithm, key, bits) {
    if (algorithm.name === 'ECDH') return bufferOf(key.computeSecret(algorithm.public));
    const { hash, salt, info } = algorithm;
    return hkdfSync(hash.replace('-', ''), key, salt, info, bits / 8);
  },

  async deriveKey(algorithm, key, { length }) {
    return Buffer.from(await this.deriveBits(algorithm, key, length));
  },

  async digest(algorithm, bytes) {
    return bufferOf(createHash(algorithm.replace('-', '')).update(Buffer.from(bytes)).digest());
  },

  async encrypt({ iv, additionalData }, key, plaintext) {
    const cipher = createCipheriv(`aes-${8 * key.length}-gcm`, key, iv).setAAD(additionalData);
    return bufferOf(Buffer.concat([cipher.update(Buffer.from(plaintext)), cipher.final(), cipher.getAuthTag()]));
  },

  async decrypt({ iv, additionalData }, key, sealed) {
    const bytes = Buffer.from(sealed);
    if (bytes.length < TagBytes) throw new Error('too short');
    const decipher = createDecipheriv(`aes-${8 * key.length}-gcm`, key, iv).setAAD(additionalData);
    decipher.setAuthTag(bytes.subarray(-TagBytes));
    return bufferOf(Buffer.concat([decipher.update(bytes.subarray(0, -TagBytes)), decipher.final()]));
  },
};

// An ArrayBuffer of its own, as WebCrypto gives.
function bufferOf(bytes) {
  return Uint8Array.from(bytes).buffer;
}
