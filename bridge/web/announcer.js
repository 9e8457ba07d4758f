// What people who do not see the screen are told without asking: who speaks now. The toast says who comes and goes.

import { Text } from './messages.js';

const SettleMilliseconds = 1_200;            // a cough is no news

export class Announcer {
  #region;
  #said = null;                              // id
  #next = null;
  #timer = null;

  /** `region`: a live region. */
  constructor(region) {
    this.#region = region;
  }

  /** `speaker`: a person of the view, or null. */
  speaks(speaker) {
    const id = speaker?.id ?? null;
    if (id === this.#next) return;
    this.#next = id;
    clearTimeout(this.#timer);
    if (id === null || id === this.#said) return;
    this.#timer = setTimeout(() => {
      this.#said = id;
      this.#region.textContent = Text.speaks(speaker.name);
    }, SettleMilliseconds);
  }

  close() {
    clearTimeout(this.#timer);
    this.#said = this.#next = null;
    this.#region.textContent = '';
  }
}
