// One video source of ours on the connection to the bridge, camera or screen: its track, which of its encodings run,
// and its format. Every change goes through setParameters; its caller sees to it that there is one at a time.

import { formatOf } from './codecs.js';
import { shapeEncodings } from './encodings.js';

export class VideoSender {
  #transceiver;
  #restsWithoutTrack;
  #track;
  #state = { isSending: true, wanted: null, maxHeight: -1, caps: null, format: null };

  /** `restsWithoutTrack`: encodings are inactive while there is no track, because Firefox sends black pictures then. */
  constructor(transceiver, { track = null, restsWithoutTrack = false } = {}) {
    this.#transceiver = transceiver;
    this.#restsWithoutTrack = restsWithoutTrack;
    this.#track = track;
  }

  get sender() { return this.#transceiver.sender; }
  get mid() { return this.#transceiver.mid; }

  async replaceTrack(track) {
    this.#track = track;
    await this.sender.replaceTrack(track);
    await this.apply();
  }

  setSending(isSending) {
    this.#state.isSending = isSending;
    return this.apply();
  }

  /** What others need of it: `layers` [{rid, wanted}], `maxHeight` in pixels. */
  setWanted(layers, maxHeight) {
    this.#state.wanted = new Map(layers.map(({ rid, wanted }) => [rid, wanted]));
    this.#state.maxHeight = maxHeight;
    return this.apply();
  }

  /** {maxBitrate, scale} of a picture without layers. */
  limit(caps) {
    this.#state.caps = caps;
    return this.apply();
  }

  /** Brings what is sent in line with all that was said. */
  async apply() {
    const parameters = this.sender.getParameters();
    const rests = this.#restsWithoutTrack && !this.#track;
    const state = { ...this.#state, isSending: this.#state.isSending && !rests };
    const { width = 0, height = 0 } = this.#track?.getSettings() ?? {};
    state.size = { width, height };
    if (shapeEncodings(parameters.encodings, state)) await this.sender.setParameters(parameters);
  }

  /**
   * Sends the first of `formats` ("VP8" ...) that this browser can encode and that was negotiated. {format, reorder}:
   * null where there is none, and the payload type to be put first in the answer by those browsers that cannot change
   * the format by themselves.
   */
  async prefer(formats) {
    const negotiated = this.sender.getParameters().codecs.filter((codec) => codec.mimeType.startsWith('video/'));
    const codecOf = (name) => negotiated.find((candidate) => formatOf(candidate) === name.toUpperCase());
    const format = formats.find(codecOf);
    if (!format) return { format: null };    // what we send shows elsewhere as undecodable
    this.#state.format = format;
    const isChosen = await this.#choose(codecOf(format));
    await this.apply();
    return isChosen ? { format } : { format, reorder: codecOf(format).payloadType };
  }

  // WebRTC Extensions: RTCRtpEncodingParameters.codec changes the format without negotiation. A browser that does not
  // know the member drops it, which shows when it is read back. Returns whether the browser took it.
  async #choose({ mimeType, clockRate, sdpFmtpLine }) {
    const parameters = this.sender.getParameters();
    if (parameters.encodings.length === 0) return false;
    const codec = sdpFmtpLine === undefined ? { mimeType, clockRate } : { mimeType, clockRate, sdpFmtpLine };
    const isSet = ({ encodings }) =>
      encodings.every((encoding) => encoding.codec?.mimeType.toLowerCase() === mimeType.toLowerCase());
    if (isSet(parameters)) return true;
    for (const encoding of parameters.encodings) encoding.codec = codec;
    try {
      await this.sender.setParameters(parameters);
    } catch {
      return false;
    }
    return isSet(this.sender.getParameters());
  }
}
