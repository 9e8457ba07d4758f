// When two participants talk without the bridge. While exactly two are in the call the one with the smaller id offers;
// media keeps flowing through the bridge until the other says that it really hears and sees us directly, and flows
// through it again, before the direct connection goes, as soon as a third comes, or one of the two shares a screen,
// which only the bridge carries. At any moment one of the two paths is audible. What it sends to the other side
// travels in messages that the bridge cannot read.

import { DirectLink } from './direct_link.js';
import { DirectWatch } from './direct_watch.js';

const ScreenShared = 'screen';               // why a direct connection is not wanted now
const TickMilliseconds = 100;
const FirstMilliseconds = 300;               // from being two, at the start of a call
const AgainMilliseconds = 5_000;             // from being two again
const AttemptMilliseconds = 10_000;          // for both directions to come about
const HandBackMilliseconds = 10_000;         // for the bridge to take over
const RetryMilliseconds = [15_000, 60_000, 300_000, 600_000];

/**
 * Fires `change` when `plays`, `carriesOurs` or `complete` change.
 *
 * `send(id, object)` and `handle(from, data)` are the private channel; `bridgeArrivals(id)` tells what has been decoded
 * in the bridge's slots that carry somebody: [{mid, sound, pictures}].
 */
export class Direct extends EventTarget {
  #self;
  #send;
  #bridgeArrivals;
  #linkOptions;                              // {encryption, options, iceServers, formats}
  #tracks = { audio: null, video: null };
  #sealed = false;                           // the call is encrypted end to end
  #others = [];
  #isScreenShared = false;                   // by one of the two
  #reachable = new Set();                    // whom the private channel reaches
  #link = null;
  #partner = null;                           // of the link
  #session = null;
  #state = 'idle';                           // idle | trying | receiving | handing-back
  #plays = { audio: false, video: false };
  #received = false;                         // the other side says that it receives us directly
  #partnerDone = false;                      // it needs the direct connection no longer
  #watch = new DirectWatch();
  #protection = null;
  #since = 0;                                // of the state
  #ticker = null;
  #ticking = false;
  #timer = null;
  #wasCrowded = false;
  #failures = 0;
  #fault = null;                             // of the last attempt
  #refused = new Set();

  constructor({ self, send, bridgeArrivals, encryption = null, options = {}, iceServers = [], formats = null }) {
    super();
    this.#self = self;
    this.#send = send;
    this.#bridgeArrivals = bridgeArrivals;
    this.#linkOptions = { encryption, options, iceServers, formats };
  }

  /** Which kinds are to be taken from the direct connection instead of the bridge's slots. */
  get plays() {
    return this.#plays;
  }

  /** The other side receives us directly: nothing need go to the bridge. */
  get carriesOurs() {
    return this.#received && this.#state === 'receiving';
  }

  /** Both directions are direct. */
  get complete() {
    return this.carriesOurs;
  }

  /** {state, failures, fault}: attempts that failed one after the other, and why the last one did. */
  get progress() {
    return { state: this.#state, failures: this.#failures, fault: this.#fault };
  }

  get partner() {
    return this.#partner;
  }

  /** What protects the connection; null while it is not complete. */
  get protection() {
    return this.complete ? this.#protection : null;
  }

  /** The other side speaks; the bridge, which tells it otherwise, does not hear them. */
  get partnerSpeaks() {
    return this.#plays.audio && this.#watch.speaks;
  }

  /** [{kind, name, track}] of what the link may deliver; empty without one. */
  receivers() {
    if (!this.#link) return [];
    return ['audio', 'video']
      .map((kind) => ({ kind, name: this.#link.name(kind), track: this.#link.track(kind) }))
      .filter(({ track }) => track);
  }

  stats() {
    return this.#link ? this.#link.stats() : Promise.resolve({ sending: [], slots: [] });
  }

  /** Everyone else in the call. */
  setOthers(ids) {
    this.#others = [...ids];
    const isCrowded = this.#others.length > 1;
    if (isCrowded) this.#wasCrowded = true;
    if (this.#link && !this.#others.includes(this.#partner)) this.#drop();
    else if (this.#link && isCrowded) this.#handBack();
    this.#schedule();
  }

  /** A screen is shared, by us or the other: until it is over the call goes through the bridge. */
  setScreenShared(isShared) {
    if (this.#isScreenShared === isShared) return;
    this.#isScreenShared = isShared;
    if (isShared) this.#wasCrowded = true;
    if (this.#link && isShared) {
      this.#tell({ do: 'bridge' });
      this.#handBack();
    }
    this.#schedule();
  }

  /** The private channel reaches somebody from now on. */
  setReachable(id) {
    this.#reachable.add(id);
    this.#schedule();
  }

  /** Our own tracks, null where nothing is to be sent; and whether frames are encrypted. */
  setMedia(tracks, sealed) {
    this.#sealed = sealed;
    const before = this.#sends();
    this.#tracks = { ...tracks };
    this.#applyTracks();
    const now = this.#sends();
    if (this.#link && (before.audio !== now.audio || before.video !== now.video)) this.#tell({ do: 'sends', ...now });
  }

  /** The answer of a page that does not connect directly to a message of one that would; null for other messages. */
  static refusal(message) {
    return message?.do === 'offer' ? { session: message.session, do: 'refuse' } : null;
  }

  /** What the other side said: {session, do, ...}. Whatever does not fit is ignored. */
  handle(from, message) {
    if (typeof message?.session !== 'string') return;
    if (message.do === 'offer') this.#offered(from, message);
    else if (this.#link && from === this.#partner && message.session === this.#session) this.#told(message);
  }

  close() {
    clearTimeout(this.#timer);
    this.#others = [];
    this.#drop();
  }

  #told(message) {
    switch (message.do) {
      case 'answer':
        this.#watch.setTheirs(message);
        this.#link.accept(String(message.sdp))
          .then(() => this.#applyTracks())
          .catch((error) => this.#fail(String(error)));
        break;
      case 'candidates':
        if (Array.isArray(message.list)) this.#link.addCandidates(message.list);
        break;
      case 'sends':
        this.#watch.setTheirs(message);
        break;
      case 'bridge':
        this.#handBack();
        break;
      case 'receiving':
        this.#received = true;
        this.#completeIfSo();
        this.#changed();
        break;
      case 'done':
        this.#partnerDone = true;
        break;
      case 'refuse':
        this.#refused.add(this.#partner);
        this.#drop();
        break;
      case 'end':
        this.#fault = `the other side: ${String(message.why)}`;
        this.#drop();
        if (message.why === ScreenShared) this.#wasCrowded = true;
        else this.#failures++;
        this.#schedule();
        break;
      default:
    }
  }

  // The one with the smaller id offers, when the two have been alone for a while.
  #schedule() {
    clearTimeout(this.#timer);
    const [other, ...more] = this.#others;
    if (this.#link || other === undefined || more.length > 0 || this.#self > other || this.#isScreenShared) return;
    if (!this.#reachable.has(other) || this.#refused.has(other)) return;
    const failed = RetryMilliseconds[Math.min(this.#failures, RetryMilliseconds.length) - 1];
    const wait = failed ?? (this.#wasCrowded ? AgainMilliseconds : FirstMilliseconds);
    this.#timer = setTimeout(() => this.#attempt(other), wait);
  }

  async #attempt(other) {
    const link = this.#open(other, crypto.randomUUID());
    try {
      const sdp = await link.offer();
      if (this.#link === link) this.#tell({ do: 'offer', sdp, ...this.#sends() });
    } catch (error) {
      if (this.#link === link) this.#fail(String(error));
    }
  }

  async #offered(from, { session, sdp, ...rest }) {
    const isForUs = this.#others.length === 1 && this.#others[0] === from && from < this.#self;
    if (!isForUs || this.#isScreenShared) {
      return this.#send(from, { session, do: 'end', why: isForUs ? ScreenShared : 'not two' });
    }
    if (this.#link) this.#drop();            // the other side has begun anew
    const link = this.#open(from, session);
    this.#watch.setTheirs(rest);
    try {
      const answer = await link.answer(String(sdp));
      if (this.#link !== link) return;
      this.#tell({ do: 'answer', sdp: answer, ...this.#sends() });
      this.#applyTracks();
    } catch (error) {
      if (this.#link === link) this.#fail(String(error));
    }
  }

  #open(partner, session) {
    clearTimeout(this.#timer);
    const link = this.#link = new DirectLink({ tracks: this.#outgoing(), ...this.#linkOptions });
    this.#partner = partner;
    this.#session = session;
    this.#received = this.#partnerDone = false;
    this.#watch = new DirectWatch();
    this.#enter('trying');
    link.addEventListener('candidates', ({ detail }) => this.#tell({ do: 'candidates', list: detail }));
    link.addEventListener('lost', () => this.#link === link && this.#fail('lost'));
    this.#ticker = setInterval(() => this.#tick(), TickMilliseconds);
    this.#changed();
    return link;
  }

  async #tick() {
    if (this.#ticking || !this.#link) return;
    this.#ticking = true;
    const link = this.#link;
    try {
      const [direct, bridged] = await Promise.all([
        link.arrivals(),
        this.#state === 'handing-back' ? this.#bridgeArrivals(this.#partner) : [],
      ]);
      if (this.#link !== link) return;
      if (this.#watch.listen(link.level())) this.#changed();
      this.#watch.count(bridged);
      this.#judge(direct);
    } catch (error) {
      if (this.#link === link) this.#fail(String(error));
    } finally {
      this.#ticking = false;
    }
  }

  #judge(direct) {
    const waited = performance.now() - this.#since;
    if (this.#state === 'handing-back') return this.#judgeHandBack(waited);
    if (this.#state === 'trying' && this.#watch.hasArrived(direct)) this.#receive(direct);
    if (this.#state === 'receiving' && this.#watch.isSilent(direct)) return this.#fail('silence');
    const began = this.#state === 'trying' || !this.#received;
    if (began && waited > AttemptMilliseconds) this.#fail('not in time');
  }

  #receive(direct) {
    this.#enter('receiving');
    this.#plays = { audio: true, video: true };
    this.#watch.startListening(direct);
    this.#tell({ do: 'receiving' });
    this.#completeIfSo();
    this.#changed();
  }

  #completeIfSo() {
    if (!this.complete) return;
    this.#failures = 0;
    const link = this.#link;
    link.protection().then((protection) => {
      if (this.#link !== link) return;
      this.#protection = protection;
      this.#changed();
    }).catch(() => {});
  }

  // From here on we send both ways, and listen to the direct one until the bridge's is really there.
  #handBack() {
    if (this.#state === 'handing-back') return;
    if (this.#state === 'trying') return this.#fail('crowded', { counts: false });
    this.#enter('handing-back');
    this.#watch.startHandBack();
    this.#changed();
  }

  #judgeHandBack(waited) {
    const { audio, video } = this.#watch.handedBack;
    const inTime = waited < HandBackMilliseconds;
    const before = { ...this.#plays };
    if (audio || !inTime) this.#plays.audio = false;
    if (video || !inTime) this.#plays.video = false;
    if (before.audio !== this.#plays.audio || before.video !== this.#plays.video) this.#changed();
    if (this.#plays.audio || this.#plays.video) return;
    if (before.audio || before.video) this.#tell({ do: 'done' });
    if (this.#partnerDone || !inTime) {
      this.#drop();
      this.#schedule();
    }
  }

  #fail(why, { counts = true } = {}) {
    this.#fault = why;
    this.#tell({ do: 'end', why });
    if (counts) this.#failures++;
    this.#drop();
    this.#schedule();
  }

  #drop() {
    if (!this.#link) return;
    clearInterval(this.#ticker);
    this.#link.close();
    this.#link = this.#partner = this.#session = this.#protection = null;
    this.#received = false;
    this.#plays = { audio: false, video: false };
    this.#enter('idle');
    this.#changed();
  }

  #enter(state) {
    this.#state = state;
    this.#since = performance.now();
  }

  #tell(message) {
    if (this.#partner) this.#send(this.#partner, { session: this.#session, ...message });
  }

  #sends() {
    const { audio, video } = this.#outgoing();
    return { audio: Boolean(audio), video: Boolean(video) };
  }

  #outgoing() {
    const withheld = this.#sealed && this.#link && !this.#link.canEncryptVideo();
    return withheld ? { ...this.#tracks, video: null } : this.#tracks;
  }

  #applyTracks() {
    const tracks = this.#outgoing();
    for (const kind of ['audio', 'video']) this.#link?.replaceTrack(kind, tracks[kind]).catch(() => {});
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
