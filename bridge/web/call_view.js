// The screen of a running call: draws what Call tells, and turns clicks and keys into what the person wants.

import { labelButton } from './icons.js';
import { Text } from './messages.js';
import { listenForShortcuts, parts, showNotices } from './page.js';
import { isShowable, standing, tileNote, warnings } from './privacy.js';
import { PrivacyPanel } from './privacy_panel.js';
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
  #privacy;
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
    this.#privacy = new PrivacyPanel(this.#parts, () => this.#call?.askPrivacy());
    const { audio, video, seal, copy, leave, hear } = this.#parts;
    audio.addEventListener('click', () => this.#toggle('audio'));
    video.addEventListener('click', () => this.#toggle('video'));
    seal.addEventListener('click', () => this.#toggle('seal'));
    copy.addEventListener('click', () => this.#copyLink());
    leave.addEventListener('click', () => this.dispatchEvent(new Event('leave')));
    labelButton(copy, 'link', Text.copyLink);
    labelButton(leave, 'leave', Text.leave);
    hear.querySelector('span').textContent = Text.hear;
    hear.addEventListener('click', () => this.#sounds.resume());
    this.#sounds.addEventListener('blocked', ({ detail }) => { hear.hidden = !detail; });
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
    this.#privacy.close();
    this.#parts.toast.classList.remove('shown');
    this.#element.hidden = true;
  }

  #render() {
    const view = this.#call?.view();
    if (!view) return;
    const { state, conference, wasInCall, self, people } = view;
    const { muted, tracks, problems } = this.#media;
    this.#element.dataset.state = state;
    this.#parts.title.textContent = conference;
    this.#parts.count.textContent = state === 'in-call' ? Text.people(people.length + 1) : '';
    this.#parts.banner.hidden = state === 'in-call';
    const trouble = !navigator.onLine ? Text.offline : wasInCall ? Text.reconnecting : Text.unreachable;
    this.#parts.banner.textContent = state === 'joining' ? Text.joining : trouble;
    this.#parts.banner.classList.toggle('calm', state === 'joining');
    this.#renderButtons(muted, view);
    const alone = state === 'in-call' && people.length === 0 ? Text.alone : null;
    showNotices(this.#parts.notices, [problems.audio, problems.video, ...warnings(view), alone]);
    this.#privacy.show(view);
    const own = {
      id: 'self', name: self.name, isSelf: true, audioMuted: muted.audio, videoMuted: muted.video,
      track: tracks.video, speaking: self.speaking || this.#isSpeaking(), sealed: self.sealed, note: null,
    };
    this.#grid.show(inOrder(people.map((person) => tileOf(person, view)), own));
    this.#sounds.play(this.#call.sounds());
  }

  #renderButtons(muted, { e2ee }) {
    const { audio, video, seal } = this.#parts;
    labelButton(audio, muted.audio ? 'mic-off' : 'mic', muted.audio ? Text.unmuteMicrophone : Text.muteMicrophone);
    labelButton(video, muted.video ? 'camera-off' : 'camera', muted.video ? Text.startCamera : Text.stopCamera);
    labelButton(seal, e2ee.wanted ? 'lock' : 'lock-open',
      e2ee.required ? Text.sealRequired : e2ee.wanted ? Text.unsealCall : Text.sealCall);
    audio.classList.toggle('off', muted.audio);
    video.classList.toggle('off', muted.video);
    seal.classList.toggle('on', e2ee.wanted);
    audio.setAttribute('aria-pressed', String(muted.audio));
    video.setAttribute('aria-pressed', String(muted.video));
    seal.setAttribute('aria-pressed', String(e2ee.wanted));
  }

  #toggle(what) {
    if (what === 'seal') this.#call?.setE2ee(!this.#call.view().e2ee.wanted);
    else this.#media.setMuted(what, !this.#media.muted[what]);
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
    const { conference, e2ee } = this.#call.view();
    const invitation = new URL(location.pathname, location.origin);  // without our own name, token or options
    invitation.hash = encodeURIComponent(conference) + (e2ee.required ? '&e2ee=required' : '');
    try {
      await navigator.clipboard.writeText(invitation.href);
      this.#toast(Text.linkCopied);
    } catch {
      this.#toast(Text.linkToCopy(invitation.href));  // no clipboard outside a secure context
    }
  }

  #toast(text) {
    const { toast } = this.#parts;
    toast.firstElementChild.textContent = text;
    toast.classList.add('shown');
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => toast.classList.remove('shown'), ToastMilliseconds);
  }
}

function tileOf(person, view) {
  const nameOf = (id) => (id === view.self.id ? view.self.name : view.people.find((other) => other.id === id)?.name);
  const { name, undecodable, videoMuted } = person;
  const strange = undecodable && !videoMuted ? Text.undecodable(name, undecodable) : null;
  return {
    ...person,
    track: undecodable || !isShowable(person) ? null : person.track,
    sealed: person.media.state === 'open' && standing(person) === 'sealed',
    note: tileNote(person, { e2ee: view.e2ee, nameOf }) ?? strange,
  };
}

// Who must not fall off a grid that is too small for all: ourselves, then who has a picture, then the others as they
// came.
function inOrder(people, own) {
  const seen = people.filter(({ track }) => track);
  const unseen = people.filter(({ track }) => !track);
  return people.length > 8 ? [own, ...seen, ...unseen] : [...people, own];
}
