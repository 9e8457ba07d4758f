// How loud a track is: the root mean square of its last few milliseconds.

export class LevelMeter {
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
