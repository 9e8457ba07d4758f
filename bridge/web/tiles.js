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

  /**
   * `people`: [{id, name, isSelf, audioMuted, videoMuted, track, path, speaking, sealed, note}], most wanted first.
   * `path` is what the track came by; `note` a sentence over the picture, or null.
   */
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
  #videos;                                   // the one that shows, then the one that waits for its first picture
  #track = null;
  #path = null;

  constructor(template) {
    this.element = template.content.firstElementChild.cloneNode(true);
    drawIcons(this.element);
    this.#videos = [...this.element.querySelectorAll('video')];
    this.#videos[0].classList.add('front');
    this.element.querySelector('.muted-mark').setAttribute('aria-label', Text.microphoneOff);
    this.element.querySelector('.camera-mark').setAttribute('aria-label', Text.cameraOff);
  }

  show({ id, name, isSelf, audioMuted, videoMuted, track, path, speaking, sealed, note }) {
    const { element } = this;
    element.dataset.participant = id ?? '';
    element.classList.toggle('self', Boolean(isSelf));
    element.classList.toggle('speaking', Boolean(speaking) && !audioMuted);
    element.classList.toggle('audio-muted', audioMuted);
    element.classList.toggle('video-muted', videoMuted);
    element.classList.toggle('sealed', Boolean(sealed));
    const mark = element.querySelector('.sealed-mark');
    mark.setAttribute('aria-label', isSelf ? Text.sealedMarkSelf : Text.sealedMark(name));
    element.querySelector('.name').textContent = isSelf ? Text.you(name) : name;
    dressAvatar(element.querySelector('.avatar'), name);
    const shown = element.querySelector('.tile-note');
    shown.hidden = !note;
    if (shown.textContent !== (note ?? '')) shown.textContent = note ?? '';
    this.#play(videoMuted ? null : track, path);
  }

  remove() {
    this.#play(null);
    this.element.remove();
  }

  // A picture shows from its first frame on: a slot that moves here must not show its last person under this name. Only
  // where the same person comes by another path the picture before stays until then.
  #play(track, path = null) {
    if (this.#track === track) return;
    const [showing, waiting] = this.#videos;
    const isSamePerson = this.#path !== path && this.element.classList.contains('has-picture');
    this.#track = track;
    this.#path = path;
    if (!track || !isSamePerson) {
      this.element.classList.remove('has-picture');
      waiting.srcObject = null;
      showing.srcObject = track ? new MediaStream([track]) : null;
      if (track) onNextFrame(showing, () => this.element.classList.toggle('has-picture', this.#track === track));
      return;
    }
    waiting.srcObject = new MediaStream([track]);
    onNextFrame(waiting, () => this.#track === track && this.#swap());
  }

  #swap() {
    const [before, now] = this.#videos;
    if (now.srcObject?.getVideoTracks()[0] !== this.#track) return;
    this.#videos = [now, before];
    now.classList.add('front');
    before.classList.remove('front');
    before.srcObject = null;
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
