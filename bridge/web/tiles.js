// All pictures of a call: one tile for each, kept across updates so that pictures do not flicker, and laid out to fill
// the window: in equal tiles, or one large with the others beside it. In the document they stand in order of arrival,
// whatever their size, so that the way through them by keyboard does not change under the person.

import { gridBoxes, stageBoxes } from './layout.js';
import { Text } from './messages.js';
import { isScreenName } from './pictures.js';
import { Tile } from './tile.js';

const Gap = 10;

/** Fires `layout` when what can be seen has changed, and `pin` (detail: a picture's name). */
export class TileGrid extends EventTarget {
  #list;
  #template;
  #tiles = new Map();                        // name of a picture -> Tile
  #rest = document.createElement('li');      // "and 7 more"
  #pictures = [];                            // in order of arrival
  #ranked = [];                              // the same, most wanted first
  #onStage = null;
  #outOfSight = new Set();                   // elements that are placed but cannot be seen
  #heights = new Map();                      // name -> pixels of the page, of those that are placed
  #observer;

  constructor(list, template) {
    super();
    this.#list = list;
    this.#template = template;
    this.#rest.className = 'tile rest';
    this.#observer = new IntersectionObserver((entries) => this.#see(entries));
    new ResizeObserver(() => this.#lay()).observe(list);
  }

  /**
   * `pictures`, in order of arrival: [{id, participant, name, isSelf, isScreen, audioMuted, videoMuted, track, path,
   * paused, speaking, sealed, quality, note, isPinned, isOnStage}]. `id` is the picture's name, `path` what the track
   * came by, `note` a sentence over the picture, or null. `ranked`: the same, most wanted first.
   */
  show(pictures, ranked) {
    this.#pictures = pictures;
    this.#ranked = ranked;
    this.#onStage = pictures.find(({ isOnStage }) => isOnStage)?.id ?? null;
    const present = new Set(pictures.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) {
      if (present.has(id)) continue;
      tile.remove();
      this.#observer.unobserve(tile.element);
      this.#outOfSight.delete(tile.element);
      this.#tiles.delete(id);
    }
    for (const picture of pictures) this.#tileOf(picture.id).show(picture);
    this.#lay();
  }

  /** The name of the picture whose tile has the keyboard's focus, or null. */
  get focused() {
    return document.activeElement?.closest?.('.tile')?.dataset.picture ?? null;
  }

  /** Height in pixels of the page by name of picture, of those that can be seen. */
  visibleHeights() {
    const isSeen = ([id]) => !this.#outOfSight.has(this.#tiles.get(id)?.element);
    return new Map([...this.#heights].filter(isSeen));
  }

  #tileOf(id) {
    if (!this.#tiles.has(id)) {
      const tile = new Tile(this.#template, (name) => this.dispatchEvent(new CustomEvent('pin', { detail: name })));
      this.#tiles.set(id, tile);
      this.#observer.observe(tile.element);
    }
    return this.#tiles.get(id);
  }

  #see(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#outOfSight.delete(target);
      else if (target.isConnected) this.#outOfSight.add(target);
    }
    this.dispatchEvent(new Event('layout'));
  }

  #lay() {
    const { clientWidth: width, clientHeight: height } = this.#list;
    if (width === 0 || height === 0 || this.#pictures.length === 0) return;
    this.#list.dataset.view = this.#onStage === null ? 'tiles' : 'stage';
    const places = this.#onStage === null
      ? this.#fill(gridBoxes(this.#pictures.length, width, height, Gap), this.#ranked)
      : this.#fillAroundStage(stageBoxes(this.#pictures.length - 1, width, height, Gap));
    this.#heights = new Map([...places].map(([id, box]) => [id, this.#drawnHeight(id, box)]));
    this.dispatchEvent(new Event('layout'));
  }

  #fillAroundStage({ stage, strip }) {
    this.#tiles.get(this.#onStage).place(stage);
    const others = this.#ranked.filter(({ id }) => id !== this.#onStage);
    return this.#fill(strip, others).set(this.#onStage, stage);
  }

  // Who is most wanted gets a box; among those that do, the boxes go by arrival, so that nobody moves without need.
  #fill(boxes, ranked) {
    const isCrowded = ranked.length > boxes.length;
    const chosen = new Set((isCrowded ? ranked.slice(0, boxes.length - 1) : ranked).map(({ id }) => id));
    const shown = this.#pictures.filter(({ id }) => chosen.has(id));
    const places = new Map(shown.map(({ id }, index) => [id, boxes[index]]));
    for (const [id, box] of places) this.#tiles.get(id).place(box);
    const rest = isCrowded ? boxes.at(-1) : null;
    if (rest) this.#placeRest(rest, ranked.length - shown.length);
    this.#attach(new Set([...chosen, this.#onStage]), rest !== null);
    return places;
  }

  #placeRest(box, count) {
    for (const [side, pixels] of Object.entries(box)) this.#rest.style.setProperty(`--${side}`, `${pixels}px`);
    const text = Text.more(count);
    if (this.#rest.textContent !== text) this.#rest.textContent = text;
  }

  // Leave tiles that are in place alone: moving a playing video makes it blink.
  #attach(names, hasRest) {
    const wanted = this.#pictures.filter(({ id }) => names.has(id)).map(({ id }) => this.#tiles.get(id).element);
    if (hasRest) wanted.push(this.#rest);
    for (const element of [...this.#list.children]) if (!wanted.includes(element)) element.remove();
    wanted.forEach((element, index) => {
      if (this.#list.children[index] !== element) this.#list.insertBefore(element, this.#list.children[index] ?? null);
    });
  }

  // On the stage, and of a screen, the whole picture is shown, with bars beside it where it must be.
  #drawnHeight(id, { width, height }) {
    return id === this.#onStage || isScreenName(id) ? Math.min(height, Math.round(width * 9 / 16)) : height;
  }
}
