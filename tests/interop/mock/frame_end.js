// Injected into a blank page: one end of a connection that sends a drawn picture in several formats and the browser's
// made-up microphone, and receives the same from the other end, through the page's own frame encryption. The test
// carries the session descriptions between two of them. Slots are called "audio", "VP8", "VP9" ...

window.end = {
  async open({ formats, descriptor = false, streamsOnly = false, transforms = true }) {
    if (streamsOnly) delete window.RTCRtpScriptTransform;      // leaves what an older Chromium has
    const { FrameEncryption } = await import('/e2ee/encryption.js');
    this.statuses = {};
    this.encryption = transforms ? new FrameEncryption() : null;
    this.encryption?.addEventListener('failed', () => console.error('the worker cannot run'));
    this.encryption?.addEventListener('status', ({ detail }) => { this.statuses[detail.slot] = detail; });
    this.connection = new RTCPeerConnection(transforms ? FrameEncryption.connectionOptions() : {});
    this.ends = new Map();                   // slot -> transceiver
    this.add('audio', await this.microphone(), 'audio');
    const picture = this.picture();
    for (const format of formats) {
      const transceiver = this.add(format, picture.clone(), 'video');
      this.prefer(transceiver, format);
      this.describe(transceiver, descriptor);
    }
  },

  async microphone() {
    return (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0];
  },

  // A canvas, because its size can be changed at will.
  picture() {
    this.canvas = document.createElement('canvas');
    this.resize(320, 180);
    const context = this.canvas.getContext('2d');
    let drawn = 0;
    this.drawing = setInterval(() => {
      const { width, height } = this.canvas;
      for (let i = 0; i < 8; ++i) {
        context.fillStyle = `hsl(${(drawn * 7 + i * 45) % 360} 80% 50%)`;
        context.fillRect((i * width) / 8, 0, width / 8, height);
      }
      context.fillStyle = '#fff';
      context.fillRect((drawn++ * 5) % width, height / 3, width / 8, height / 3);
    }, 1000 / 15);
    return this.canvas.captureStream(15).getVideoTracks()[0];
  },
  resize(width, height) { Object.assign(this.canvas, { width, height }); },

  add(slot, track, kind) {
    const sender = this.connection.addTrack(track);          // unlike addTransceiver's, these are taken up by an offer
    const transceiver = this.connection.getTransceivers().find((candidate) => candidate.sender === sender);
    this.encryption?.attachSender(sender, { kind });
    this.encryption?.attachReceiver(transceiver.receiver, { kind, slot });
    this.ends.set(slot, transceiver);
    const element = document.createElement(kind);
    element.srcObject = new MediaStream([transceiver.receiver.track]);
    element.autoplay = true;
    document.body.append(element);
    return transceiver;
  },
  prefer(transceiver, format) {
    const { codecs } = RTCRtpReceiver.getCapabilities('video');
    transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === `video/${format}`));
  },
  describe(transceiver, wanted) {
    if (!transceiver.setHeaderExtensionsToNegotiate) return;
    transceiver.setHeaderExtensionsToNegotiate(transceiver.getHeaderExtensionsToNegotiate().map((extension) =>
      extension.uri.includes('dependency-descriptor')
        ? { ...extension, direction: wanted ? 'sendrecv' : 'stopped' }
        : extension,
    ));
  },

  async offer() {
    await this.connection.setLocalDescription();
    return this.gathered();
  },
  async answer(sdp) {
    await this.connection.setRemoteDescription({ type: 'offer', sdp });
    await this.connection.setLocalDescription();
    return this.gathered();
  },
  accept(sdp) { return this.connection.setRemoteDescription({ type: 'answer', sdp }); },
  async gathered() {
    while (this.connection.iceGatheringState !== 'complete') {
      await new Promise((resolve) => {
        this.connection.addEventListener('icegatheringstatechange', resolve, { once: true });
      });
    }
    return this.connection.localDescription.sdp;
  },

  // Keys come as {prefix, number, step, key} with arrays of numbers.
  ownKey(key) { return this.encryption.setOwnKey(this.unpacked(key)); },
  peerKey(participant, key) { return this.encryption.setPeerKey(participant, this.unpacked(key)); },
  unpacked({ prefix, number, step, key }) {
    return { prefix: Uint8Array.from(prefix), number, step, key: Uint8Array.from(key) };
  },
  assign(participant) {
    return this.encryption.setSlots([...this.ends.keys()].map((slot) => ({ slot, participant })));
  },

  /** {slot: {state, owner, counts, packets, received, decoded, size, energy, format}}. */
  async look() {
    const seen = {};
    for (const [slot, { receiver }] of this.ends) {
      const report = await receiver.getStats();
      const rtp = [...report.values()].find(({ type }) => type === 'inbound-rtp') ?? {};
      seen[slot] = {
        state: this.statuses[slot]?.state ?? null,
        owner: this.statuses[slot]?.owner ?? null,
        counts: this.statuses[slot]?.counts ?? {},
        packets: rtp.packetsReceived ?? 0,
        received: rtp.framesReceived ?? 0,
        decoded: rtp.framesDecoded ?? 0,
        size: `${rtp.frameWidth ?? 0}x${rtp.frameHeight ?? 0}`,
        energy: rtp.totalAudioEnergy ?? 0,
        format: report.get(rtp.codecId)?.mimeType.split('/')[1] ?? null,
      };
    }
    return seen;
  },

  close() {
    clearInterval(this.drawing);
    for (const { sender } of this.ends.values()) sender.track.stop();
    this.connection.close();
    this.encryption?.close();
    document.body.replaceChildren();
  },
};
