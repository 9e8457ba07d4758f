// From one join of a conference to its end: the signalling socket, the media connections, the encryption of this
// presence, and its chat. It follows what the bridge says of the others, and passes between its parts what one knows
// and another needs. When the network is gone for a while it comes back to its place (reconnect.js). A presence that
// has ended is never used again: the next join is another.

import { Chat } from './chat.js';
import { codecsToOffer, formatOf, isEncryptable } from './codecs.js';
import { Connections } from './connections.js';
import { Text } from './messages.js';
import { Person } from './person.js';
import { numberOrNull, strings } from './received.js';
import { Reconnection } from './reconnect.js';
import { ScreenCapture } from './screen_capture.js';
import { canSeal, Sealing } from './sealing.js';
import { Signalling } from './signalling.js';
import { WishSender } from './wishes.js';

const BusyMilliseconds = 1_000;              // before saying again what a busy bridge refused

/**
 * Fires `change` (anything that `view()` tells), `notice` (detail: a sentence worth a few seconds), `chat` (detail: see
 * Chat), `connected`, then `away` and `connected` again as often as the network is gone for a while, and at the end
 * `lost` or `refused` (detail: {code, message}).
 */
export class Presence extends EventTarget {
  #options;                                  // {url, conference, name, token, formats, requireE2ee, direct, mixed}
  #media;
  #signalling;
  #secret = null;                            // of our place on the bridge
  #place = null;                             // {participant, secret}, once there is media to keep it for
  #reconnection = null;                      // while we are not there
  #connections = null;
  #sealing = null;
  #chat = null;
  #wishes = new WishSender((wishes) => this.#signalling.send('receive', wishes));
  #features = [];                            // of the bridge
  #over = false;
  #self = null;                              // our participant id
  #people;                                   // id -> Person, in order of arrival
  #canSealVideo;                             // there is a format of ours that can be encrypted
  #wantsE2ee;
  #required = false;
  #mixed = false;                            // what we hear is one mix, and no slot says whose
  #heldBack = { audio: null, video: null };  // why the bridge does not forward it
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
    this.#listen(new Signalling(options.url));
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
    this.#reconnection?.close();
    this.#reconnection = null;
    this.#signalling.close();
    this.#wishes.close();
    this.#chat?.close();
    this.#connections?.close();
    this.#sealing?.close();
    this.#connections = this.#chat = this.#sealing = this.#self = null;
  }

  get people() {
    return this.#people;
  }

  /** Our place is kept for us, and we are on the way back to it. */
  get isReturning() {
    return this.#reconnection !== null;
  }

  /** The network may be another one, or back: our place is asked for on a new socket, at once. */
  reconnect() {
    if (this.#over) return;
    if (this.#reconnection) return void this.#reconnection.hurry();
    if (!this.#place) return void this.#lose();
    this.#signalling.abandon();
    const reconnection = this.#reconnection = new Reconnection({ url: this.#options.url, ...this.#place });
    reconnection.addEventListener('resumed', ({ detail }) => this.#resumed(detail));
    reconnection.addEventListener('back', () => this.#returned());
    reconnection.addEventListener('failed', () => this.#lose());
    this.dispatchEvent(new Event('away'));
    reconnection.start();
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
    const direct = this.#connections?.direct;
    const reception = this.#connections?.reception;
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
        ...(reception?.picture(person.id) ?? { track: null, path: 'bridge', paused: false }),
        screen: reception?.screen(person) ?? null,
        speaking: person.id === this.#speaker || (person.id === direct?.partner && direct.partnerSpeaks),
        undecodable: reception?.slots.undecodable(person.id) ?? null,
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
    return this.#connections?.reception.sounds() ?? [];
  }

  /** See call_stats.js. */
  stats() {
    return this.#connections?.reception.stats(this.#people) ?? Promise.resolve(null);
  }

  #listen(signalling) {
    this.#signalling = signalling;
    signalling.addEventListener('message', ({ detail }) => this.#handle(detail));
    signalling.addEventListener('close', () => {
      if (this.#reconnection) this.#reconnection.retry();
      else this.reconnect();
    });
  }

  // What was said while we were away went past us, and what we said went nowhere: both sides tell all anew.
  #resumed({ signalling, message }) {
    this.#listen(signalling);
    const others = (message.participants ?? []).filter(({ id }) => typeof id === 'string');
    for (const id of [...this.#people.keys()]) {
      if (!others.some((other) => other.id === id)) this.#personLeft(id);
    }
    for (const other of others) {
      if (this.#people.has(other.id)) this.#keep(other);
      else this.#personJoined(other);
    }
    const { wanted, required } = message.e2ee ?? {};
    this.#setPolicy({ wanted, required, by: null });
    if (this.#over) return;
    this.#tellAgain();
    this.#sealing.agreeAgain();
    this.#changed();
  }

  // A restart that was answered while the connection had noticed nothing changes no state.
  async #accept(sdp) {
    await this.#connections?.accept(sdp);
    if (this.#connections?.isConnected) this.#reconnection?.mediaIsBack();
  }

  // From now on there is a place to come back to.
  #connected() {
    if (this.#reconnection) return this.#reconnection.mediaIsBack();
    if (this.#secret) this.#place ??= { participant: this.#self, secret: this.#secret };
    this.dispatchEvent(new Event('connected'));
  }

  #returned() {
    this.#reconnection = null;
    this.dispatchEvent(new Event('connected'));
  }

  #handle(message) {
    switch (message.type) {
      case 'joined':
        this.#joined(message).catch(() => this.#lose());
        break;
      case 'answer':
        this.#accept(message.sdp).catch(() => this.#lose());
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
        this.#connections?.assign(message);
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
        this.#connections?.setWanted(message);
        return;
      case 'codecs':
        this.#connections?.setFormats(strings(message.video));
        break;
      case 'error':
        return this.#refused(message);
      default:
        return; // a newer bridge may say more than this page knows
    }
    this.#changed();
  }

  async #joined({ participant, conference, slots, participants, e2ee, direct, mixed, features, resume }) {
    this.#self = participant;
    this.#secret = typeof resume === 'string' ? resume : null;
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
    this.#startConnections();
    if (direct?.allowed && this.#options.direct !== false) {
      this.#connections.allowDirect({ self: participant, iceServers: strings(direct.ice_servers) });
    }
    for (const person of participants ?? []) this.#keep(person);
    this.#sealing.start();
    if (this.#wantsE2ee && !wasWanted) this.#signalling.send('e2ee', { wanted: true });

    const isLayered = this.#features.includes('layers');
    await this.#connections.offer({ slots, isLayered, hasScreen: this.#canShareScreen });
    if (!this.#over && this.#features.includes('receive')) this.#wishes.open();
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
    sealing.addEventListener('reachable', ({ detail }) => this.#connections?.direct?.setReachable(detail));
    sealing.addEventListener('chat-key', ({ detail }) => this.#chat?.tryAgain(detail));
    sealing.addEventListener('private', ({ detail: { from, data } }) => {
      this.#connections?.handlePrivate(from, data?.direct);
    });
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

  #startConnections() {
    const connections = this.#connections = new Connections({
      media: this.#media,
      sealing: this.#sealing,
      send: (type, fields) => this.#signalling.send(type, fields),
      formats: this.#options.formats,
      canSealVideo: this.#canSealVideo,
      isSealed: () => this.#wantsE2ee,
    });
    connections.addEventListener('connected', () => this.#connected());
    connections.addEventListener('silent', () => {
      if (!this.#reconnection) this.reconnect();
    });
    connections.addEventListener('lost', () => this.#lose());
    connections.addEventListener('change', () => this.#changed());
  }

  #refused({ code, message, final }) {
    if (final) this.#end('refused', { code, message });
    else if (code === 'busy') setTimeout(() => this.#tellAgain(), BusyMilliseconds);
    else if (code === 'restart-refused') this.#lose();
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
  }

  #personLeft(id) {
    const person = this.#people.get(id);
    if (!person) return;
    this.#people.delete(id);
    this.#connections?.reception.slots.forget(id);
    this.#sealing?.remove(id);
    this.#connections?.setPeople(this.#people);
    this.#notice(Text.personLeft(person.name));
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
    this.#sealing?.setDeclared(person.id, person.e2ee.declared);
    if (isNew) this.#sealing?.add(person.id);
    this.#connections?.setPeople(this.#people);
  }

  // The conference has decided about end-to-end encryption.
  #setPolicy({ wanted, required, by }) {
    const before = this.#wantsE2ee;
    this.#required = Boolean(required);
    if (this.#isLaxerThanPromised()) return;
    this.#wantsE2ee = Boolean(wanted || required);
    if (this.#wantsE2ee !== before) {
      const who = by === this.#self ? null : this.#people.get(by)?.name ?? Text.somebody;
      this.#notice(this.#wantsE2ee ? Text.e2eeTurnedOn(who) : Text.e2eeTurnedOff(who));
    }
    this.#sealing?.setWanted(this.#wantsE2ee);
    this.#connections?.followSealing();
  }

  #holdBack({ kind, reason }) {
    if (!Object.hasOwn(this.#heldBack, kind)) return;
    if (reason === null && this.#heldBack[kind]) this.#notice(Text.forwardedAgain(kind));
    this.#heldBack[kind] = typeof reason === 'string' ? reason : null;
  }

  /** Something of our devices has changed. */
  syncMedia() {
    this.#connections?.sync();
  }

  #tellAgain() {
    if (this.#reconnection?.hasResumed) this.#connections?.restart().catch(() => this.#lose());
    this.#connections?.tellAgain();
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
