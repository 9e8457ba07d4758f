// Somebody whose media passes a bottleneck, and what arrives there: looked at inside the page four times a second, so
// that a busy test runner does not count.

import { Bottleneck } from '../../support/bottleneck/bottleneck.mjs';
import { Participant } from './participant.mjs';
import { sleep, until } from './until.mjs';

const EveryMilliseconds = 250;
let opened = 0;

/** {person, network} of somebody in a conference whose page finds the bridge at the bottleneck alone. */
export async function behindBottleneck(browser, bridge, options) {
  const address = `127.0.77.${++opened}`;
  const network = await Bottleneck.open({ address, ports: bridge.mediaPorts, seed: opened });
  const script = lead(address) + (options.script ?? '');
  return { person: new Participant(browser, bridge, { ...options, script }), network };
}

// The bridge's candidates are replaced as the page takes its answer: the bridge knows nothing of a bottleneck.
function lead(address) {
  return `{
    const real = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
      window.bridgeConnection = this;
      const led = sdp.replace(/^(a=candidate:\\S+ \\d+ udp \\d+ )127\\.0\\.0\\.1 /gim, '$1${address} ');
      return real.call(this, { type, sdp: led });
    };
  }`;
}

/** What `viewer` receives of somebody by the name `of`. */
export class Reception {
  #viewer;
  #mids;

  constructor(viewer, mids) {
    this.#viewer = viewer;
    this.#mids = mids;
  }

  /** Resolves when both sound and picture have slots; they stay theirs for as long as nobody else comes. */
  static async of(viewer, name) {
    const mids = await until(`${viewer.name} has slots for ${name}`, async () => {
      const slots = ((await viewer.stats())?.slots ?? []).filter((slot) => slot.name === name);
      const midOf = (kind) => slots.find((slot) => slot.kind === kind)?.mid;
      return midOf('audio') && midOf('video') && { audio: midOf('audio'), video: midOf('video') };
    });
    const reception = new Reception(viewer, mids);
    await reception.#start();
    return reception;
  }

  /** What was seen since `from` (ms of the viewer's clock), the newest last. */
  samples(from = 0) {
    return this.#viewer.page.evaluate((since) => window.receptionSamples.filter(({ at }) => at >= since), from);
  }
  async now() {
    return this.#viewer.page.evaluate(() => performance.now());
  }
  async latest() {
    return (await this.samples()).at(-1);
  }

  /** Runs `body` and sums up what was seen meanwhile. */
  async during(body) {
    const from = await this.now();
    await body();
    return summaryOf(await this.samples(from));
  }

  untilHeight(what, condition, seconds) {
    return until(what, async () => condition((await this.latest()).height), seconds);
  }

  #start() {
    return this.#viewer.page.evaluate(({ mids, every }) => {
      window.receptionSamples = [];
      const receiver = (mid) => window.bridgeConnection.getTransceivers().find((one) => one.mid === mid).receiver;
      const inbound = async (mid) =>
        [...(await receiver(mid).getStats()).values()].find(({ type }) => type === 'inbound-rtp') ?? {};
      let isBusy = false;
      clearInterval(window.receptionTimer);
      window.receptionTimer = setInterval(async () => {
        if (isBusy) return;
        isBusy = true;
        const [video, audio] = await Promise.all([inbound(mids.video), inbound(mids.audio)]);
        isBusy = false;
        window.receptionSamples.push({
          at: performance.now(),
          height: video.frameHeight ?? 0,
          frames: video.framesDecoded ?? 0,
          keyFrames: video.keyFramesDecoded ?? 0,
          freezes: video.freezeCount ?? 0,
          frozen: video.totalFreezesDuration ?? 0,
          bytes: video.bytesReceived ?? 0,
          plis: video.pliCount ?? 0,
          samples: audio.totalSamplesReceived ?? 0,
          concealed: audio.concealedSamples ?? 0,
        });
      }, every);
    }, { mids: this.#mids, every: EveryMilliseconds });
  }
}

/** {seconds, framesPerSecond, longestGap (s without a new frame), freezes, frozen (s), concealed (ratio), heights}. */
export function summaryOf(samples) {
  const [first, last] = [samples[0], samples.at(-1)];
  const seconds = (last.at - first.at) / 1000;
  let longestGap = 0;
  let newest = first;
  for (const sample of samples) {
    longestGap = Math.max(longestGap, (sample.at - newest.at) / 1000);
    if (sample.frames > newest.frames) newest = sample;
  }
  const grown = (key) => last[key] - first[key];
  return {
    seconds,
    framesPerSecond: grown('frames') / seconds,
    longestGap,
    freezes: grown('freezes'),
    frozen: grown('frozen'),
    concealed: grown('samples') > 0 ? grown('concealed') / grown('samples') : 1,
    kilobits: grown('bytes') * 8 / 1000 / seconds,
    keyFrames: grown('keyFrames'),
    heights: [...new Set(samples.map(({ height }) => height))],
  };
}
