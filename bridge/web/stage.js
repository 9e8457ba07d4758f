// Which picture is the large one, and which view is shown. What the person pinned comes first, then the screen that
// somebody began to share last, then whoever speaks: never oneself, and not nobody because everyone is silent. Values
// in, values out.

import { isScreenName, ownerOf, pictureName, Self } from './pictures.js';

export class Stage {
  #view = 'tiles';                           // as the person chose it
  #chosenForScreen = null;                   // what they chose while a screen is shared
  #pinned = null;                            // name of a picture
  #screens = [];                             // names, those that began first first
  #names = new Set();
  #speaker = null;                           // the last one that was not us

  /**
   * What there is now. `people`: [{id, hasScreen}] of the others, in order of arrival; `speaker`: an id or null;
   * `isSharing`: we share our screen.
   */
  follow({ people, speaker, isSharing = false }) {
    this.#names = new Set([Self, ...people.map(({ id }) => id)]);
    const screens = people.filter(({ hasScreen }) => hasScreen).map(({ id }) => pictureName(id, 'screen'));
    const begun = screens.filter((name) => !this.#screens.includes(name));
    this.#screens = [...this.#screens.filter((name) => screens.includes(name)), ...begun];
    if (begun.length > 0 || this.#screens.length === 0) this.#chosenForScreen = null;
    for (const name of screens) this.#names.add(name);
    if (isSharing) this.#names.add(pictureName(Self, 'screen'));
    if (this.#pinned !== null && !this.#names.has(this.#pinned)) this.#pinned = null;
    if (people.some(({ id }) => id === speaker)) this.#speaker = speaker;
    if (this.#speaker !== null && !this.#names.has(this.#speaker)) this.#speaker = null;
  }

  /** 'stage' or 'tiles'. A screen that is shared brings the stage until it ends, or the person wants it otherwise. */
  get view() {
    return this.#screens.length > 0 ? this.#chosenForScreen ?? 'stage' : this.#view;
  }

  get pinned() {
    return this.#pinned;
  }

  /** The name of the large picture; null in the tile view. */
  get onStage() {
    return this.view === 'stage' ? this.#pick() : null;
  }

  toggleView() {
    const view = this.view === 'stage' ? 'tiles' : 'stage';
    if (this.#screens.length > 0) this.#chosenForScreen = view;
    else this.#view = view;
  }

  /** Pins a picture, which brings the stage; or takes the pin away from it. */
  togglePin(name) {
    if (!this.#names.has(name)) return;
    this.#pinned = this.#pinned === name ? null : name;
    if (this.#pinned !== null && this.view === 'tiles') this.toggleView();
  }

  /** What a key that names no picture pins: what is large, or would be. */
  get pinnable() {
    return this.#pinned ?? this.#pick();
  }

  #pick() {
    const someone = [...this.#names].find((name) => name !== Self && !isScreenName(name));
    return this.#pinned ?? this.#screens.at(-1) ?? this.#speaker ?? someone ?? Self;
  }
}

/**
 * Pictures, the one that must not fall off a screen too small for all first: what is pinned or large, ourselves, other
 * screens, who spoke lately, who has a picture; the rest as they came. `recent`: ids, the last speaker first.
 */
export function mostWantedFirst(pictures, { onStage, pinned, recent }) {
  const spoke = new Map(recent.map((id, index) => [id, index]));
  const rank = ({ id, isSelf, isScreen, track }) => {
    if (id === onStage || id === pinned) return 0;
    if (isSelf) return 1;
    if (isScreen) return 2;
    const order = spoke.get(ownerOf(id));
    return order !== undefined ? 3 + order / (recent.length + 1) : track ? 4 : 5;
  };
  return pictures.map((picture, index) => ({ picture, index, rank: rank(picture) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ picture }) => picture);
}
