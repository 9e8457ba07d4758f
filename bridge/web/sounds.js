// Plays the audio slots through hidden elements, one a slot. Never muted: a browser stops counting received energy
// when they are.

/** Fires `blocked` (detail: boolean) when the browser wants a click before it plays sound, and again when it plays. */
export class Sounds extends EventTarget {
  #root;
  #elements = new Map();                     // mid -> HTMLAudioElement
  #blocked = false;
  #speaker = '';

  constructor(root) {
    super();
    this.#root = root;
  }

  /**
   * `sounds`: [{mid, track, volume}], all of them each time. What must not be heard plays with volume 0: it has to
   * run, so that it is there in the moment it is wanted.
   */
  play(sounds) {
    const wanted = new Set(sounds.map(({ mid }) => mid));
    for (const [mid, element] of this.#elements) {
      if (wanted.has(mid)) continue;
      element.srcObject = null;
      element.remove();
      this.#elements.delete(mid);
    }
    for (const { mid, track, volume } of sounds) {
      let element = this.#elements.get(mid);
      if (!element) {
        element = document.createElement('audio');
        this.#elements.set(mid, element);
        this.#direct(element);
        this.#root.append(element);
      }
      element.volume = volume;
      if (element.srcObject?.getAudioTracks()[0] === track) continue;
      element.srcObject = new MediaStream([track]);
      this.#start(element);
    }
    if (sounds.length === 0) this.#setBlocked(false);
  }

  /** The loudspeaker to play through, by its device id; empty is the system's choice. */
  playThrough(speaker) {
    if (speaker === this.#speaker) return;
    this.#speaker = speaker;
    for (const element of this.#elements.values()) this.#direct(element);
  }

  /** Tries again; call it from a click. */
  resume() {
    this.#setBlocked(false);
    for (const element of this.#elements.values()) this.#start(element);
  }

  // One that has gone plays no more: the page hears of that and chooses another.
  #direct(element) {
    if (element.sinkId !== undefined && element.sinkId !== this.#speaker) {
      element.setSinkId(this.#speaker).catch(() => {});
    }
  }

  #start(element) {
    element.play().catch(({ name }) => {
      if (name === 'NotAllowedError') this.#setBlocked(true);
    });
  }

  #setBlocked(blocked) {
    if (this.#blocked === blocked) return;
    this.#blocked = blocked;
    this.dispatchEvent(new CustomEvent('blocked', { detail: blocked }));
  }
}
