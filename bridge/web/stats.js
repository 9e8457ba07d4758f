// getStats, boiled down to what a person who watches a call, or a test, wants to know. The same fields in every
// browser.

const DtlsVersions = { FEFF: 'DTLSv1', FEFD: 'DTLSv1.2', FEFC: 'DTLSv1.3' };

/**
 * {state, transport, sending: [{kind, rid, codec, packets, bytes, frames, width, height, lossRatio, delay}],
 *  slots: [{mid, kind, codec, packets..., frames..., freezes..., energy}]}. Times in seconds; the energy is the
 * specification's totalAudioEnergy. What is sent in several sizes has an entry for each.
 */
export async function summarize(connection, senders, slots) {
  const sending = await Promise.all(Object.entries(senders).map(([kind, { sender }]) => outbound(kind, sender)));
  const receiving = await Promise.all([...slots].map(([mid, slot]) => inbound(mid, slot)));
  return {
    state: connection.connectionState,
    transport: await transport(connection),
    sending: sending.flat(),
    slots: receiving,
  };
}

export async function outbound(kind, sender) {
  const report = await sender.getStats();
  return ofType(report, 'outbound-rtp').map((rtp) => ({
    kind,
    rid: rtp.rid ?? null,
    active: rtp.active ?? null,
    codec: codecName(report, rtp),
    mode: rtp.scalabilityMode ?? null,
    limitedBy: rtp.qualityLimitationReason ?? 'none',
    lossRatio: report.get(rtp.remoteId)?.fractionLost ?? 0,
    delay: report.get(rtp.remoteId)?.roundTripTime ?? 0,
    packets: rtp.packetsSent,
    bytes: rtp.bytesSent,
    frames: rtp.framesEncoded ?? 0,
    width: rtp.frameWidth ?? 0,
    height: rtp.frameHeight ?? 0,
    keyFrames: rtp.keyFramesEncoded ?? 0,
    nacks: rtp.nackCount ?? 0,
    plis: rtp.pliCount ?? 0,
    resent: rtp.retransmittedPacketsSent ?? 0,
  }));
}

export async function inbound(mid, { kind, transceiver }) {
  const report = await transceiver.receiver.getStats();
  const [rtp = {}] = ofType(report, 'inbound-rtp');
  return {
    mid,
    kind,
    codec: codecName(report, rtp),
    packetsReceived: rtp.packetsReceived ?? 0,
    bytesReceived: rtp.bytesReceived ?? 0,
    packetsLost: rtp.packetsLost ?? 0,
    jitter: rtp.jitter ?? 0,
    bufferDelay: rtp.jitterBufferDelay ?? 0,
    bufferEmitted: rtp.jitterBufferEmittedCount ?? 0,
    framesReceived: rtp.framesReceived ?? 0,
    framesDecoded: rtp.framesDecoded ?? 0,
    framesDropped: rtp.framesDropped ?? 0,
    freezeCount: rtp.freezeCount ?? 0,
    totalFreezesDuration: rtp.totalFreezesDuration ?? 0,
    width: rtp.frameWidth ?? 0,
    height: rtp.frameHeight ?? 0,
    totalAudioEnergy: rtp.totalAudioEnergy ?? 0,
    totalSamplesReceived: rtp.totalSamplesReceived ?? 0,
    concealedSamples: rtp.concealedSamples ?? 0,
    nacks: rtp.nackCount ?? 0,
    plis: rtp.pliCount ?? 0,
  };
}

async function transport(connection) {
  const report = await connection.getStats();
  const [found = {}] = ofType(report, 'transport');
  const { dtlsState = null, dtlsCipher = null, srtpCipher = null, tlsVersion = null } = found;
  return { dtlsState, dtlsCipher, srtpCipher, tlsVersion };
}

/**
 * What a receiver has decoded so far: {sound: samples, pictures: frames, packets}. The samples that a starved receiver
 * makes up are left out.
 */
export async function arrivals(receiver) {
  const [rtp = {}] = ofType(await receiver.getStats(), 'inbound-rtp');
  return {
    sound: (rtp.totalSamplesReceived ?? 0) - (rtp.concealedSamples ?? 0),
    pictures: rtp.framesDecoded ?? 0,
    packets: rtp.packetsReceived ?? 0,
  };
}

/**
 * What protects a connection, in the words of the bridge's own report: {dtls_version, dtls_cipher, srtp_profile,
 * local_fingerprint, remote_fingerprint}, empty strings for what the browser does not tell.
 */
export async function protection(connection) {
  const { dtlsCipher, srtpCipher, tlsVersion } = await transport(connection);
  const fingerprint = (description) => /^a=fingerprint:(.+?)\r?$/m.exec(description?.sdp ?? '')?.[1] ?? '';
  return {
    dtls_version: DtlsVersions[tlsVersion?.toUpperCase()] ?? tlsVersion ?? '',
    dtls_cipher: dtlsCipher ?? '',
    srtp_profile: srtpCipher ?? '',
    local_fingerprint: fingerprint(connection.currentLocalDescription),
    remote_fingerprint: fingerprint(connection.currentRemoteDescription),
  };
}

function ofType(report, type) {
  return [...report.values()].filter((entry) => entry.type === type);
}

function codecName(report, rtp) {
  return report.get(rtp.codecId)?.mimeType.split('/')[1] ?? null;
}
