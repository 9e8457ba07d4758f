// What the receive slots carry, as the bridge says: whose sound, camera or screen each has, and what it cannot show or
// has no room for. Nothing is taken on trust about types.

import { objects } from './received.js';

export class Slots {
  #slots = [];                               // [{mid, kind, participant, content, paused}]
  #undecodable = new Map();                  // participant id -> codec

  /** A `slots` message. */
  assign({ slots, undecodable }) {
    this.#slots = objects(slots).map(({ mid, kind, participant, content, paused }) => ({
      mid,
      kind,
      participant: participant ?? null,
      content: content === 'screen' ? 'screen' : 'camera',
      paused: paused === true,
    }));
    this.#undecodable = new Map(objects(undecodable).map(({ participant, codec }) => [participant, codec]));
  }

  forget(participant) {
    this.#undecodable.delete(participant);
  }

  get all() { return this.#slots; }
  get audio() { return this.#slots.filter(({ kind }) => kind === 'audio'); }

  /** The slot that carries somebody's picture; undefined when none does. */
  picture(participant, content = 'camera') {
    return this.#slots.find((slot) =>
      slot.kind === 'video' && slot.participant === participant && slot.content === content);
  }

  /** Of somebody, of every kind. */
  of(participant) {
    return this.#slots.filter((slot) => slot.participant === participant);
  }

  /** The format that keeps somebody from being shown, or null. */
  undecodable(participant) {
    return this.#undecodable.get(participant) ?? null;
  }
}
