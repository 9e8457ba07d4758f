// Whether sound was ever missing: looked at inside each page ten times a second, so that a busy test runner does not
// count. What counts as heard is decoded sound of somebody on the path that the page plays. A look that comes late on a
// busy machine counts as two at most: nobody knows what was heard meanwhile, and a real gap has many looks.

/** A voice without pauses, in place of the fake microphone's beeps: silence would be withheld by the bridge. */
export const SteadyVoice = `{
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await real(wanted);
    if (!wanted.audio || navigator.userAgent.includes('Firefox')) return stream;     // whose microphone hums
    const context = new AudioContext();
    const tone = new OscillatorNode(context, { frequency: 220, type: 'triangle' });
    const output = context.createMediaStreamDestination();
    tone.connect(new GainNode(context, { gain: 0.4 })).connect(output);
    tone.start();
    for (const track of stream.getAudioTracks()) {
      track.stop();
      stream.removeTrack(track);
    }
    for (const track of output.stream.getAudioTracks()) stream.addTrack(track);
    return stream;
  };
}`;

const EveryMilliseconds = 100;

/** Starts to watch `pairs` of [listener, name of who is heard]; soundGaps() gives the result. */
export async function watchSound(pairs) {
  for (const [to, from] of pairs) {
    await to.page.evaluate(({ name, every }) => {
      const watch = { longest: 0, doubled: 0, looks: 0 };
      const seen = new Map();                // mid -> decoded samples
      let lookedAt = performance.now();
      let silent = 0;
      let busy = false;
      (window.soundWatches ??= new Map()).set(name, { watch, timer: setInterval(async () => {
        if (busy) return;
        busy = true;
        const stats = await window.viaduct.stats().catch(() => null);
        busy = false;
        const now = performance.now();
        const voices = (stats?.slots ?? []).filter((slot) => slot.kind === 'audio' && slot.name === name);
        let playing = 0;
        for (const { mid, used, totalSamplesReceived, concealedSamples } of voices) {
          const decoded = totalSamplesReceived - concealedSamples;
          const isNew = decoded > (seen.get(mid) ?? decoded);
          seen.set(mid, decoded);
          if (isNew && used) ++playing;
        }
        watch.looks++;
        if (playing > 1) watch.doubled++;
        silent = playing > 0 ? 0 : silent + Math.min(now - lookedAt, 2 * every);
        lookedAt = now;
        watch.longest = Math.max(watch.longest, silent);
      }, every) });
    }, { name: from, every: EveryMilliseconds });
  }
  return pairs;
}

/** Ends the watch: [{from, to, longest (ms), doubled, looks}]. */
export function soundGaps(pairs) {
  return Promise.all(pairs.map(async ([to, from]) => ({
    from,
    to: to.name,
    ...(await to.page.evaluate((name) => {
      const { watch, timer } = window.soundWatches.get(name);
      clearInterval(timer);
      return watch;
    }, from)),
  })));
}
