// A bridge inside the page, for tests of the page alone: it takes the place of WebSocket, answers the signalling of
// deploy/docs/signalling.md, and its media side is a second RTCPeerConnection that sends drawn people into the receive
// slots. Somebody in it can agree on keys and encrypt, with the page's own modules. Injected before the page's own
// scripts; tests drive it through window.mock.
(() => {
  'use strict';
  const Slots = { audio: 3, video: 12 };
  let nextId = 1;

  // A drawn person in front of a wall, gently moving, as a video track.
  function drawnVideo(name, fps) {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [480, 270];
    const pen = canvas.getContext('2d');
    const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 0);
    let frame = 0;
    const draw = () => {
      const sway = Math.sin(frame++ / 9) * 6;
      const wall = pen.createLinearGradient(0, 0, 480, 270);
      wall.addColorStop(0, `hsl(${hue} 28% 46%)`);
      wall.addColorStop(1, `hsl(${(hue + 40) % 360} 32% 22%)`);
      pen.fillStyle = wall;
      pen.fillRect(0, 0, 480, 270);
      pen.fillStyle = `hsl(${(hue + 180) % 360} 35% 40%)`;
      pen.beginPath();
      pen.ellipse(240 + sway, 290, 105, 100, 0, 0, 7);
      pen.fill();
      pen.fillStyle = `hsl(${20 + hue % 18} 45% ${42 + hue % 30}%)`;
      pen.beginPath();
      pen.ellipse(240 + sway * 1.4, 128, 46, 58, 0, 0, 7);
      pen.fill();
    };
    draw();
    setInterval(draw, 1000 / fps);
    return canvas.captureStream(fps).getVideoTracks()[0];
  }
  // A document on a screen, whose cursor blinks.
  function drawnScreen(fps) {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [960, 600];
    const pen = canvas.getContext('2d');
    let frame = 0;
    const draw = () => {
      pen.fillStyle = '#fdfdfb';
      pen.fillRect(0, 0, 960, 600);
      pen.fillStyle = '#2b4a8b';
      pen.fillRect(0, 0, 960, 54);
      pen.fillStyle = '#555';
      for (let line = 0; line < 14; ++line) pen.fillRect(80, 110 + line * 32, 500 + (line * 97) % 300, 10);
      if (frame++ % 10 < 5) pen.fillRect(80, 560, 4, 22);
    };
    draw();
    setInterval(draw, 1000 / fps);
    return canvas.captureStream(fps).getVideoTracks()[0];
  }
  // A browser answers simulcast with one stream. What the page makes of a bridge that takes all shows in its own
  // statistics.
  function withLayersOf(offer, answer) {
    const offered = offer.split(/(?=^m=)/m);
    return answer.split(/(?=^m=)/m).map((section, index) => {
      const rids = [...(offered[index] ?? '').matchAll(/^a=rid:(\S+) send/gm)].map(([, rid]) => rid);
      if (rids.length === 0 || section.includes('a=simulcast')) return section;
      const extensions = [...offered[index].matchAll(/^a=extmap:\d+ \S*stream-id\r?$/gm)].map(([line]) => line.trim());
      const lines = [
        ...extensions.filter((line) => !section.includes(line.split(' ')[1])),
        ...rids.map((rid) => `a=rid:${rid} recv`),
        `a=simulcast:recv ${rids.join(';')}`,
      ];
      return section + lines.map((line) => `${line}\r\n`).join('');
    }).join('');
  }
  // The browser's fake microphone: an AudioContext of our own would wait for a click.
  const sound = () => navigator.mediaDevices.getUserMedia({ audio: true }).then((stream) => stream.getAudioTracks()[0]);

  class MockBridge {
    fps = 10;
    people = new Map();        // id -> {id, name, audio, video}
    undecodable = [];
    received = [];             // every message of the client
    reachable = true;
    refusal = null;            // {code, message}: the answer to join
    codecs = ['VP8', 'VP9', 'H264', 'AV1'];
    joins = 0;
    keepsPlaces = false;       // set before the page joins: who is cut off may come back
    resumes = 0;
    e2ee = { wanted: false, required: false };
    direct = { allowed: false, ice_servers: [] };
    report = { participants: [] };
    seals = false;             // set before the page joins: what is sent to it can be encrypted
    features = [];             // likewise: what else of the signalling it knows
    paused = new Set();        // pictures, by name, for which there is no room
    #encryption = null;        // of everything that is sent to the page: one person at a time encrypts
    #agreements = new Map();   // id -> KeyAgreement of somebody here
    #chatKeys = new Map();     // id -> ChatKeys of somebody here who agrees on keys
    #screens = new Set();      // ids of those who share one
    #videos = new Map();
    #socket = null;
    #pc = null;
    #slots = { audio: [], video: [] };

    connect(socket) { this.#socket = socket; }

    async handle(message) {
      this.received.push(message);
      if (message.type === 'join') {
        if (this.refusal) return this.#send('error', this.refusal);
        this.joins++;
        this.#send('joined', this.#place(message.conference));
      } else if (message.type === 'resume') {
        if (message.resume !== 'hush') return this.#send('error', { code: 'resume-failed', message: '', final: true });
        this.resumes++;
        this.#send('resumed', this.#place('standup'));
        this.assign();
      } else if (message.type === 'restart') {
        await this.#pc.setRemoteDescription({ type: 'offer', sdp: message.sdp });
        await this.#sendAnswer(message.sdp);
      } else if (message.type === 'offer') {
        await this.#answer(message.sdp);
      } else if (message.type === 'e2ee') {
        this.policy({ wanted: message.wanted, required: false }, 'me');
      } else if (message.type === 'privacy') {
        this.#send('privacy', { report: this.report });
      } else if (message.type === 'receive' && !this.features.includes('receive')) {
        this.#send('error', { code: 'unknown-type', message: 'receive', final: false });
      } else if (message.type === 'relay') {
        for (const [id, agreement] of this.#agreements) {
          const data = message.all ?? message.to[id];
          if (data !== undefined) agreement.handle('me', data);
        }
      }
    }

    /** The conference decides about end-to-end encryption. */
    policy(e2ee, by) {
      this.e2ee = e2ee;
      this.#send('e2ee', { ...e2ee, by });
    }
    holdBack(kind, reason) { this.#send('held-back', { kind, reason }); }

    /** Somebody agrees on keys with the page and encrypts; with `secretly`, without telling the page the key. */
    async seal(id, { secretly = false } = {}) {
      const { KeyAgreement } = await import('/e2ee/key_agreement.js');
      const { newSenderKey } = await import('/e2ee/sender_keys.js');
      const { ChatKeys } = await import('/e2ee/chat_keys.js');
      const chat = new ChatKeys({ self: id, conference: 'standup' });
      this.#chatKeys.set(id, chat);
      const agreement = new KeyAgreement({ self: id, conference: 'standup' });
      this.#agreements.set(id, agreement);
      agreement.addEventListener('send', ({ detail }) => {
        const data = detail.all ?? detail.to.me;
        if (data !== undefined) this.#send('relay', { from: id, data });
      });
      agreement.addEventListener('own-key', ({ detail }) => {
        this.#encryption.setOwnKey(secretly ? newSenderKey() : detail);
        chat.setOwn(detail);
      });
      agreement.addEventListener('peer-key', ({ detail }) => chat.setPeer(detail.participant, detail));
      await agreement.start();
      await agreement.add('me');
      await this.#encryption.setEncrypting(true);
      this.change(id, { e2ee: { capable: true, declared: true, verdict: 'undecided' } });
    }

    add(name, { audioMuted = false, videoMuted = false, e2ee = {} } = {}) {
      const person = {
        id: `p${nextId++}`,
        name,
        audio: { muted: audioMuted },
        video: { muted: videoMuted },
        e2ee: { capable: true, declared: false, verdict: 'undeclared', ...e2ee },
        direct: false,
      };
      this.people.set(person.id, person);
      this.#send('participant-joined', { participant: person });
      this.assign();
      return person.id;
    }
    change(id, { audioMuted, videoMuted, e2ee = {} }) {
      const person = this.people.get(id);
      Object.assign(person.e2ee, e2ee);
      if (audioMuted !== undefined) person.audio.muted = audioMuted;
      if (videoMuted !== undefined) person.video.muted = videoMuted;
      this.#send('participant-changed', { participant: person });
    }
    remove(id) {
      this.people.delete(id);
      this.#agreements.get(id)?.close();
      this.#agreements.delete(id);
      this.undecodable = this.undecodable.filter((entry) => entry.participant !== id);
      this.#send('participant-left', { id });
      this.assign();
    }
    makeUndecodable(id, codec) { this.undecodable.push({ participant: id, codec }); this.assign(); }
    /** Somebody writes: in clear, or sealed with what `by` has agreed on. `change(bytes)` is a bridge that lies. */
    async write(id, text, { sealed = false, by = id, change = () => {} } = {}) {
      const { writeChat } = await import('/e2ee/chat_wire.js');
      const bytes = sealed ? await this.#chatKeys.get(by).seal(text) : null;
      if (bytes) change(bytes);
      this.relay(id, writeChat({ text, sealed: bytes }));
    }
    relay(from, data) { this.#send('relay', { from, data }); }
    /** What the page wrote to everyone, as somebody here reads it. */
    async read(id) {
      const { parseChat } = await import('/e2ee/chat_wire.js');
      const said = this.received.map(({ type, all }) => type === 'relay' && parseChat(all)).filter(Boolean);
      return Promise.all(said.map(({ text, sealed }) => text ?? this.#chatKeys.get(id)?.open('me', sealed) ?? '?'));
    }
    share(id, isShared = true) {
      if (isShared) this.#screens.add(id);
      else this.#screens.delete(id);
      this.people.get(id).screen = isShared;
      this.#send('participant-changed', { participant: this.people.get(id) });
      this.assign();
    }
    pause(names) { this.paused = new Set(names); this.assign(); }
    want(sources) { this.#send('send', { sources }); }
    network(available, wanted) { this.#send('network', { available, wanted }); }
    recentSpeakers(ids) { this.#send('recent_speakers', { participants: ids }); }
    speak(id) { this.#send('speaker', { participant: id }); }
    settle(codecs) { this.codecs = codecs; this.#send('codecs', { video: codecs }); }
    error(code) { this.#send('error', { code, message: code, final: true }); }
    dropSocket() { this.#socket?.drop(); }
    dropMedia() { this.#pc?.close(); }

    // Puts the people that can be seen into the video slots in order, and lets the first three be heard.
    assign(shift = 0) {
      if (!this.#pc) return;
      const blind = new Set(this.undecodable.map(({ participant }) => participant));
      const people = [...this.people.values()].filter(({ id }) => !blind.has(id));
      const cameras = people.map((person) => ({ person, content: 'camera' }));
      const screens = people.filter(({ id }) => this.#screens.has(id)).map((person) => ({ person, content: 'screen' }));
      const slots = [];
      for (const kind of ['audio', 'video']) {
        const sources = kind === 'audio' ? cameras : [...cameras, ...screens];
        this.#slots[kind].forEach(({ mid, sender }, index) => {
          const carries = index < sources.length ? sources[(index + shift) % sources.length] : null;
          const { person = null, content = null } = carries ?? {};
          const name = content === 'screen' ? `${person.id}/screen` : person?.id;
          const paused = this.paused.has(name);
          const shows = kind === 'video' ? content : null;
          slots.push({ mid, kind, participant: person?.id ?? null, content: shows, paused });
          if (kind === 'video') sender.replaceTrack(carries && !paused ? this.#videoOf(person, content) : null);
        });
      }
      this.#send('slots', { slots, undecodable: this.undecodable });
    }

    /** What arrives from the page: {codec, frames, packets} of its video, {packets} of its audio. */
    async arrived() {
      const report = await this.#pc.getStats();
      const inbound = [...report.values()].filter(({ type }) => type === 'inbound-rtp');
      const video = inbound.find(({ kind }) => kind === 'video');
      return {
        audioPackets: inbound.find(({ kind }) => kind === 'audio')?.packetsReceived ?? 0,
        codec: report.get(video?.codecId)?.mimeType.split('/')[1] ?? null,
        frames: video?.framesDecoded ?? 0,
      };
    }

    async #answer(sdp) {
      this.#pc?.close();
      const { FrameEncryption } = this.seals ? await import('/e2ee/encryption.js') : {};
      this.#encryption = this.seals ? new FrameEncryption() : null;
      const pc = this.#pc = new RTCPeerConnection(this.seals ? FrameEncryption.connectionOptions() : {});
      await pc.setRemoteDescription({ type: 'offer', sdp });
      this.#slots = { audio: [], video: [] };
      const sections = sdp.split(/^m=/m).slice(1);
      pc.getTransceivers().forEach((transceiver, index) => {
        if (!sections[index].includes('a=recvonly')) return;
        const { kind } = transceiver.receiver.track;
        transceiver.direction = 'sendonly';
        this.#encryption?.attachSender(transceiver.sender, { kind });
        if (kind === 'audio') sound().then((track) => transceiver.sender.replaceTrack(track));
        this.#slots[kind].push({ mid: transceiver.mid, sender: transceiver.sender });
      });
      await this.#sendAnswer(sdp);
      this.#send('codecs', { video: this.codecs });
      this.assign();
    }

    async #sendAnswer(sdp) {
      const pc = this.#pc;
      await pc.setLocalDescription();
      if (pc.iceGatheringState !== 'complete') {
        await new Promise((resolve) =>
          pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && resolve()),
        );
      }
      this.#send('answer', { sdp: withLayersOf(sdp, pc.localDescription.sdp) });
    }

    #place(conference) {
      return {
        participant: 'me',
        conference,
        slots: Slots,
        e2ee: this.e2ee,
        direct: this.direct,
        features: this.features,
        participants: [...this.people.values()],
        ...(this.keepsPlaces ? { resume: 'hush' } : {}),
      };
    }

    #videoOf({ id, name }, content) {
      const key = `${id} ${content}`;
      if (!this.#videos.has(key)) {
        this.#videos.set(key, content === 'screen' ? drawnScreen(this.fps) : drawnVideo(name, this.fps));
      }
      return this.#videos.get(key);
    }
    #send(type, fields) { this.#socket?.deliver(JSON.stringify({ type, ...fields })); }
  }

  class MockSocket extends EventTarget {
    static OPEN = 1;
    readyState = 0;

    constructor(url) {
      super();
      this.url = url;
      setTimeout(() => {
        if (!window.mock.reachable) return this.drop();
        this.readyState = 1;
        window.mock.connect(this);
        this.dispatchEvent(new Event('open'));
      }, 20);
    }
    send(text) { setTimeout(() => window.mock.handle(JSON.parse(text)), 5); }
    close(code) {
      this.readyState = 3;
      this.closedWith = code;
    }
    deliver(data) { if (this.readyState === 1) this.dispatchEvent(new MessageEvent('message', { data })); }
    drop() { this.readyState = 3; this.dispatchEvent(new Event('close')); }
  }

  window.mock = new MockBridge();
  window.WebSocket = MockSocket;
})();
