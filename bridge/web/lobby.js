// The first screen: which conference, under which name, with which devices.

import { DevicePickers } from './device_pickers.js';
import { labelButton } from './icons.js';
import { Text } from './messages.js';
import { parts, showNotices } from './page.js';
import { recall } from './memory.js';
import { dressAvatar, onNextFrame } from './tile.js';

/** Fires `join` (detail: {conference, name, mixed}). */
export class Lobby extends EventTarget {
  #element;
  #media;
  #parts;
  #pickers;
  #meterTimer = null;

  constructor(element, media) {
    super();
    this.#element = element;
    this.#media = media;
    this.#parts = parts(element);
    const { form, audio, 'video-button': video, name, microphones, cameras, speakers } = this.#parts;
    form.addEventListener('submit', (event) => this.#submit(event));
    name.addEventListener('input', () => this.#render());
    audio.addEventListener('click', () => media.setMuted('audio', !media.muted.audio));
    video.addEventListener('click', () => media.setMuted('video', !media.muted.video));
    this.#pickers = new DevicePickers({ audio: microphones, video: cameras, speaker: speakers }, media);
    media.addEventListener('change', () => this.#render());
  }

  /** Shows the screen and starts the preview. `conference` comes from an invitation and may be empty. */
  async open({ conference, name, mixed }) {
    this.#element.hidden = false;
    this.#parts.lead.textContent = conference ? Text.leadInvited(conference) : Text.lead;
    this.#parts.conference.value = conference;
    this.#parts.name.value = name;
    this.#parts.mixed.checked = Boolean(mixed);
    this.#parts['mixed-title'].textContent = Text.mixed;
    this.#parts['mixed-note'].textContent = Text.mixedNote;
    this.#parts.join.textContent = Text.join;
    this.#render();
    (conference ? this.#parts.name : this.#parts.conference).focus();
    this.#meterTimer = setInterval(() => { this.#parts.level.value = this.#media.level(); }, 100);
    for (const kind of ['audio', 'video']) this.#media.chosen[kind] = recall(`device.${kind}`);
    await this.#media.open();
    await this.#pickers.list();
  }

  close() {
    this.#element.hidden = true;
    clearInterval(this.#meterTimer);
    this.#parts.video.srcObject = null;
  }

  #submit(event) {
    event.preventDefault();
    const conference = this.#parts.conference.value.trim();
    const name = this.#parts.name.value.trim();
    const problem = !conference ? Text.conferenceMissing : !name ? Text.nameMissing : '';
    this.#parts.problem.textContent = problem;
    this.#parts.problem.hidden = !problem;
    if (problem) return (conference ? this.#parts.name : this.#parts.conference).focus();
    this.dispatchEvent(new CustomEvent('join', { detail: { conference, name, mixed: this.#parts.mixed.checked } }));
  }

  #render() {
    if (this.#element.hidden) return;
    const { muted, tracks, problems } = this.#media;
    const { audio, 'video-button': videoButton, video, avatar, name } = this.#parts;
    labelButton(audio, muted.audio ? 'mic-off' : 'mic', muted.audio ? Text.unmuteMicrophone : Text.muteMicrophone);
    labelButton(videoButton, muted.video ? 'camera-off' : 'camera', muted.video ? Text.startCamera : Text.stopCamera);
    audio.classList.toggle('off', muted.audio);
    videoButton.classList.toggle('off', muted.video);
    dressAvatar(avatar, name.value.trim() || '?');
    this.#parts['stage-note'].textContent = tracks.video ? '' : Text.cameraOff;
    if ((video.srcObject?.getVideoTracks()[0] ?? null) !== tracks.video) {
      video.classList.remove('shown');
      video.srcObject = tracks.video ? new MediaStream([tracks.video]) : null;
      if (tracks.video) onNextFrame(video, () => video.classList.add('shown'));
    }
    showNotices(this.#parts.notices, [problems.audio, problems.video]);
  }
}
