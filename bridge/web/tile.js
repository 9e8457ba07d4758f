// One picture on the screen, with who it is of and how they are.

import { drawIcon, drawIcons, labelButton } from './icons.js';
import { QualityText, Text } from './messages.js';

export class Tile {
  element;
  #videos;                                   // the one that shows, then the one that waits for its first picture
  #parts;
  #track = null;
  #path = null;

  /** `onPin(name)` is called when the person wants the picture of that name pinned, or no longer. */
  constructor(template, onPin) {
    this.element = template.content.firstElementChild.cloneNode(true);
    drawIcons(this.element);
    const find = (selector) => this.element.querySelector(selector);
    this.#parts = {
      avatar: find('.avatar'), note: find('.tile-note'), name: find('.name'), quality: find('.quality'),
      pin: find('.pin'), sealed: find('.sealed-mark'),
    };
    this.#videos = [...this.element.querySelectorAll('video')];
    this.#videos[0].classList.add('front');
    find('.muted-mark').setAttribute('aria-label', Text.microphoneOff);
    find('.camera-mark').setAttribute('aria-label', Text.cameraOff);
    this.#parts.pin.addEventListener('click', () => onPin(this.element.dataset.picture));
    this.element.addEventListener('dblclick', ({ target }) => {
      if (!target.closest('button')) onPin(this.element.dataset.picture);
    });
  }

  /** A picture as TileGrid.show() takes them. */
  show(picture) {
    const { id, participant, name, isSelf, isScreen, audioMuted, videoMuted, track, path, paused, quality } = picture;
    const { element } = this;
    element.dataset.participant = participant ?? '';
    element.dataset.picture = id;
    const classes = {
      self: isSelf && !isScreen, 'of-screen': isScreen, speaking: picture.speaking && !audioMuted,
      'audio-muted': audioMuted, 'video-muted': videoMuted, sealed: picture.sealed, paused, pinned: picture.isPinned,
      staged: picture.isOnStage,
    };
    for (const [name, isSet] of Object.entries(classes)) element.classList.toggle(name, Boolean(isSet));
    this.#parts.sealed.setAttribute('aria-label', isSelf ? Text.sealedMarkSelf : Text.sealedMark(name));
    setText(this.#parts.name, titleOf(picture));
    dressAvatar(this.#parts.avatar, name);
    this.#say(picture.note ?? (paused ? Text.paused : null));
    this.#showQuality(quality, titleOf(picture));
    const { pin } = this.#parts;
    labelButton(pin, picture.isPinned ? 'unpin' : 'pin', (picture.isPinned ? Text.unpin : Text.pin)(titleOf(picture)));
    pin.setAttribute('aria-pressed', String(Boolean(picture.isPinned)));
    this.#play(videoMuted ? null : track, path);
  }

  /** {left, top, width, height} in pixels. */
  place(box) {
    for (const [side, pixels] of Object.entries(box)) this.element.style.setProperty(`--${side}`, `${pixels}px`);
  }

  remove() {
    this.#play(null);
    this.element.remove();
  }

  #say(text) {
    this.#parts.note.hidden = !text;
    setText(this.#parts.note, text ?? '');
  }

  // The word stands beside the picture where it says more than that all is well.
  #showQuality(quality, name) {
    const { quality: mark } = this.#parts;
    mark.hidden = !quality;
    if (!quality) return;
    const [svg, word] = mark.children;
    drawIcon(svg, quality.level);
    mark.dataset.level = quality.level;
    setText(word, quality.level === 'good' ? '' : QualityText.levels[quality.level]);
    const told = QualityText.of(name, quality.text);
    if (mark.title === told) return;
    mark.title = told;
    mark.setAttribute('aria-label', told);
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

/** Whose picture, as people read it. */
export function titleOf({ name, isSelf, isScreen }) {
  if (isScreen) return isSelf ? Text.ownScreen : Text.screenOf(name);
  return isSelf ? Text.you(name) : name;
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
  setText(element, letters.join('').toUpperCase());
  let hue = 0;
  for (const character of name) hue = (hue * 31 + character.codePointAt(0)) % 360;
  element.style.setProperty('--hue', String(hue));
}

// What is set anew is read aloud anew by some screen readers.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
