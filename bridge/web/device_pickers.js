// Selects for microphone, camera and, where the browser lets one choose, loudspeaker: the same before a call and in it.

import { canChooseSpeaker, listDevices } from './devices.js';
import { remember } from './memory.js';
import { Text } from './messages.js';

export class DevicePickers {
  #media;
  #selects;                                  // kind -> select

  /** `selects`: {audio, video, speaker}. */
  constructor(selects, media) {
    this.#media = media;
    this.#selects = selects;
    for (const kind of ['audio', 'video']) {
      selects[kind].addEventListener('change', () => this.#choose(kind, selects[kind].value));
    }
    selects.speaker.addEventListener('change', () => media.chooseSpeaker(selects.speaker.value));
    selects.speaker.closest('label').hidden = !canChooseSpeaker();
    navigator.mediaDevices?.addEventListener('devicechange', () => this.list());
  }

  /** Shows what there is now, and what is in use. */
  async list() {
    const devices = await listDevices();
    for (const [kind, select] of Object.entries(this.#selects)) {
      const inUse = this.#inUse(kind);
      const options = devices[kind].map(({ id, label, kind: deviceKind }, index) =>
        new Option(label || Text.deviceLabel(deviceKind, index + 1), id, false, id === inUse));
      if (kind === 'speaker' && !devices.speaker.some(({ id }) => id === 'default')) {
        options.unshift(new Option(Text.systemSpeaker, '', false, inUse === ''));
      }
      select.disabled = options.length === 0;
      select.replaceChildren(...(options.length ? options : [new Option(Text.noDevice, '')]));
    }
  }

  #inUse(kind) {
    if (kind === 'speaker') return this.#media.speaker;
    return this.#media.tracks[kind]?.getSettings().deviceId ?? this.#media.chosen[kind];
  }

  #choose(kind, id) {
    remember(`device.${kind}`, id);
    this.#media.choose(kind, id);
  }
}
