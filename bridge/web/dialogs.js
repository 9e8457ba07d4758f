// The two windows over a call: devices, and the list of shortcuts. The browser keeps the focus in them, and closes them
// with Escape.

import { DevicePickers } from './device_pickers.js';
import { Shortcuts, Text } from './messages.js';
import { labelButton } from './icons.js';

export class Dialogs {
  #settings;
  #help;
  #pickers;

  /** `parts` of the call's screen. */
  constructor(parts, media) {
    this.#settings = parts.settings;
    this.#help = parts.help;
    this.#pickers = new DevicePickers(
      { audio: parts.microphones, video: parts.cameras, speaker: parts.speakers }, media);
    parts['settings-title'].textContent = Text.settingsTitle;
    parts['help-title'].textContent = Text.helpTitle;
    for (const dialog of [this.#settings, this.#help]) {
      const close = dialog.querySelector('.close');
      labelButton(close, 'close', Text.close);
      close.addEventListener('click', () => dialog.close());
      dialog.addEventListener('click', ({ target }) => { if (target === dialog) dialog.close(); });   // beside it
    }
    parts['help-list'].append(...Shortcuts.flatMap(([key, what]) => [make('dt', key), make('dd', what)]));
  }

  async toggleSettings() {
    if (this.#toggle(this.#settings)) await this.#pickers.list();
  }

  toggleHelp() {
    this.#toggle(this.#help);
  }

  close() {
    this.#settings.close();
    this.#help.close();
  }

  #toggle(dialog) {
    if (dialog.open) dialog.close();
    else {
      this.close();
      dialog.showModal();
    }
    return dialog.open;
  }
}

function make(tag, textContent) {
  const element = document.createElement(tag);
  if (tag === 'dt') element.append(Object.assign(document.createElement('kbd'), { textContent }));
  else element.textContent = textContent;
  return element;
}
