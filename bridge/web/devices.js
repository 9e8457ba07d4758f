// The person's own microphone, camera and screen: microphone and camera opened together where possible, each alone
// where not, and all kept through reconnects. Also which loudspeaker they want.

import { LevelMeter } from './level_meter.js';
import { deviceProblem, Text } from './messages.js';
import { ScreenCapture } from './screen_capture.js';

/**
 * Fires `change` when a track, a mute state or a problem changes, and `notice` (detail: a sentence worth a few
 * seconds). Tracks are null while a device is off or absent.
 */
export class LocalMedia extends EventTarget {
  screen = new ScreenCapture();
  tracks = { audio: null, video: null };
  muted = { audio: false, video: false };
  problems = { audio: null, video: null };   // sentences for people
  chosen = { audio: null, video: null };     // device ids that the person picked
  speaker = '';                              // the same of what plays the others; empty is the system's choice
  #picture;                                  // {width, height, fps}, ideals
  #meter = null;

  constructor(picture) {
    super();
    this.#picture = picture;
    this.screen.addEventListener('change', () => this.#changed());
    navigator.mediaDevices?.addEventListener('devicechange', () => this.#followDevices());
  }

  /** Opens what is not muted. Never throws: what is refused or absent becomes a problem, and is muted. */
  async open() {
    const wanted = ['audio', 'video'].filter((kind) => !this.muted[kind] && !this.tracks[kind]);
    if (wanted.length === 0) return;
    // One question to the person instead of two. When either device fails the browser gives neither, so ask for each
    // alone.
    try {
      const stream = await this.#capture(wanted);
      for (const kind of wanted) this.#adopt(kind, stream);
    } catch (error) {
      if (wanted.length === 1) this.#fail(wanted[0], error.name);
      else for (const kind of wanted) await this.#openOne(kind);
    }
    this.#changed();
  }

  /** Mutes or unmutes; resolves when the device is really on or off. A device that cannot be opened stays muted. */
  async setMuted(kind, muted) {
    this.muted[kind] = muted;
    if (kind === 'audio' && this.tracks.audio) {
      this.tracks.audio.enabled = !muted;    // the device stays open: unmuting must not cost the first word
    } else if (muted) {
      this.#drop(kind);                      // the camera's light goes off
    } else {
      await this.#openOne(kind);
    }
    this.#changed();
  }

  /** Uses another device from now on. */
  async choose(kind, deviceId) {
    this.chosen[kind] = deviceId;
    if (this.muted[kind]) return;
    this.#drop(kind);
    await this.#openOne(kind);
    this.#changed();
  }

  /** Plays the others through another loudspeaker from now on. */
  chooseSpeaker(deviceId) {
    this.speaker = deviceId;
    this.#changed();
  }

  /** Gives every device back. */
  close() {
    this.screen.stop();
    for (const kind of ['audio', 'video']) this.#drop(kind);
    this.#changed();
  }

  /** How loud the microphone is now, 0 to 1; 0 while muted. */
  level() {
    return this.muted.audio || !this.#meter ? 0 : this.#meter.level();
  }

  async #openOne(kind) {
    try {
      this.#adopt(kind, await this.#capture([kind]));
    } catch (error) {
      this.#fail(kind, error.name);
    }
  }

  // A device that was chosen, perhaps on another day, may be gone: then any other.
  async #capture(kinds) {
    // On http from another machine a browser has no mediaDevices at all.
    if (!navigator.mediaDevices) throw Object.assign(new Error(), { name: 'InsecureContext' });
    try {
      return await navigator.mediaDevices.getUserMedia(this.#constraints(kinds));
    } catch (error) {
      const areChosen = kinds.some((kind) => this.chosen[kind]);
      if (!areChosen || !['OverconstrainedError', 'NotFoundError'].includes(error.name)) throw error;
      for (const kind of kinds) this.chosen[kind] = null;
      return navigator.mediaDevices.getUserMedia(this.#constraints(kinds));
    }
  }

  #constraints(kinds) {
    const device = (kind) => (this.chosen[kind] ? { deviceId: { exact: this.chosen[kind] } } : {});
    const { width, height, fps } = this.#picture;
    return {
      audio: kinds.includes('audio') && {
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        ...device('audio'),
      },
      video: kinds.includes('video') && {
        width: { ideal: width },
        height: { ideal: height },
        frameRate: { ideal: fps, max: fps },
        ...device('video'),
      },
    };
  }

  #adopt(kind, stream) {
    const track = stream.getTracks().find((candidate) => candidate.kind === kind);
    if (this.muted[kind] && kind === 'video') return track.stop();  // turned off while the browser was still asking
    this.#drop(kind);
    this.tracks[kind] = track;
    this.problems[kind] = null;
    track.enabled = !this.muted[kind];
    track.addEventListener('ended', () => this.tracks[kind] === track && this.#replaceLost(kind));
    if (kind === 'audio') this.#meter = LevelMeter.on(track);
  }

  // Unplugged. Whoever was speaking goes on with what else there is; a camera that they did not choose stays off.
  async #replaceLost(kind) {
    this.#drop(kind);
    if (kind === 'audio') {
      this.chosen.audio = null;
      await this.#openOne('audio');
      if (this.tracks.audio) this.#notice(Text.microphoneReplaced(this.tracks.audio.label));
    }
    if (!this.tracks[kind]) this.#fail(kind, 'Ended');
    this.#changed();
  }

  async #followDevices() {
    if (this.speaker === '') return;
    const { speaker } = await listDevices();
    if (speaker.some(({ id }) => id === this.speaker)) return;
    this.#notice(Text.speakerReplaced);
    this.chooseSpeaker('');
  }

  #notice(text) {
    this.dispatchEvent(new CustomEvent('notice', { detail: text }));
  }

  #fail(kind, errorName) {
    this.muted[kind] = true;
    this.problems[kind] = deviceProblem(kind, errorName);
  }

  #drop(kind) {
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
    if (kind === 'audio') {
      this.#meter?.close();
      this.#meter = null;
    }
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/**
 * The devices there are: {audio: [{id, label, kind}], video: [...], speaker: [...]}. Labels are empty until the person
 * has allowed one.
 */
export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const ofKind = (kind) => all.filter((device) => device.kind === kind && device.deviceId)
    .map((device) => ({ id: device.deviceId, label: device.label, kind }));
  return { audio: ofKind('audioinput'), video: ofKind('videoinput'), speaker: ofKind('audiooutput') };
}

/** Whether this browser can play through a loudspeaker that is not the system's choice. */
export function canChooseSpeaker() {
  return 'setSinkId' in HTMLMediaElement.prototype;
}
