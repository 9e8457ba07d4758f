// The person's own microphone and camera: opened together where possible, each alone where not, and kept through
// reconnects.

import { deviceProblem } from './messages.js';

/** Fires `change` when a track, a mute state or a problem changes. Tracks are null while a device is off or absent. */
export class LocalMedia extends EventTarget {
  tracks = { audio: null, video: null };
  muted = { audio: false, video: false };
  problems = { audio: null, video: null };   // sentences for people
  chosen = { audio: null, video: null };     // device ids that the person picked
  #picture;                                  // {width, height, fps}, ideals
  #meter = null;

  constructor(picture) {
    super();
    this.#picture = picture;
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

  /** Gives every device back. */
  close() {
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

  #capture(kinds) {
    // On http from another machine a browser has no mediaDevices at all.
    if (!navigator.mediaDevices) return Promise.reject(Object.assign(new Error(), { name: 'InsecureContext' }));
    const device = (kind) => (this.chosen[kind] ? { deviceId: { ideal: this.chosen[kind] } } : {});
    const { width, height, fps } = this.#picture;
    return navigator.mediaDevices.getUserMedia({
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
    });
  }

  #adopt(kind, stream) {
    const track = stream.getTracks().find((candidate) => candidate.kind === kind);
    if (this.muted[kind] && kind === 'video') return track.stop();  // turned off while the browser was still asking
    this.#drop(kind);
    this.tracks[kind] = track;
    this.problems[kind] = null;
    track.enabled = !this.muted[kind];
    track.addEventListener('ended', () => {
      if (this.tracks[kind] !== track) return;
      this.#drop(kind);
      this.#fail(kind, 'Ended');
      this.#changed();
    });
    if (kind === 'audio') this.#meter = LevelMeter.on(track);
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

/** The devices there are: {audio: [{id, label}], video: [...]}. Labels are empty until the person has allowed one. */
export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const ofKind = (kind) => all.filter((device) => device.kind === kind && device.deviceId)
    .map((device) => ({ id: device.deviceId, label: device.label, kind }));
  return { audio: ofKind('audioinput'), video: ofKind('videoinput') };
}

// Root mean square of the last few milliseconds of a track.
class LevelMeter {
  #context;
  #analyser;
  #samples;

  static on(track) {
    try {
      return new LevelMeter(track);
    } catch {
      return null;                           // no audio output at all: the call works without a meter
    }
  }

  constructor(track) {
    this.#context = new AudioContext();
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 512;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(this.#analyser);
  }

  level() {
    if (this.#context.state === 'suspended') this.#context.resume().catch(() => {});  // refused until the first click
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    return Math.min(1, Math.sqrt(sum / this.#samples.length) * 4);
  }

  close() {
    this.#context.close().catch(() => {});
  }
}
