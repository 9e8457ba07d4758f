// What of our devices goes to the bridge: tells the connection which tracks there are, and the bridge what is muted, as
// far as they do not know it yet.

const Kinds = ['audio', 'video'];

export class OwnMedia {
  #media;
  #peer;
  #send;
  #withholdsVideo;
  #lost;
  #told = {};                                // what the bridge and the peer know: kind -> {muted, track}
  #screenTrack = null;

  /**
   * `withholdsVideo()`: the camera must not be sent (it cannot be encrypted, and has to be); `send(type, fields)` tells
   * the bridge; `lost()` is called when the connection takes a track no more. `tracks`: what the peer began with.
   */
  constructor({ media, peer, tracks, send, withholdsVideo, lost }) {
    this.#media = media;
    this.#peer = peer;
    this.#send = send;
    this.#withholdsVideo = withholdsVideo;
    this.#lost = lost;
    for (const kind of Kinds) this.#told[kind] = { muted: false, track: tracks[kind] };
  }

  /** Our tracks as the conference may have them. */
  static outgoing(media, withholdsVideo) {
    const { audio, video } = media.tracks;
    return { audio, video: withholdsVideo ? null : video };
  }

  /** `isCrowded`: many are here, and without layers everybody gets the same picture: a smaller one then serves all. */
  sync({ isCrowded }) {
    const tracks = OwnMedia.outgoing(this.#media, this.#withholdsVideo());
    for (const kind of Kinds) {
      const told = this.#told[kind];
      const track = tracks[kind];
      const muted = this.#media.muted[kind] || (!track && Boolean(this.#media.tracks[kind]));
      if (told.track !== track) this.#peer.replaceTrack(kind, track).catch(this.#lost);
      if (told.muted !== muted) this.#send('mute', { kind, muted });
      this.#told[kind] = { track, muted };
    }
    this.#syncScreen();
    this.#limit(isCrowded);
  }

  /** The bridge did not hear what is muted. */
  forgetTold() {
    for (const told of Object.values(this.#told)) told.muted = null;
  }

  #syncScreen() {
    const track = this.#withholdsVideo() ? null : this.#media.screen?.track ?? null;
    if (track === this.#screenTrack) return;
    this.#screenTrack = track;
    this.#peer.replaceTrack('screen', track).catch(this.#lost);
  }

  #limit(isCrowded) {
    const height = this.#media.tracks.video?.getSettings().height ?? 0;
    const scale = isCrowded ? Math.max(1, height / 360) : 1;
    this.#peer.limitVideo({ maxBitrate: isCrowded ? 600_000 : 1_700_000, scale }).catch(() => {});
  }
}
