// Voices that are tones, and which of them a page plays.

/** What Firefox's fake microphone hums. Headless, without a sound card, its pages can make no other tone. */
export const FirefoxTone = 1000;

/** A script that puts a tone in place of Chromium's microphone. It swells and fades as syllables do. */
export function toneVoice(hertz) {
  return `{
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const stream = await real(wanted);
      if (!wanted.audio || navigator.userAgent.includes('Firefox')) return stream;
      const context = window.toneContext = new AudioContext();
      const swell = new GainNode(context, { gain: 0.25 });
      const output = context.createMediaStreamDestination();
      const syllables = new OscillatorNode(context, { frequency: 4 });
      syllables.connect(new GainNode(context, { gain: 0.2 })).connect(swell.gain);
      const tone = new OscillatorNode(context, { frequency: ${hertz} });
      tone.connect(swell).connect(output);
      window.toneParts = { tone, syllables, output };
      syllables.start();
      tone.start();
      for (const track of stream.getAudioTracks()) {
        track.stop();
        stream.removeTrack(track);
      }
      for (const track of output.stream.getAudioTracks()) stream.addTrack(track);
      return stream;
    };
  }`;
}

/**
 * How loud each of the tones {name: hertz} is in all that the page plays, in dB: the loudest of some looks in two
 * seconds.
 */
export function heardTones(person, tones) {
  return person.page.evaluate(async (wanted) => {
    const context = window.ear ??= new AudioContext();
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
    const sources = [...document.querySelectorAll('#call [data-part=sounds] audio')]
      .filter(({ srcObject }) => srcObject)
      .map(({ srcObject }) => context.createMediaStreamSource(srcObject));
    for (const source of sources) source.connect(analyser);
    const heard = Object.fromEntries(Object.keys(wanted).map((name) => [name, -Infinity]));
    const bins = new Float32Array(analyser.frequencyBinCount);
    for (let look = 0; look < 16; ++look) {
      await new Promise((resolve) => setTimeout(resolve, 125));
      if (look < 4) continue;                // the window is not full of sound yet
      analyser.getFloatFrequencyData(bins);
      for (const [name, hertz] of Object.entries(wanted)) {
        const at = Math.round(hertz * analyser.fftSize / context.sampleRate);
        heard[name] = Math.max(heard[name], ...bins.slice(at - 2, at + 3));
      }
    }
    for (const source of sources) source.disconnect();
    return heard;
  }, tones);
}
