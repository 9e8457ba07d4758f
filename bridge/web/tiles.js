// The tile grid: one tile for each participant, kept across updates so that pictures do not flicker, and sized to fill
// the window.

import { drawIcons } from './icons.js';
import { arrange, fitting } from './layout.js';
import { Text } from './messages.js';

const Gap = 10;

export class TileGrid {
  #list;
  #template;
  #tiles = new Map();                        // participant id -> Tile
  #rest = document.createElement('li');      // "and 7 more"
  #people = [];

  constructor(list, template) {
    this.#list = list;
    this.#template = template;
    this.#rest.className = 'tile rest';
    new ResizeObserver(() => this.#lay()).observe(list);
  }

  /** `people`: [{id, name, isSelf, audioMuted, videoMuted, track, speaking, undecodable}], most wanted first. */
  show(people) {
    this.#people = people;
    const present = new Set(people.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) {
      if (present.has(id)) continue;
      tile.remove();
      this.#tiles.delete(id);
    }
    for (const person of people) {
      let tile = this.#tiles.get(person.id);
      if (!tile) this.#tiles.set(person.id, tile = new Tile(this.#template));
      tile.show(person);
    }
    this.#lay();
  }

  #lay() {
    const { clientWidth: width, clientHeight: height } = this.#list;
    if (width === 0 || this.#people.length === 0) return;
    const places = fitting(this.#people.length, width, height, Gap);
    const hidden = this.#people.length - places;
    const shown = hidden > 0 ? this.#people.slice(0, places - 1) : this.#people;
    const tile = arrange(hidden > 0 ? places : shown.length, width, height, Gap);
    this.#list.style.setProperty('--tile-width', `${tile.width}px`);
    this.#list.style.setProperty('--tile-height', `${tile.height}px`);
    // Where more tiles would fit beside each other than the arrangement wants, the sides are kept free.
    const used = tile.columns * tile.width + (tile.columns - 1) * Gap;
    this.#list.style.setProperty('--side', `${Math.max(0, Math.floor((width - used) / 2) - 1)}px`);
    this.#rest.textContent = Text.more(hidden + 1);
    const wanted = shown.map(({ id }) => this.#tiles.get(id).element);
    if (hidden > 0) wanted.push(this.#rest);
    // Leave tiles that are in place alone: moving a playing video makes it blink.
    for (const element of [...this.#list.children]) if (!wanted.includes(element)) element.remove();
    wanted.forEach((element, index) => {
      if (this.#list.children[index] !== element) this.#list.insertBefore(element, this.#list.children[index] ?? null);
    });
  }
}

class Tile {
  #video;
  #track = null;

  constructor(template) {
    this.element = template.content.firstElementChild.cloneNode(true);
    drawIcons(this.element);
    this.#video = this.element.querySelector('video');
    this.element.querySelector('.muted-mark').setAttribute('aria-label', Text.microphoneOff);
    this.element.querySelector('.camera-mark').setAttribute('aria-label', Text.cameraOff);
  }

  show({ id, name, isSelf, audioMuted, videoMuted, track, speaking, undecodable }) {
    const { element } = this;
    element.dataset.participant = id ?? '';
    element.classList.toggle('self', Boolean(isSelf));
    element.classList.toggle('speaking', Boolean(speaking) && !audioMuted);
    element.classList.toggle('audio-muted', audioMuted);
    element.classList.toggle('video-muted', videoMuted);
    element.querySelector('.name').textContent = isSelf ? Text.you(name) : name;
    dressAvatar(element.querySelector('.avatar'), name);
    const note = element.querySelector('.tile-note');
    note.hidden = !undecodable || videoMuted;
    note.textContent = undecodable ? Text.undecodable(name, undecodable) : '';
    this.#play(videoMuted || undecodable ? null : track);
  }

  remove() {
    this.#play(null);
    this.element.remove();
  }

  // The picture shows from the first frame on: a slot that moves here must not show its last person under this name.
  #play(track) {
    if (this.#track === track) return;
    this.#track = track;
    this.element.classList.remove('has-picture');
    this.#video.srcObject = track ? new MediaStream([track]) : null;
    if (track) onNextFrame(this.#video, () => this.element.classList.toggle('has-picture', this.#track === track));
  }
}

/** Calls back once when the element presents its next frame. */
export function onNextFrame(video, callback) {
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(callback);
  else video.addEventListener('loadeddata', callback, { once: true });
}

/** Initials on a colour that belongs to the name. */
export function dressAvatar(element, name) {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)].map((word) => [...word][0]) : [...words[0]].slice(0, 1);
  element.textContent = letters.join('').toUpperCase();
  let hue = 0;
  for (const character of name) hue = (hue * 31 + character.codePointAt(0)) % 360;
  element.style.setProperty('--hue', String(hue));
}
