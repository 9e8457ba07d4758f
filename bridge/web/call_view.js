// The screen of a running call: draws what Call tells, and turns clicks and keys into what the person wants.

import { labelButton } from './icons.js';
import { Text } from './messages.js';
import { listenForShortcuts, parts, showNotices } from './page.js';
import { Sounds } from './sounds.js';
import { TileGrid } from './tiles.js';

const SpeakingLevel = 0.06;                  // of our own microphone, 0 to 1
const SpeakingHoldMilliseconds = 600;
const ToastMilliseconds = 4000;

/** Fires `leave`. */
export class CallView extends EventTarget {
  #element;
  #media;
  #parts;
  #grid;
  #sounds;
  #call = null;
  #meterTimer = null;
  #toastTimer = null;
  #spokeAt = -Infinity;
  #onChange = () => this.#render();
  #onNotice = ({ detail }) => this.#toast(detail);

  constructor(element, template, media) {
    super();
    this.#element = element;
    this.#media = media;
    this.#parts = parts(element);
    this.#grid = new TileGrid(this.#parts.grid, template);
    this.#sounds = new Sounds(this.#parts.sounds);
    const { audio, video, copy, leave, hear, privacy } = this.#parts;
    audio.addEventListener('click', () => this.#toggle('audio'));
    video.addEventListener('click', () => this.#toggle('video'));
    copy.addEventListener('click', () => this.#copyLink());
    leave.addEventListener('click', () => this.dispatchEvent(new Event('leave')));
    labelButton(copy, 'link', Text.copyLink);
    labelButton(leave, 'leave', Text.leave);
    hear.querySelector('span').textContent = Text.hear;
    hear.addEventListener('click', () => this.#sounds.resume());
    this.#sounds.addEventListener('blocked', ({ detail }) => { hear.hidden = !detail; });
    privacy.addEventListener('toggle', () => this.#explainPrivacy());
    document.addEventListener('click', ({ target }) => { if (!privacy.contains(target)) privacy.open = false; });
    document.addEventListener('keydown', ({ key }) => { if (key === 'Escape') privacy.open = false; });
    media.addEventListener('change', this.#onChange);
    window.addEventListener('online', this.#onChange);
    window.addEventListener('offline', this.#onChange);
    listenForShortcuts((kind) => this.#call && this.#toggle(kind));
  }

  open(call) {
    this.#call = call;
    call.addEventListener('change', this.#onChange);
    call.addEventListener('notice', this.#onNotice);
    this.#element.hidden = false;
    this.#meterTimer = setInterval(() => this.#listenToSelf(), 150);
    this.#render();
    this.#parts.audio.focus({ preventScroll: true });
  }

  close() {
    this.#call?.removeEventListener('change', this.#onChange);
    this.#call?.removeEventListener('notice', this.#onNotice);
    this.#call = null;
    clearInterval(this.#meterTimer);
    this.#grid.show([]);
    this.#sounds.play([]);
    this.#parts.privacy.open = false;
    this.#parts.toast.classList.remove('shown');
    this.#element.hidden = true;
  }

  #render() {
    if (!this.#call) return;
    const { state, conference, wasInCall, self, people } = this.#call.view();
    const { muted, tracks, problems } = this.#media;
    this.#element.dataset.state = state;
    this.#parts.title.textContent = conference;
    this.#parts.count.textContent = state === 'in-call' ? Text.people(people.length + 1) : '';
    this.#parts.banner.hidden = state === 'in-call';
    const trouble = !navigator.onLine ? Text.offline : wasInCall ? Text.reconnecting : Text.unreachable;
    this.#parts.banner.textContent = state === 'joining' ? Text.joining : trouble;
    this.#parts.banner.classList.toggle('calm', state === 'joining');
    this.#renderButtons(muted);
    const alone = state === 'in-call' && people.length === 0 ? Text.alone : null;
    showNotices(this.#parts.notices, [problems.audio, problems.video, alone]);
    const own = {
      id: 'self', name: self.name, isSelf: true, audioMuted: muted.audio, videoMuted: muted.video,
      track: tracks.video, speaking: self.speaking || this.#isSpeaking(),
    };
    this.#grid.show(inOrder(people, own));
    this.#sounds.play(this.#call.sounds());
  }

  #renderButtons(muted) {
    const { audio, video } = this.#parts;
    labelButton(audio, muted.audio ? 'mic-off' : 'mic', muted.audio ? Text.unmuteMicrophone : Text.muteMicrophone);
    labelButton(video, muted.video ? 'camera-off' : 'camera', muted.video ? Text.startCamera : Text.stopCamera);
    audio.classList.toggle('off', muted.audio);
    video.classList.toggle('off', muted.video);
    audio.setAttribute('aria-pressed', String(muted.audio));
    video.setAttribute('aria-pressed', String(muted.video));
  }

  #toggle(kind) {
    this.#media.setMuted(kind, !this.#media.muted[kind]);
  }

  #listenToSelf() {
    const before = this.#isSpeaking();
    if (this.#media.level() > SpeakingLevel) this.#spokeAt = performance.now();
    if (before !== this.#isSpeaking()) this.#render();
  }

  #isSpeaking() {
    return !this.#media.muted.audio && performance.now() - this.#spokeAt < SpeakingHoldMilliseconds;
  }

  async #copyLink() {
    const invitation = new URL(location.pathname, location.origin);  // without our own name, token or options
    invitation.hash = encodeURIComponent(this.#call.view().conference);
    try {
      await navigator.clipboard.writeText(invitation.href);
      this.#toast(Text.linkCopied);
    } catch {
      this.#toast(Text.linkToCopy(invitation.href));  // no clipboard outside a secure context
    }
  }

  async #explainPrivacy() {
    if (!this.#parts.privacy.open) return;
    const transport = (await this.#call?.stats())?.transport ?? {};
    this.#parts['privacy-text'].textContent = Text.privacy(
      [transport.tlsVersion && 'DTLS-SRTP', transport.srtpCipher].filter(Boolean).join(', '),
    );
  }

  #toast(text) {
    const { toast } = this.#parts;
    toast.firstElementChild.textContent = text;
    toast.classList.add('shown');
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => toast.classList.remove('shown'), ToastMilliseconds);
  }
}

// Who must not fall off a grid that is too small for all: ourselves, then who has a picture, then the others as they
// came.
function inOrder(people, own) {
  const seen = people.filter(({ track }) => track);
  const unseen = people.filter(({ track }) => !track);
  return people.length > 8 ? [own, ...seen, ...unseen] : [...people, own];
}
