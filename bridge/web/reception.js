// What arrives of the others, and by which of two paths: the bridge's receive slots, or a direct connection, which the
// person should not notice.

import { callStats } from './call_stats.js';
import { Slots } from './slots.js';

export class Reception {
  slots = new Slots();
  peer = null;                               // the connection to the bridge
  direct = null;                             // null where the bridge or the page does not want it

  /** Somebody's camera: {track, path, paused}; the track is null where none comes. */
  picture(id) {
    if (this.direct?.plays.video && this.direct.partner === id) {
      const track = this.direct.receivers().find(({ kind }) => kind === 'video')?.track;
      if (track) return { track, path: 'direct', paused: false };
    }
    return this.#received(id, 'camera');
  }

  /** The same of a Person's screen; null while they share none. */
  screen({ id, sharesScreen }) {
    return sharesScreen || this.slots.picture(id, 'screen') ? this.#received(id, 'screen') : null;
  }

  /**
   * [{mid, track, volume}] of the audio slots, idle ones too: each is one continuous stream that somebody may start to
   * use. Of two paths from the same person one is audible: the other plays with volume 0.
   */
  sounds() {
    const { direct } = this;
    const isDirect = Boolean(direct?.plays.audio);
    const covered = (participant) => isDirect && (participant === null || participant === direct.partner);
    const bridged = this.slots.audio
      .map(({ mid, participant }) => ({ mid, track: this.peer?.track(mid), volume: covered(participant) ? 0 : 1 }))
      .filter(({ track }) => track);
    const directly = (direct?.receivers() ?? [])
      .filter(({ kind }) => kind === 'audio')
      .map(({ name, track }) => ({ mid: name, track, volume: isDirect ? 1 : 0 }));
    return [...bridged, ...directly];
  }

  /** See call_stats.js. */
  stats(people) {
    return callStats({ peer: this.peer, direct: this.direct, slots: this.slots, people });
  }

  /** [{slot, participant}]: whom each receiver, by the name that frame encryption has for it, is said to carry. */
  carried() {
    const bridged = this.slots.all
      .map(({ mid, participant }) => ({ slot: this.peer?.slotName(mid), participant }))
      .filter(({ slot }) => slot !== undefined);
    const directly = (this.direct?.receivers() ?? [])
      .map(({ name }) => ({ slot: name, participant: this.direct.partner }));
    return [...bridged, ...directly];
  }

  /** [{mid, sound, pictures}]: what has been decoded of somebody's microphone and camera through the bridge. */
  bridgeArrivals(id) {
    const isTheirs = ({ kind, content }) => kind === 'audio' || content === 'camera';
    const mids = this.slots.of(id).filter(isTheirs).map(({ mid }) => mid);
    return Promise.all(mids.map(async (mid) => ({ mid, ...(await this.peer?.arrivals(mid)) })));
  }

  #received(id, content) {
    const slot = this.slots.picture(id, content);
    return { track: (slot && this.peer?.track(slot.mid)) ?? null, path: 'bridge', paused: Boolean(slot?.paused) };
  }
}
