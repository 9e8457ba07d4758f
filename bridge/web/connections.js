// The media of a presence: its connection to the bridge, perhaps a direct one to the only other participant, what of
// our devices goes over them, and what arrives. It knows nothing of signalling but what it wants said.

import { formatsToSend } from './codecs.js';
import { Direct } from './direct.js';
import { OwnMedia } from './own_media.js';
import { Peer } from './peer.js';
import { objects } from './received.js';
import { Reception } from './reception.js';
import { canSeal } from './sealing.js';

const CrowdedFrom = 4;                       // others

/** Fires `change` when another path is used; `connected`, `silent` and `lost` as Peer does. */
export class Connections extends EventTarget {
  reception = new Reception();
  #media;
  #sealing;
  #send;
  #formats;
  #canSealVideo;
  #isSealed;
  #peer = null;
  #own = null;                               // OwnMedia, of the peer
  #direct = null;                            // null where the bridge or the page does not want it
  #people = new Map();                       // id -> Person
  #others = '';                              // their ids, as the direct connection knows them
  #wantedFormats = [];                       // what the conference wants of us
  #toldDirect = false;

  /**
   * `send(type, fields)` tells the bridge; `formats` limits video formats, null for all; `canSealVideo`: one of ours
   * can be encrypted; `isSealed()`: the conference is encrypted end to end.
   */
  constructor({ media, sealing, send, formats, canSealVideo, isSealed }) {
    super();
    this.#media = media;
    this.#sealing = sealing;
    this.#send = send;
    this.#formats = formats;
    this.#canSealVideo = canSealVideo;
    this.#isSealed = isSealed;
  }

  /** Two people may connect directly from now on. */
  allowDirect({ self, iceServers }) {
    const { encryption, options } = this.#sealing;
    const direct = this.#direct = this.reception.direct = new Direct({
      self,
      send: (id, message) => this.#sealing.sendPrivate(id, { direct: message }),
      bridgeArrivals: (id) => this.reception.bridgeArrivals(id),
      encryption,
      options,
      iceServers,
      formats: this.#formats,
    });
    direct.addEventListener('change', () => this.#followDirect());
  }

  /** Offers to the bridge: `slots`, `isLayered`, `hasScreen` as Peer wants them. */
  async offer(shape) {
    const tracks = this.#outgoing();
    const { encryption, options } = this.#sealing;
    const peer = this.#peer = this.reception.peer =
      new Peer({ ...shape, tracks, formats: this.#formats, encryption, options });
    const lost = () => this.dispatchEvent(new Event('lost'));
    for (const type of ['connected', 'silent']) peer.addEventListener(type, () => this.dispatchEvent(new Event(type)));
    peer.addEventListener('lost', lost);
    const withholdsVideo = () => this.#withholdsVideo;
    this.#own = new OwnMedia({ media: this.#media, peer, tracks, send: this.#send, withholdsVideo, lost });
    this.sync();
    const sdp = await peer.offer();
    if (this.#peer !== peer) return;
    this.#tellSlots();
    const { screenMid } = peer;
    this.#send('offer', { sdp, ...(screenMid === null ? {} : { screens: [screenMid] }) });
  }

  async accept(sdp) {
    await this.#peer?.accept(sdp);
    this.sync();
    await this.#applyFormats();
  }

  /** Media is connected to the bridge. */
  get isConnected() {
    return Boolean(this.#peer?.isConnected);
  }

  /** New ICE credentials, because the network may be another one; the bridge answers as it answered the offer. */
  async restart() {
    const sdp = await this.#peer?.restart();
    if (sdp) this.#send('restart', { sdp });
  }

  get direct() { return this.#direct; }

  /** A `slots` message. */
  assign(message) {
    this.reception.slots.assign(message);
    this.#tellSlots();
  }

  /** Everyone else in the call: id -> Person, which stays the caller's. */
  setPeople(people) {
    this.#people = people;
    const ids = [...people.keys()];
    if (ids.join() !== this.#others) this.#direct?.setOthers(ids);     // which may put off an attempt
    this.#others = ids.join();
    this.sync();
  }

  /** What the conference wants of us, most wanted first. */
  setFormats(formats) {
    this.#wantedFormats = formats;
    this.#applyFormats();
  }

  /** The conference is encrypted end to end from now on, or no longer. */
  followSealing() {
    this.#applyFormats();
    this.sync();
  }

  /** A `send` message: which of our pictures anybody needs. */
  setWanted({ sources }) {
    const wanted = objects(sources).map(({ mid, layers, max_height: maxHeight }) => ({
      mid,
      layers: objects(layers).map(({ rid, wanted: isWanted }) => ({ rid: rid ?? null, wanted: isWanted !== false })),
      maxHeight: Number.isInteger(maxHeight) ? maxHeight : -1,
    }));
    this.#peer?.setWanted(wanted).catch(() => {});
  }

  /** Brings what is sent in line with our devices and with who is here; tells the bridge what it does not know yet. */
  sync() {
    const isSharing = Boolean(this.#media.screen.track);
    this.#direct?.setScreenShared(isSharing || [...this.#people.values()].some(({ sharesScreen }) => sharesScreen));
    if (!this.#peer) return;
    this.#own.sync({ isCrowded: this.#people.size >= CrowdedFrom });
    this.#direct?.setMedia(this.#outgoing(), this.#isSealed());
  }

  /** The bridge did not hear what is muted, or whether media flows directly. */
  tellAgain() {
    if (this.#toldDirect) this.#send('direct', { active: true, protection: this.#direct.protection ?? {} });
    this.#own?.forgetTold();
    this.sync();
  }

  /** What the other side of a direct connection said privately. */
  handlePrivate(from, message) {
    const refusal = Direct.refusal(message);
    if (this.#direct) this.#direct.handle(from, message);
    else if (refusal) this.#sealing.sendPrivate(from, { direct: refusal });
  }

  close() {
    this.#direct?.close();
    this.#peer?.close();
    this.#direct = this.#peer = this.#own = this.reception.direct = this.reception.peer = null;
  }

  // What flows directly need not go to the bridge too; who else is in the call and the operator may know.
  #followDirect() {
    const direct = this.#direct;
    if (!direct || !this.#peer) return;
    this.#peer.setSending(!direct.carriesOurs).catch(() => this.dispatchEvent(new Event('lost')));
    const { protection } = direct;
    if (direct.complete && protection && !this.#toldDirect) {
      this.#toldDirect = true;
      this.#send('direct', { active: true, protection });
    } else if (!direct.complete && this.#toldDirect) {
      this.#toldDirect = false;
      this.#send('direct', { active: false, protection: {} });
    }
    this.#tellSlots();
    this.dispatchEvent(new Event('change'));
  }

  // Frame encryption has to know whom each receiver is said to carry, on both paths.
  #tellSlots() {
    this.#sealing.setSlots(this.reception.carried());
  }

  #outgoing() {
    return OwnMedia.outgoing(this.#media, this.#withholdsVideo);
  }

  // A picture that cannot be encrypted does not leave unencrypted.
  get #withholdsVideo() {
    return this.#isSealed() && canSeal() && !this.#canSealVideo;
  }

  async #applyFormats() {
    const sealed = this.#isSealed() && canSeal();
    await this.#peer?.preferFormats(formatsToSend(this.#wantedFormats, sealed)).catch(() => {});
  }
}
