// The row of buttons under a call: what each shows and says, and what was wanted when it is pressed.

import { drawIcon, labelButton } from './icons.js';
import { QualityText, Text } from './messages.js';

// Button -> what it means, as in page.js.
const Meanings = {
  audio: 'audio', video: 'video', screen: 'screen', seal: 'seal', view: 'view', chat: 'chat', copy: 'copy',
  leave: 'leave', 'open-settings': 'settings', 'open-help': 'help',
};

export class Controls {
  #parts;

  /** `onPress(meaning)`. */
  constructor(parts, onPress) {
    this.#parts = parts;
    for (const [part, meaning] of Object.entries(Meanings)) {
      parts[part].addEventListener('click', () => onPress(meaning));
    }
    labelButton(parts.copy, 'link', Text.copyLink);
    labelButton(parts.leave, 'leave', Text.leave);
    labelButton(parts['open-settings'], 'settings', Text.settings);
    labelButton(parts['open-help'], 'help', Text.help);
  }

  /** `view`: what Call tells; `unread`: messages; `shows`: "stage" or "tiles"; `isChatOpen`. */
  show({ view: { e2ee, self }, media, shows, unread, isChatOpen }) {
    const { muted, screen } = media;
    this.#toggle('audio', muted.audio ? 'mic-off' : 'mic', muted.audio ? Text.unmuteMicrophone : Text.muteMicrophone,
      muted.audio, 'off');
    this.#toggle('video', muted.video ? 'camera-off' : 'camera', muted.video ? Text.startCamera : Text.stopCamera,
      muted.video, 'off');
    const isSharing = Boolean(screen.track);
    this.#toggle('screen', 'screen', isSharing ? Text.stopSharing : Text.shareScreen, isSharing, 'on');
    this.#parts.screen.hidden = !self.canShareScreen && !isSharing;
    this.#toggle('seal', e2ee.wanted ? 'lock' : 'lock-open',
      e2ee.required ? Text.sealRequired : e2ee.wanted ? Text.unsealCall : Text.sealCall, e2ee.wanted, 'on');
    const isStage = shows === 'stage';
    labelButton(this.#parts.view, isStage ? 'tiles' : 'stage', isStage ? Text.toTiles : Text.toStage);
    labelButton(this.#parts.chat, 'chat', Text.openChat(unread));
    this.#parts.chat.setAttribute('aria-expanded', String(isChatOpen));
    this.#parts.unread.hidden = unread === 0;
    this.#parts.unread.textContent = unread > 99 ? '99+' : String(unread);
  }

  /** {level, text} of our own connection, or null. */
  showQuality(quality) {
    const { quality: mark } = this.#parts;
    mark.hidden = !quality;
    if (!quality) return;
    const [svg, word] = mark.children;
    drawIcon(svg, quality.level);
    mark.dataset.level = quality.level;
    word.textContent = quality.text;
    mark.title = QualityText.own(quality.text);
    mark.setAttribute('aria-label', mark.title);
  }

  #toggle(part, icon, text, isSet, className) {
    const button = this.#parts[part];
    labelButton(button, icon, text);
    button.classList.toggle(className, isSet);
    button.setAttribute('aria-pressed', String(isSet));
  }
}
