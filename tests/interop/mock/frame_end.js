// Injected into a blank page: one end of a connection that sends a drawn picture and a tone and receives the other
// end's, through the page's own frame encryption. The test carries the session descriptions between two of them.

window.end = {
  async open({ codec, descriptor = false, streams = false, encrypts = true } = {}) {
    if (streams) delete window.RTCRtpScriptTransform;       // a Chromium that has encoded streams only
    const { FrameEncryption } = await import('/e2ee/encryption.js');
    this.statuses = {};
    this.history = [];
    this.encryption = encrypts ? new FrameEncryption() : null;
    this.encryption?.addEventListener('failed', () => console.error('the worker failed'));
    this.encryption?.addEventListener('status', ({ detail }) => {
      if (this.statuses[detail.slot]?.state !== detail.state) this.history.push(`${detail.slot} ${detail.state}`);
      this.statuses[detail.slot] = detail;
    });
    this.connection = new RTCPeerConnection(FrameEncryption.connectionOptions());
    for (const track of await this.makeTracks()) {
      const sender = this.connection.addTrack(track);        // unlike addTransceiver, an offer takes these up
      const transceiver = this.connection.getTransceivers().find((candidate) => candidate.sender === sender);
      this.encryption?.attachSender(sender, { kind: track.kind });
      this.encryption?.attachReceiver(transceiver.receiver, { kind: track.kind, slot: track.kind });
      if (track.kind === 'video') this.prepareVideo(transceiver, codec, descriptor);
      this.play(transceiver.receiver.track);
    }
  },

  // The browser's made-up microphone, and a canvas, because its size can be changed at will.
  async makeTracks() {
    this.canvas = document.createElement('canvas');
    this.resize(320, 180);
    const context = this.canvas.getContext('2d');
    let drawn = 0;
    this.drawing = setInterval(() => {
      const { width, height } = this.canvas;
      for (let i = 0; i < 4; ++i) {
        context.fillStyle = `hsl(${(drawn * 7 + i * 90) % 360} 80% 50%)`;
        context.fillRect((i * width) / 4, 0, width / 4, height);
      }
      context.fillStyle = '#fff';
      context.fillRect((drawn++ * 5) % width, height / 3, width / 8, height / 3);
    }, 1000 / 15);
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
    this.tracks = [...microphone.getTracks(), ...this.canvas.captureStream(15).getTracks()];
    return this.tracks;
  },

  resize(width, height) { Object.assign(this.canvas, { width, height }); },

  prepareVideo(transceiver, codec, descriptor) {
    const { codecs } = RTCRtpReceiver.getCapabilities('video');
    const first = codecs.filter(({ mimeType }) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`);
    transceiver.setCodecPreferences([...first, ...codecs.filter(({ mimeType }) => mimeType === 'video/rtx')]);
    if (!transceiver.setHeaderExtensionsToNegotiate) return;
    transceiver.setHeaderExtensionsToNegotiate(transceiver.getHeaderExtensionsToNegotiate().map((extension) =>
      extension.uri.includes('dependency-descriptor')
        ? { ...extension, direction: descriptor ? 'sendrecv' : 'stopped' }
        : extension,
    ));
  },

  play(track) {
    const element = document.createElement(track.kind);
    element.srcObject = new MediaStream([track]);
    element.autoplay = true;
    document.body.append(element);
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

  /** Keys come as arrays of numbers: {prefix, number, step, key}. */
  ownKey({ prefix, key, ...rest }) {
    return this.encryption.setOwnKey({ prefix: Uint8Array.from(prefix), key: Uint8Array.from(key), ...rest });
  },
  peerKey(participant, { prefix, key, ...rest }) {
    return this.encryption.setPeerKey(participant,
      { prefix: Uint8Array.from(prefix), key: Uint8Array.from(key), ...rest });
  },

  async look() {
    const report = [...(await this.connection.getStats()).values()];
    const inbound = (kind) => report.find((entry) => entry.type === 'inbound-rtp' && entry.kind === kind) ?? {};
    const outbound = report.find((entry) => entry.type === 'outbound-rtp' && entry.kind === 'video') ?? {};
    const video = inbound('video');
    return {
      state: this.connection.connectionState,
      codec: report.find((entry) => entry.id === video.codecId)?.mimeType ?? null,
      packets: video.packetsReceived ?? 0,
      received: video.framesReceived ?? 0,
      decoded: video.framesDecoded ?? 0,
      keyFrames: video.keyFramesDecoded ?? null,
      size: `${video.frameWidth ?? 0}x${video.frameHeight ?? 0}`,
      audioPackets: inbound('audio').packetsReceived ?? 0,
      energy: inbound('audio').totalAudioEnergy ?? 0,
      encoded: outbound.framesEncoded ?? 0,
      plis: outbound.pliCount ?? 0,
      slots: this.statuses,
    };
  },

  close() {
    clearInterval(this.drawing);
    this.connection.close();
    this.encryption?.close();
    for (const track of this.tracks) track.stop();
    document.body.replaceChildren();
  },
};
