// What comes of the other side of a direct connection, and, while the bridge takes over, through the bridge. It counts
// and tells; `Direct` decides.

const SilentTicks = 10;                      // looks without a packet of sound: the path is broken
const EnoughSamples = 4_800;                 // 0.1 s of decoded sound
const EnoughToSwitch = 1_920;                // two packets of it
const EnoughPictures = 2;
const SpeakingLevel = 0.03;                  // 0 to 1
const SpeakingHoldMilliseconds = 600;

export class DirectWatch {
  #theirs = { audio: false, video: false };  // what the other side sends
  #bridged = new Map();                      // mid -> what had been decoded at the last look, while handing back
  #heard = 0;                                // through the bridge since then
  #seen = 0;
  #spokeAt = -Infinity;
  #spoke = false;
  #lastPackets = 0;
  #silentTicks = 0;

  get speaks() { return this.#spoke; }

  /** What the other side says that it sends. */
  setTheirs({ audio, video }) {
    this.#theirs = { audio: audio === true, video: video === true };
  }

  /** `direct`: {sound, pictures, packets} since the link began. All that they send is really here. */
  hasArrived({ sound, pictures }) {
    const { audio, video } = this.#theirs;
    if (!audio && !video) return false;      // nothing to hand over
    return (!audio || sound >= EnoughSamples) && (!video || pictures >= EnoughPictures);
  }

  startListening({ packets }) {
    this.#lastPackets = packets;
    this.#silentTicks = 0;
  }

  // Consent of ICE takes seconds to notice that a path is gone; sound comes fifty times a second, also a muted one.
  // Counted in looks, not in time: when the whole machine stands still, the path is not to blame.
  isSilent({ packets }) {
    this.#silentTicks = packets !== this.#lastPackets || !this.#theirs.audio ? 0 : this.#silentTicks + 1;
    this.#lastPackets = packets;
    return this.#silentTicks >= SilentTicks;
  }

  /** How loud they are, 0 to 1. Whether `speaks` has changed. */
  listen(level) {
    const now = performance.now();
    if (level > SpeakingLevel) this.#spokeAt = now;
    const before = this.#spoke;
    this.#spoke = now - this.#spokeAt < SpeakingHoldMilliseconds;
    return this.#spoke !== before;
  }

  startHandBack() {
    this.#bridged.clear();
    this.#heard = this.#seen = 0;
  }

  // A slot's count goes on from whoever it carried before: only what is added from the first look on is theirs.
  count(bridged) {
    for (const { mid, sound, pictures } of bridged) {
      const before = this.#bridged.get(mid) ?? { sound, pictures };
      this.#heard += Math.max(0, sound - before.sound);
      this.#seen += Math.max(0, pictures - before.pictures);
      this.#bridged.set(mid, { sound, pictures });
    }
  }

  /** Which kinds the bridge brings now, or need not bring. */
  get handedBack() {
    const { audio, video } = this.#theirs;
    return { audio: this.#heard >= EnoughToSwitch || !audio, video: this.#seen > 0 || !video };
  }
}
