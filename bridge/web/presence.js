// From one join of a conference to its end: the signalling socket, the connection to the bridge, the encryption of this
// presence, and what connects two people directly. It follows what the bridge says of the others, and passes between
// its parts what one knows and another needs. A presence that has ended is never used again: the next join is another.

import { codecsToOffer, formatOf, formatsToSend, isEncryptable } from './codecs.js';
import { Direct } from './direct.js';
import { Text } from './messages.js';
import { Peer } from './peer.js';
import { Person } from './person.js';
import { canSeal, Sealing } from './sealing.js';
import { Signalling } from './signalling.js';

const BusyMilliseconds = 1_000;              // before saying again what a busy bridge refused
const Kinds = ['audio', 'video'];

/**
 * Fires `change` (anything that `view()` tells), `notice` (detail: a sentence worth a few seconds), `connected` once,
 * and at the end `lost` or `refused` (detail: {code, message}).
 */
export class Presence extends EventTarget {
  #options;                                  // {url, conference, name, token, formats, requireE2ee, direct, mixed}
  #media;
  #signalling;
  #peer = null;
  #sealing = null;
  #direct = null;                            // null where the bridge or the page does not want it
  #over = false;
  #self = null;                              // our participant id
  #people;                                   // id -> Person, in order of arrival
  #slots = [];                               // [{mid, kind, participant}]
  #undecodable = new Map();                  // participant id -> codec
  #formats = [];                             // what the conference wants of us
  #canSealVideo;                             // there is a format of ours that can be encrypted
  #wantsE2ee;
  #required = false;
  #mixed = false;                            // what we hear is one mix, and no slot says whose
  #heldBack = { audio: null, video: null };  // why the bridge does not forward it
  #toldDirect = false;
  #report = null;                            // what the bridge answered to `privacy`
  #speaker = null;
  #told = {};                                // what the bridge and the peer know of our media: kind -> {muted, track}

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
    this.#direct?.close();
    this.#peer?.close();
    this.#sealing?.close();
    this.#direct = this.#peer = this.#sealing = this.#self = null;
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
      },
      people: [...this.#people.values()].map((person) => ({
        ...person,
        ...this.#pictureOf(person.id),
        speaking: person.id === this.#speaker || (person.id === direct?.partner && direct.partnerSpeaks),
        undecodable: this.#undecodable.get(person.id) ?? null,
        media: sealing?.mediaOf(person.id) ?? { state: 'idle' },
        agreed: sealing?.agreementWith(person.id) ?? null,
      })),
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

  /**
   * [{mid, track, volume}] of the audio slots, idle ones too: each is one continuous stream that somebody may start to
   * use. Of two paths from the same person one is audible: the other plays with volume 0.
   */
  sounds() {
    const direct = this.#direct;
    const isDirect = Boolean(direct?.plays.audio);
    const covered = (participant) => isDirect && (participant === null || participant === direct.partner);
    const bridged = this.#slots
      .filter((slot) => slot.kind === 'audio')
      .map(({ mid, participant }) => ({ mid, track: this.#peer?.track(mid), volume: covered(participant) ? 0 : 1 }))
      .filter(({ track }) => track);
    const directly = (direct?.receivers() ?? [])
      .filter(({ kind }) => kind === 'audio')
      .map(({ name, track }) => ({ mid: name, track, volume: isDirect ? 1 : 0 }));
    return [...bridged, ...directly];
  }

  /**
   * Peer statistics with the participant (id and name) of each slot, direct ones too, and whether it is the one that
   * is heard or seen. Null while there is no connection.
   */
  async stats() {
    const [peer, direct] = [this.#peer, this.#direct];
    if (!peer) return null;
    const [stats, directly] = await Promise.all([
      peer.stats(),
      direct?.stats().catch(() => null) ?? null,
    ]);
    if (!stats) return null;
    const nameOf = (id) => this.#people.get(id)?.name ?? null;
    const plays = direct?.plays ?? { audio: false, video: false };
    const carried = new Map(this.#slots.map((slot) => [slot.mid, slot.participant]));
    for (const slot of stats.slots) {
      slot.path = 'bridge';
      slot.participant = carried.get(slot.mid) ?? null;
      slot.name = nameOf(slot.participant);
      slot.used = slot.participant !== null && !(plays[slot.kind] && slot.participant === direct.partner);
    }
    for (const slot of directly?.slots ?? []) {
      const participant = direct.partner;
      stats.slots.push({ ...slot, path: 'direct', participant, name: nameOf(participant), used: plays[slot.kind] });
    }
    for (const entry of stats.sending) entry.path = 'bridge';
    for (const entry of directly?.sending ?? []) stats.sending.push({ ...entry, path: 'direct' });
    return stats;
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
        this.#sealing?.handle(message.from, message.data);
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

  async #joined({ participant, conference, slots, participants, e2ee, direct, mixed }) {
    this.#self = participant;
    this.#mixed = Boolean(mixed);
    this.#people.clear();
    this.#required = Boolean(e2ee?.required);
    if (this.#isLaxerThanPromised()) return;
    // A conference that was encrypted must not come back in clear because the bridge was restarted.
    const wasWanted = Boolean(e2ee?.wanted || this.#required);
    this.#wantsE2ee ||= wasWanted;
    this.#startSealing(conference);
    if (direct?.allowed && this.#options.direct !== false) this.#startDirect(strings(direct.ice_servers));
    for (const person of participants ?? []) this.#keep(person);
    this.#sealing.start();
    if (this.#wantsE2ee && !wasWanted) this.#signalling.send('e2ee', { wanted: true });

    const tracks = this.#outgoing();
    const { encryption, options } = this.#sealing;
    const peer = this.#peer = new Peer({ slots, tracks, formats: this.#options.formats, encryption, options });
    peer.addEventListener('connected', () => this.dispatchEvent(new Event('connected')));
    peer.addEventListener('lost', () => this.#lose());
    for (const kind of Kinds) this.#told[kind] = { muted: false, track: tracks[kind] };
    this.syncMedia();
    const sdp = await peer.offer();
    if (this.#peer !== peer) return;
    this.#tellSlots();
    this.#signalling.send('offer', { sdp });
  }

  #startSealing(conference) {
    const sealing = this.#sealing = new Sealing({ self: this.#self, conference, wanted: this.#wantsE2ee });
    sealing.addEventListener('relay', ({ detail }) => this.#signalling.send('relay', detail));
    sealing.addEventListener('declare', ({ detail }) => this.#signalling.send('declare', { e2ee: detail }));
    sealing.addEventListener('change', () => this.#changed());
    sealing.addEventListener('reachable', ({ detail }) => this.#direct?.setReachable(detail));
    sealing.addEventListener('private', ({ detail: { from, data } }) => this.#takePrivate(from, data));
  }

  #startDirect(iceServers) {
    const sealing = this.#sealing;
    const { encryption, options } = sealing;
    const direct = this.#direct = new Direct({
      self: this.#self,
      send: (id, message) => sealing.sendPrivate(id, { direct: message }),
      bridgeArrivals: (id) => this.#arrivalsOf(id),
      encryption,
      options,
      iceServers,
      formats: this.#options.formats,
    });
    direct.addEventListener('change', () => this.#followDirect());
  }

  async #answered() {
    this.#limitVideo();
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
    this.#limitVideo();
  }

  #personLeft(id) {
    const person = this.#people.get(id);
    if (!person) return;
    this.#people.delete(id);
    this.#undecodable.delete(id);
    this.#sealing?.remove(id);
    this.#direct?.setOthers(this.#people.keys());
    this.#notice(Text.personLeft(person.name));
    this.#limitVideo();
  }

  #keep(participant) {
    if (typeof participant?.id !== 'string' || participant.id === this.#self) return;
    const person = new Person(participant);
    const isNew = !this.#people.has(person.id);
    this.#people.set(person.id, person);
    this.#sealing?.setDeclared(person.id, person.e2ee.declared);
    if (!isNew) return;
    this.#sealing?.add(person.id);
    this.#direct?.setOthers(this.#people.keys());
  }

  #assign({ slots, undecodable }) {
    this.#slots = (slots ?? []).map(({ mid, kind, participant }) => ({ mid, kind, participant: participant ?? null }));
    this.#undecodable = new Map((undecodable ?? []).map(({ participant, codec }) => [participant, codec]));
    this.#tellSlots();
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
    if (!Kinds.includes(kind)) return;
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
    const bridged = this.#slots
      .map(({ mid, participant }) => ({ slot: this.#peer?.slotName(mid), participant }))
      .filter(({ slot }) => slot !== undefined);
    const directly = (this.#direct?.receivers() ?? [])
      .map(({ name }) => ({ slot: name, participant: this.#direct.partner }));
    this.#sealing?.setSlots([...bridged, ...directly]);
  }

  #arrivalsOf(id) {
    const mids = this.#slots.filter(({ participant }) => participant === id).map(({ mid }) => mid);
    return Promise.all(mids.map(async (mid) => ({ mid, ...(await this.#peer?.arrivals(mid)) })));
  }

  #pictureOf(id) {
    if (this.#direct?.plays.video && this.#direct.partner === id) {
      const track = this.#direct.receivers().find(({ kind }) => kind === 'video')?.track;
      if (track) return { track, path: 'direct' };
    }
    const slot = this.#slots.find(({ kind, participant }) => kind === 'video' && participant === id);
    return { track: (slot && this.#peer?.track(slot.mid)) ?? null, path: 'bridge' };
  }

  // Our tracks as the conference may have them: a picture that cannot be encrypted does not leave unencrypted.
  #outgoing() {
    const { audio, video } = this.#media.tracks;
    const withheld = this.#wantsE2ee && canSeal() && !this.#canSealVideo;
    return { audio, video: withheld ? null : video };
  }

  async #applyFormats() {
    const sealed = this.#wantsE2ee && canSeal();
    await this.#peer?.preferFormats(formatsToSend(this.#formats, sealed)).catch(() => {});
  }

  /** Tells the peer and the bridge what they do not know yet of our devices. */
  syncMedia() {
    if (!this.#peer) return;
    const tracks = this.#outgoing();
    for (const kind of Kinds) {
      const told = this.#told[kind];
      const track = tracks[kind];
      const muted = this.#media.muted[kind] || (!track && Boolean(this.#media.tracks[kind]));
      if (told.track !== track) this.#peer.replaceTrack(kind, track).catch(() => this.#lose());
      if (told.muted !== muted) this.#signalling.send('mute', { kind, muted });
      this.#told[kind] = { track, muted };
    }
    this.#direct?.setMedia(tracks, this.#wantsE2ee);
    this.#limitVideo();
  }

  #tellAgain() {
    for (const told of Object.values(this.#told)) told.muted = null;
    this.syncMedia();
    this.#sealing?.declareAgain();
  }

  // Without layers everybody gets the same picture: in a full room a smaller one serves all.
  #limitVideo() {
    const height = this.#media.tracks.video?.getSettings().height ?? 0;
    const crowded = this.#people.size > 3;
    const scale = crowded ? Math.max(1, height / 360) : 1;
    this.#peer?.limitVideo({ maxBitrate: crowded ? 600_000 : 1_700_000, scale }).catch(() => {});
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

function strings(value) {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
