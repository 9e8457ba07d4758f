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
    e2ee = { wanted: false, required: false };
    direct = { allowed: false, ice_servers: [] };
    report = { participants: [] };
    seals = false;             // set before the page joins: what is sent to it can be encrypted
    #encryption = null;        // of everything that is sent to the page: one person at a time encrypts
    #agreements = new Map();   // id -> KeyAgreement of somebody here
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
        this.#send('joined', {
          participant: 'me',
          conference: message.conference,
          slots: Slots,
          e2ee: this.e2ee,
          direct: this.direct,
          participants: [...this.people.values()],
        });
      } else if (message.type === 'offer') {
        await this.#answer(message.sdp);
      } else if (message.type === 'e2ee') {
        this.policy({ wanted: message.wanted, required: false }, 'me');
      } else if (message.type === 'privacy') {
        this.#send('privacy', { report: this.report });
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
      const agreement = new KeyAgreement({ self: id, conference: 'standup' });
      this.#agreements.set(id, agreement);
      agreement.addEventListener('send', ({ detail }) => {
        const data = detail.all ?? detail.to.me;
        if (data !== undefined) this.#send('relay', { from: id, data });
      });
      agreement.addEventListener('own-key', ({ detail }) => {
        this.#encryption.setOwnKey(secretly ? newSenderKey() : detail);
      });
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
      const slots = [];
      for (const kind of ['audio', 'video']) {
        this.#slots[kind].forEach(({ mid, sender }, index) => {
          const person = people[(index + shift) % Math.max(people.length, 1)];
          const carries = index < people.length ? person : null;
          slots.push({ mid, kind, participant: carries?.id ?? null });
          if (kind === 'video') sender.replaceTrack(carries ? this.#videoOf(carries) : null);
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
      await pc.setLocalDescription();
      if (pc.iceGatheringState !== 'complete') {
        await new Promise((resolve) =>
          pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && resolve()),
        );
      }
      this.#send('answer', { sdp: pc.localDescription.sdp });
      this.#send('codecs', { video: this.codecs });
      this.assign();
    }

    #videoOf({ id, name }) {
      if (!this.#videos.has(id)) this.#videos.set(id, drawnVideo(name, this.fps));
      return this.#videos.get(id);
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
    close() { this.readyState = 3; }
    deliver(data) { if (this.readyState === 1) this.dispatchEvent(new MessageEvent('message', { data })); }
    drop() { this.readyState = 3; this.dispatchEvent(new Event('close')); }
  }

  window.mock = new MockBridge();
  window.WebSocket = MockSocket;
})();
