// The screen of a running call: draws what Call tells, and turns clicks and keys into what the person wants.

import { Announcer } from './announcer.js';
import { picturesOf } from './call_pictures.js';
import { ChatPanel } from './chat_panel.js';
import { Controls } from './controls.js';
import { Dialogs } from './dialogs.js';
import { Text } from './messages.js';
import { listenForShortcuts, parts, showNotices } from './page.js';
import { warnings } from './privacy.js';
import { PrivacyPanel } from './privacy_panel.js';
import { QualityWatch } from './quality_watch.js';
import { Sounds } from './sounds.js';
import { mostWantedFirst, Stage } from './stage.js';
import { titleOf } from './tile.js';
import { TileGrid } from './tiles.js';
import { wishesOf } from './wishes.js';

const SpeakingLevel = 0.06;                  // of our own microphone, 0 to 1
const SpeakingHoldMilliseconds = 600;
const ToastMilliseconds = 4000;

/** Fires `leave`. */
export class CallView extends EventTarget {
  #element;
  #media;
  #parts;
  #controls;
  #grid;
  #stage = new Stage();
  #pictures = [];
  #sounds;
  #privacy;
  #chat;
  #dialogs;
  #announcer;
  #quality = new QualityWatch();
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
    this.#controls = new Controls(this.#parts, (meaning) => this.#act(meaning));
    this.#grid = new TileGrid(this.#parts.grid, template);
    this.#sounds = new Sounds(this.#parts.sounds);
    this.#privacy = new PrivacyPanel(this.#parts, () => this.#call?.askPrivacy());
    this.#chat = new ChatPanel(this.#parts);
    this.#dialogs = new Dialogs(this.#parts, media);
    this.#announcer = new Announcer(this.#parts.announcer);
    this.#listen();
  }

  open(call) {
    this.#call = call;
    this.#stage = new Stage();
    call.addEventListener('change', this.#onChange);
    call.addEventListener('notice', this.#onNotice);
    call.chat.addEventListener('change', this.#onChange);
    this.#chat.attach(call);
    this.#quality.open(call);
    this.#element.hidden = false;
    this.#meterTimer = setInterval(() => this.#listenToSelf(), 150);
    this.#render();
    this.#parts.audio.focus({ preventScroll: true });
  }

  close() {
    this.#call?.removeEventListener('change', this.#onChange);
    this.#call?.removeEventListener('notice', this.#onNotice);
    this.#call?.chat.removeEventListener('change', this.#onChange);
    this.#call = null;
    clearInterval(this.#meterTimer);
    this.#grid.show([], []);
    this.#sounds.play([]);
    this.#privacy.close();
    this.#chat.detach();
    this.#quality.close();
    this.#dialogs.close();
    this.#announcer.close();
    this.#parts.toast.classList.remove('shown');
    this.#element.hidden = true;
  }

  #listen() {
    const { hear } = this.#parts;
    hear.querySelector('span').textContent = Text.hear;
    hear.addEventListener('click', () => this.#sounds.resume());
    this.#sounds.addEventListener('blocked', ({ detail }) => { hear.hidden = !detail; });
    this.#grid.addEventListener('layout', () => this.#tellWishes());
    this.#grid.addEventListener('pin', ({ detail }) => this.#pin(detail));
    this.#chat.addEventListener('toggle', this.#onChange);
    this.#quality.addEventListener('change', this.#onChange);
    this.#media.addEventListener('change', this.#onChange);
    this.#media.addEventListener('notice', ({ detail }) => this.#call && this.#toast(detail));
    document.addEventListener('visibilitychange', () => this.#tellWishes());
    window.addEventListener('online', this.#onChange);
    window.addEventListener('offline', this.#onChange);
    listenForShortcuts((meaning) => this.#call && this.#act(meaning));
  }

  #render() {
    const view = this.#call?.view();
    if (!view) return;
    const { state, conference, wasInCall, isReturning, people } = view;
    const { problems } = this.#media;
    this.#element.dataset.state = state;
    this.#parts.title.textContent = conference;
    this.#parts.count.textContent = state === 'in-call' ? Text.people(people.length + 1) : '';
    this.#parts.banner.hidden = state === 'in-call';
    const trouble = !navigator.onLine ? Text.offline : wasInCall ? Text.reconnecting : Text.unreachable;
    this.#parts.banner.textContent = state === 'joining' ? Text.joining : isReturning ? Text.returning : trouble;
    this.#parts.banner.classList.toggle('calm', state === 'joining' || isReturning);
    const alone = state === 'in-call' && people.length === 0 ? Text.alone : null;
    showNotices(this.#parts.notices, [problems.audio, problems.video, ...warnings(view), alone]);
    this.#privacy.show(view);
    this.#renderPictures(view);
    this.#controls.show({
      view, media: this.#media, shows: this.#stage.view, unread: this.#call.chat.unread, isChatOpen: this.#chat.isOpen,
    });
    this.#controls.showQuality(state === 'in-call' ? this.#quality.own : null);
    this.#parts.middle.classList.toggle('with-chat', this.#chat.isOpen);
    this.#chat.show({ isSealed: view.e2ee.wanted });
    this.#announcer.speaks(people.find(({ id }) => id === view.speaker) ?? null);
    this.#sounds.playThrough(this.#media.speaker);
    this.#sounds.play(this.#call.sounds());
  }

  #renderPictures(view) {
    const people = view.people.map(({ id, screen }) => ({ id, hasScreen: screen !== null }));
    this.#stage.follow({ people, speaker: view.speaker, isSharing: Boolean(this.#media.screen.track) });
    const { onStage, pinned } = this.#stage;
    this.#pictures = picturesOf(view, {
      stage: { onStage, pinned },
      quality: (id) => this.#quality.of(id),
      media: this.#media,
      isSpeaking: this.#isSpeaking(),
    });
    const { recent, speaker } = view;
    const spoke = recent.length > 0 ? recent : [speaker].filter((id) => id !== null);
    this.#grid.show(this.#pictures, mostWantedFirst(this.#pictures, { onStage, pinned, recent: spoke }));
  }

  // What is really on the screen, in its own pixels.
  #tellWishes() {
    if (!this.#call) return;
    const heights = this.#grid.visibleHeights();
    const wanted = this.#pictures.filter(({ isSelf }) => !isSelf).map(({ id, isScreen, isOnStage, isPinned }) => {
      const height = Math.round((heights.get(id) ?? 0) * window.devicePixelRatio);
      return { name: id, height, isScreen, isOnStage, isPinned };
    });
    this.#call.setWishes(wishesOf(wanted, { isHidden: document.hidden }));
  }

  #act(meaning) {
    switch (meaning) {
      case 'seal': return this.#call.setE2ee(!this.#call.view().e2ee.wanted);
      case 'screen': return this.#toggleScreen();
      case 'view': return this.#toggleView();
      case 'pin': return this.#pin(this.#grid.focused ?? this.#stage.pinnable);
      case 'chat': return this.#chat.toggle();
      case 'settings': return this.#dialogs.toggleSettings();
      case 'help': return this.#dialogs.toggleHelp();
      case 'copy': return this.#copyLink();
      case 'leave': return this.dispatchEvent(new Event('leave'));
      default: return this.#media.setMuted(meaning, !this.#media.muted[meaning]);
    }
  }

  #toggleView() {
    this.#stage.toggleView();
    this.#render();
  }

  #pin(name) {
    const picture = this.#pictures.find(({ id }) => id === name);
    if (!picture) return;
    this.#stage.togglePin(name);
    this.#toast(this.#stage.pinned === name ? Text.pinned(titleOf(picture)) : Text.unpinned);
    this.#render();
  }

  async #toggleScreen() {
    const { screen } = this.#media;
    if (screen.track) return screen.stop();
    if (!this.#call.view().self.canShareScreen) return;
    try {
      await screen.start();
    } catch (error) {
      this.#toast(Text.screenFailed(error.name));
    }
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
