// From one join of a conference to its end: the signalling socket, the connection to the bridge, the encryption of this
// presence, and what connects two people directly. It follows what the bridge says of the others, and passes between
// its parts what one knows and another needs. A presence that has ended is never used again: the next join is another.

import { Chat } from './chat.js';
import { codecsToOffer, formatOf, formatsToSend, isEncryptable } from './codecs.js';
import { Direct } from './direct.js';
import { Text } from './messages.js';
import { numberOrNull, objects, strings } from './received.js';
import { OwnMedia } from './own_media.js';
import { Peer } from './peer.js';
import { Person } from './person.js';
import { Reception } from './reception.js';
import { ScreenCapture } from './screen_capture.js';
import { canSeal, Sealing } from './sealing.js';
import { Signalling } from './signalling.js';
import { WishSender } from './wishes.js';

const BusyMilliseconds = 1_000;              // before saying again what a busy bridge refused
const CrowdedFrom = 4;                       // others

/**
 * Fires `change` (anything that `view()` tells), `notice` (detail: a sentence worth a few seconds), `chat` (detail: see
 * Chat), `connected` once, and at the end `lost` or `refused` (detail: {code, message}).
 */
export class Presence extends EventTarget {
  #options;                                  // {url, conference, name, token, formats, requireE2ee, direct, mixed}
  #media;
  #signalling;
  #peer = null;
  #sealing = null;
  #own = null;                               // OwnMedia, of the peer
  #chat = null;
  #wishes = new WishSender((wishes) => this.#signalling.send('receive', wishes));
  #features = [];                            // of the bridge
  #direct = null;                            // null where the bridge or the page does not want it
  #over = false;
  #self = null;                              // our participant id
  #people;                                   // id -> Person, in order of arrival
  #reception = new Reception();
  #formats = [];                             // what the conference wants of us
  #canSealVideo;                             // there is a format of ours that can be encrypted
  #wantsE2ee;
  #required = false;
  #mixed = false;                            // what we hear is one mix, and no slot says whose
  #heldBack = { audio: null, video: null };  // why the bridge does not forward it
  #toldDirect = false;
  #report = null;                            // what the bridge answered to `privacy`
  #speaker = null;
  #recent = [];                              // who spoke lately, the last one first
  #network = { available: null, wanted: null };    // bits per second that the bridge can and would send to us

  /** `wantsE2ee`: whatever the bridge says. `people`: whom to show until the bridge has said who is there. */
  constructor(options, media, { wantsE2ee, people = new Map() }) {
    super();
    this.#options = options;
    this.#media = media;
    this.#wantsE2ee = wantsE2ee;
    this.#people = new Map(people);
    this.#canSealVideo = codecsToOffer(options.formats).some((codec) => isEncryptable(formatOf(codec)));
    this.#signalling = new Signalling(options.url);
    this.#signalling.addEventListener('message', ({ detail }) => this.#handle(detail));
    this.#signalling.addEventListener('close', () => this.#lose());
  }

  async join() {
    try {
      await this.#signalling.opened();
    } catch {
      return;                                // its `close` event tells of the loss
    }
    const { conference, name, token, requireE2ee, mixed } = this.#options;
    this.#signalling.send('join', {
      conference,
      name,
      ...(token ? { token } : {}),
      ...(requireE2ee ? { require_e2ee: true } : {}),
      ...(mixed ? { mixed: true } : {}),
      e2ee: canSeal() && this.#canSealVideo,
    });
  }

  leave() {
    this.#signalling.send('leave');
  }

  close() {
    if (this.#over) return;
    this.#over = true;
    this.#signalling.close();
    this.#wishes.close();
    this.#chat?.close();
    this.#direct?.close();
    this.#peer?.close();
    this.#sealing?.close();
    this.#reception.direct = this.#reception.peer = null;
    this.#direct = this.#peer = this.#own = this.#chat = this.#sealing = this.#self = null;
  }

  get people() {
    return this.#people;
  }

  /** What the conference has decided, as far as we have heard. */
  get wantsE2ee() {
    return this.#wantsE2ee;
  }

  setE2ee(wanted) {
    if (!wanted && this.#required) return this.#notice(Text.e2eeRequired);
    if (wanted && !canSeal()) this.#notice(Text.e2eeIncapable);
    this.#signalling.send('e2ee', { wanted });
  }

  askPrivacy() {
    this.#signalling.send('privacy');
  }

  /** What is to be received, as wishes.js makes it; told to a bridge that wants to know. */
  setWishes(wishes) {
    this.#wishes.set(wishes);
  }

  /** See Chat.say(). */
  say(text) {
    return this.#chat?.say(text) ?? Promise.resolve('not-joined');
  }

  /** See Call. */
  view() {
    const sealing = this.#sealing;
    const direct = this.#direct;
    return {
      conference: this.#options.conference,
      host: new URL(this.#options.url).host,
      self: {
        id: this.#self,
        name: this.#options.name,
        speaking: this.#self !== null && this.#self === this.#speaker,
        capable: canSeal(),
        canSealVideo: this.#canSealVideo,
        sealed: Boolean(sealing?.declared),
        failed: Boolean(sealing?.failed),
        mixed: this.#mixed,
        heldBack: { ...this.#heldBack },
        canShareScreen: this.#canShareScreen,
      },
      people: [...this.#people.values()].map((person) => ({
        ...person,
        ...this.#reception.picture(person.id),
        screen: this.#reception.screen(person),
        speaking: person.id === this.#speaker || (person.id === direct?.partner && direct.partnerSpeaks),
        undecodable: this.#reception.slots.undecodable(person.id),
        media: sealing?.mediaOf(person.id) ?? { state: 'idle' },
        agreed: sealing?.agreementWith(person.id) ?? null,
      })),
      speaker: this.#speaker ?? (direct?.partnerSpeaks ? direct.partner : null),
      recent: this.#recent,
      network: { ...this.#network },
      e2ee: {
        wanted: Boolean(sealing?.wanted),
        required: this.#required,
        comparison: sealing?.comparison ?? null,
        slots: sealing?.statuses() ?? [],
      },
      path: direct?.complete ? 'direct' : 'bridge',
      direct: { ...direct?.progress, complete: Boolean(direct?.complete), protection: direct?.protection ?? null },
      report: this.#report,
    };
  }

  /** See reception.js. */
  sounds() {
    return this.#reception.sounds();
  }

  /** See call_stats.js. */
  stats() {
    return this.#reception.stats(this.#people);
  }

  #handle(message) {
    switch (message.type) {
      case 'joined':
        this.#joined(message).catch(() => this.#lose());
        break;
      case 'answer':
        this.#peer
          ?.accept(message.sdp)
          .then(() => this.#answered())
          .catch(() => this.#lose());
        break;
      case 'participant-joined':
        this.#personJoined(message.participant);
        break;
      case 'participant-changed':
        this.#keep(message.participant);
        break;
      case 'e2ee':
        this.#setPolicy(message);
        break;
      case 'relay':
        if (!this.#chat?.take(message.from, message.data)) this.#sealing?.handle(message.from, message.data);
        return;
      case 'held-back':
        this.#holdBack(message);
        break;
      case 'privacy':
        this.#report = message.report ?? null;
        break;
      case 'participant-left':
        this.#personLeft(message.id);
        break;
      case 'slots':
        this.#assign(message);
        break;
      case 'speaker':
        this.#speaker = message.participant ?? null;
        break;
      case 'recent_speakers':
        this.#recent = strings(message.participants);
        break;
      case 'network':
        this.#network = { available: numberOrNull(message.available), wanted: numberOrNull(message.wanted) };
        break;
      case 'send':
        this.#peer?.setWanted(wantedOf(message)).catch(() => {});
        return;
      case 'codecs':
        this.#formats = strings(message.video);
        this.#applyFormats();
        break;
      case 'error':
        return this.#refused(message);
      default:
        return; // a newer bridge may say more than this page knows
    }
    this.#changed();
  }

  async #joined({ participant, conference, slots, participants, e2ee, direct, mixed, features }) {
    this.#self = participant;
    this.#features = strings(features);
    this.#mixed = Boolean(mixed);
    this.#people.clear();
    this.#required = Boolean(e2ee?.required);
    if (this.#isLaxerThanPromised()) return;
    // A conference that was encrypted must not come back in clear because the bridge was restarted.
    const wasWanted = Boolean(e2ee?.wanted || this.#required);
    this.#wantsE2ee ||= wasWanted;
    this.#startSealing(conference);
    this.#startChat();
    if (direct?.allowed && this.#options.direct !== false) this.#startDirect(strings(direct.ice_servers));
    for (const person of participants ?? []) this.#keep(person);
    this.#sealing.start();
    if (this.#wantsE2ee && !wasWanted) this.#signalling.send('e2ee', { wanted: true });

    const peer = this.#startPeer(slots);
    this.syncMedia();
    const sdp = await peer.offer();
    if (this.#peer !== peer) return;
    this.#tellSlots();
    const { screenMid } = peer;
    this.#signalling.send('offer', { sdp, ...(screenMid === null ? {} : { screens: [screenMid] }) });
    if (this.#features.includes('receive')) this.#wishes.open();
  }

  #startPeer(slots) {
    const tracks = this.#outgoing();
    const { encryption, options } = this.#sealing;
    const peer = this.#peer = this.#reception.peer = new Peer({
      slots,
      tracks,
      formats: this.#options.formats,
      isLayered: this.#features.includes('layers'),
      hasScreen: this.#canShareScreen,
      encryption,
      options,
    });
    peer.addEventListener('connected', () => this.dispatchEvent(new Event('connected')));
    peer.addEventListener('lost', () => this.#lose());
    this.#own = new OwnMedia({
      media: this.#media,
      peer,
      tracks,
      send: (type, fields) => this.#signalling.send(type, fields),
      withholdsVideo: () => this.#withholdsVideo,
      lost: () => this.#lose(),
    });
    return peer;
  }

  // A bridge that does not tell a screen from a camera would show one as the other.
  get #canShareScreen() {
    return this.#features.includes('receive') && ScreenCapture.supported();
  }

  #startSealing(conference) {
    const sealing = this.#sealing = new Sealing({ self: this.#self, conference, wanted: this.#wantsE2ee });
    sealing.addEventListener('relay', ({ detail }) => this.#signalling.send('relay', detail));
    sealing.addEventListener('declare', ({ detail }) => this.#signalling.send('declare', { e2ee: detail }));
    sealing.addEventListener('change', () => this.#changed());
    sealing.addEventListener('reachable', ({ detail }) => this.#direct?.setReachable(detail));
    sealing.addEventListener('chat-key', ({ detail }) => this.#chat?.tryAgain(detail));
    sealing.addEventListener('private', ({ detail: { from, data } }) => this.#takePrivate(from, data));
  }

  #startChat() {
    const sealing = this.#sealing;
    const chat = this.#chat = new Chat({
      self: { id: this.#self, name: this.#options.name },
      nameOf: (id) => this.#people.get(id)?.name ?? null,
      keys: sealing.chatKeys,
      send: (data) => this.#signalling.send('relay', { all: data }),
      mustSeal: () => sealing.wanted,
    });
    chat.addEventListener('entry', ({ detail }) => this.dispatchEvent(new CustomEvent('chat', { detail })));
  }

  #startDirect(iceServers) {
    const sealing = this.#sealing;
    const { encryption, options } = sealing;
    const direct = this.#direct = this.#reception.direct = new Direct({
      self: this.#self,
      send: (id, message) => sealing.sendPrivate(id, { direct: message }),
      bridgeArrivals: (id) => this.#reception.bridgeArrivals(id),
      encryption,
      options,
      iceServers,
      formats: this.#options.formats,
    });
    direct.addEventListener('change', () => this.#followDirect());
  }

  async #answered() {
    this.syncMedia();
    await this.#applyFormats();
  }

  #refused({ code, message, final }) {
    if (final) this.#end('refused', { code, message });
    else if (code === 'busy') setTimeout(() => this.#tellAgain(), BusyMilliseconds);
    else if (code === 'e2ee-required') this.#notice(Text.e2eeRequired);
  }

  // An invitation to a conference that requires encryption is not an invitation to one that does not.
  #isLaxerThanPromised() {
    if (!this.#options.requireE2ee || this.#required) return false;
    this.leave();
    this.#end('refused', { code: 'e2ee-not-required', message: '' });
    return true;
  }

  #personJoined(participant) {
    this.#keep(participant);
    if (typeof participant?.name === 'string') this.#notice(Text.personJoined(participant.name));
    this.syncMedia();
  }

  #personLeft(id) {
    const person = this.#people.get(id);
    if (!person) return;
    this.#people.delete(id);
    this.#reception.slots.forget(id);
    this.#sealing?.remove(id);
    this.#direct?.setOthers(this.#people.keys());
    this.#followScreens();
    this.#notice(Text.personLeft(person.name));
    this.syncMedia();
  }

  #keep(participant) {
    if (typeof participant?.id !== 'string' || participant.id === this.#self) return;
    const person = new Person(participant);
    const before = this.#people.get(person.id);
    const isNew = before === undefined;
    this.#people.set(person.id, person);
    if (!isNew && before.sharesScreen !== person.sharesScreen) {
      this.#notice(person.sharesScreen ? Text.screenStarted(person.name) : Text.screenEnded(person.name));
    }
    this.#followScreens();
    this.#sealing?.setDeclared(person.id, person.e2ee.declared);
    if (!isNew) return;
    this.#sealing?.add(person.id);
    this.#direct?.setOthers(this.#people.keys());
  }

  #assign(message) {
    this.#reception.slots.assign(message);
    this.#tellSlots();
  }

  // Screens go through the bridge, and so does the call meanwhile.
  #followScreens() {
    const isShared = Boolean(this.#media.screen?.track) || [...this.#people.values()].some((one) => one.sharesScreen);
    this.#direct?.setScreenShared(isShared);
  }

  // The conference has decided about end-to-end encryption.
  #setPolicy({ wanted, required, by }) {
    const before = this.#wantsE2ee;
    this.#required = Boolean(required);
    if (this.#isLaxerThanPromised()) return;
    this.#wantsE2ee = Boolean(wanted || required);
    if (this.#wantsE2ee !== before) {
      const who = by === this.#self ? null : this.#people.get(by)?.name ?? null;
      this.#notice(this.#wantsE2ee ? Text.e2eeTurnedOn(who) : Text.e2eeTurnedOff(who));
    }
    this.#sealing?.setWanted(this.#wantsE2ee);
    this.#applyFormats();
    this.syncMedia();
  }

  #holdBack({ kind, reason }) {
    if (!(kind in this.#heldBack)) return;
    if (reason === null && this.#heldBack[kind]) this.#notice(Text.forwardedAgain(kind));
    this.#heldBack[kind] = typeof reason === 'string' ? reason : null;
  }

  #takePrivate(from, { direct } = {}) {
    const refusal = Direct.refusal(direct);
    if (this.#direct) this.#direct.handle(from, direct);
    else if (refusal) this.#sealing.sendPrivate(from, { direct: refusal });
  }

  // What flows directly need not go to the bridge too; who else is in the call and the operator may know.
  #followDirect() {
    const direct = this.#direct;
    if (!direct || !this.#peer) return;
    this.#peer.setSending(!direct.carriesOurs).catch(() => this.#lose());
    const { protection } = direct;
    if (direct.complete && protection && !this.#toldDirect) {
      this.#toldDirect = true;
      this.#signalling.send('direct', { active: true, protection });
    } else if (!direct.complete && this.#toldDirect) {
      this.#toldDirect = false;
      this.#signalling.send('direct', { active: false, protection: {} });
    }
    this.#tellSlots();
    this.#changed();
  }

  // Frame encryption has to know whom each receiver is said to carry, on both paths.
  #tellSlots() {
    this.#sealing?.setSlots(this.#reception.carried());
  }

  #outgoing() {
    return OwnMedia.outgoing(this.#media, this.#withholdsVideo);
  }

  // A picture that cannot be encrypted does not leave unencrypted.
  get #withholdsVideo() {
    return this.#wantsE2ee && canSeal() && !this.#canSealVideo;
  }

  async #applyFormats() {
    const sealed = this.#wantsE2ee && canSeal();
    await this.#peer?.preferFormats(formatsToSend(this.#formats, sealed)).catch(() => {});
  }

  /** Tells the peer and the bridge what they do not know yet of our devices. */
  syncMedia() {
    if (!this.#peer) return;
    this.#own.sync({ isCrowded: this.#people.size >= CrowdedFrom });
    this.#direct?.setMedia(this.#outgoing(), this.#wantsE2ee);
    this.#followScreens();
  }

  #tellAgain() {
    this.#own?.forgetTold();
    this.syncMedia();
    this.#sealing?.declareAgain();
    this.#wishes.again();
  }

  #lose() {
    this.#end('lost');
  }

  #end(type, detail) {
    if (this.#over) return;
    this.close();
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #changed() {
    if (!this.#over) this.dispatchEvent(new Event('change'));
  }

  #notice(text) {
    this.dispatchEvent(new CustomEvent('notice', { detail: text }));
  }
}

// A `send` message.
function wantedOf({ sources }) {
  return objects(sources).map(({ mid, layers, max_height: maxHeight }) => ({
    mid,
    layers: objects(layers).map(({ rid, wanted }) => ({ rid: rid ?? null, wanted: wanted !== false })),
    maxHeight: Number.isInteger(maxHeight) ? maxHeight : -1,
  }));
}
