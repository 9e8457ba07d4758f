// Every sentence the page says to a person, in one place. Functions fill in names; nothing here touches the page.

export const Text = {
  appName: 'Viaduct',
  lead: 'Type the name of a conference. Everyone who types the same name meets there.',
  leadInvited: (conference) => `You are about to join “${conference}”.`,
  join: 'Join',
  joining: 'Joining…',
  conferenceMissing: 'Type the name of a conference first.',
  nameMissing: 'Type your name, so that the others know who you are.',
  mixed: 'One mixed sound.',
  mixedNote: 'The bridge mixes all voices into one for you, which is easier on weak devices; it has to listen to ' +
    'them for that.',
  joinUnmixed: 'Join without the mix',

  muteMicrophone: 'Mute microphone (m)',
  unmuteMicrophone: 'Unmute microphone (m)',
  stopCamera: 'Turn camera off (v)',
  startCamera: 'Turn camera on (v)',
  copyLink: 'Copy the link to this conference',
  linkCopied: 'Link copied. Send it to whoever should join.',
  linkToCopy: (link) => `Copy this link: ${link}`,
  leave: 'Leave the call',
  sealCall: 'Encrypt end to end, for everyone (e)',
  unsealCall: 'Stop encrypting end to end, for everyone (e)',
  sealRequired: 'This conference is encrypted end to end, always',

  shareScreen: 'Share your screen (s)',
  stopSharing: 'Stop sharing your screen (s)',
  screenOf: (name) => `${name}’s screen`,
  ownScreen: 'Your screen',
  ownScreenNote: 'The others see your screen',
  screenStarted: (name) => `${name} shares their screen`,
  screenEnded: (name) => `${name} no longer shares their screen`,
  screenFailed: (reason) => `The screen could not be shared (${reason}).`,
  toTiles: 'Show everyone in tiles of the same size (t)',
  toStage: 'Show whoever speaks large (t)',
  pin: (name) => `Pin ${name} (p)`,
  unpin: (name) => `Unpin ${name} (p)`,
  pinned: (name) => `${name} stays large until you unpin them`,
  unpinned: 'The large picture follows whoever speaks',
  paused: 'Paused: your connection is slow',
  speaks: (name) => `${name} speaks`,
  settings: 'Devices (d)',
  settingsTitle: 'Devices',
  help: 'Keyboard shortcuts (?)',
  helpTitle: 'Keyboard shortcuts',
  close: 'Close',

  openChat: (unread) => (unread > 0 ? `Chat, ${unread} unread (c)` : 'Chat (c)'),
  chatTitle: 'Chat',
  chatSealed: 'Messages are encrypted end to end. You see those written while you are here; the page keeps none.',
  chatPlain: 'The bridge can read messages; it keeps none. You see those written while you are here.',
  chatEmpty: 'Nobody has written yet.',
  chatField: 'Message to everyone',
  chatSend: 'Send',
  chatFrom: (name) => `Message from ${name}`,
  chatProblem: {
    plain: 'This message came unencrypted into an encrypted call, and was refused.',
    'no-key': 'This message cannot be opened: this browser does not have the key.',
    forged: 'This message was refused: it was not sealed by whom it is said to be from.',
  },
  chatNotSent: {
    'too-long': 'This message is too long. Send it in parts.',
    'no-key': 'Not sent: the keys for an encrypted message are not agreed on yet. Try again in a moment.',
    'not-joined': 'Not sent: you are not in the call now. Try again in a moment.',
  },

  somebody: 'Somebody',
  e2eeTurnedOn: (name) => `${name ?? 'You'} turned end-to-end encryption on`,
  e2eeTurnedOff: (name) => `${name ?? 'You'} turned end-to-end encryption off`,
  e2eeRequired: 'This conference requires end-to-end encryption: nobody can turn it off.',
  e2eeIncapable: 'This browser cannot encrypt end to end.',
  forwardedAgain: (kind) => `The others get your ${kind === 'audio' ? 'sound' : 'picture'} again`,

  dismiss: 'Dismiss',
  you: (name) => `${name} (you)`,
  people: (count) => (count === 1 ? 'Only you' : `${count} people`),
  more: (count) => `and ${count} more`,
  alone: 'You are the only one here. Send the link to someone.',
  cameraOff: 'Camera is off',
  microphoneOff: 'Microphone is off',
  personJoined: (name) => `${name} joined`,
  personLeft: (name) => `${name} left`,
  undecodable: (name, codec) => `${name} sends ${codec}, which this browser cannot show`,
  hear: 'Click to hear the others',
  sealedMark: (name) => `What ${name} sends is encrypted end to end`,
  sealedMarkSelf: 'What you send is encrypted end to end',

  reconnecting: 'Connection lost. Reconnecting…',
  returning: 'Reconnecting…',
  unreachable: 'The bridge cannot be reached, or a firewall keeps media (UDP) from it. Trying again…',
  reconnected: 'You are back in the call.',
  offline: 'This device is offline. The call continues as soon as the network is back.',

  left: (conference) => `You left “${conference}”`,
  leftReason: 'Your camera and microphone are off.',
  refused: 'You could not join',
  rejoin: 'Rejoin',
  tryAgain: 'Try again',
  back: 'Back to the start',

  deviceLabel: (kind, number) => `${DeviceKinds[kind]} ${number}`,
  noDevice: 'None found',
  systemSpeaker: 'As the system has it',
  microphoneReplaced: (label) => `Your microphone was unplugged. You speak through ${label || 'another one'} now`,
  speakerReplaced: 'Your loudspeaker was unplugged. You hear the others through another one now',
};

const DeviceKinds = { audioinput: 'Microphone', videoinput: 'Camera', audiooutput: 'Loudspeaker' };

/** How well a connection does, in words that need no picture or colour. */
export const QualityText = {
  levels: { good: 'Good', fair: 'Fair', poor: 'Poor' },
  reasons: {
    loss: (percent) => `${percent} % of it is lost on the way`,
    delay: (milliseconds) => `there is a long delay (${milliseconds} ms)`,
    freeze: 'the picture stands still at times',
    bandwidth: (kilobits) => `low bandwidth (${kilobits} kbit/s)`,
    paused: 'paused, your connection is slow',
    sending: 'low bandwidth for what you send',
  },
  told: (level, reason) => (reason ? `${level}: ${reason}` : level),
  own: (text) => `Your connection: ${text}`,
  of: (name, text) => `${name}’s connection: ${text}`,
};

/** [key, what it does] for the list of shortcuts. */
export const Shortcuts = [
  ['m', 'Mute or unmute your microphone'],
  ['v', 'Turn your camera on or off'],
  ['s', 'Share your screen, or stop'],
  ['e', 'Encrypt end to end, or stop, for everyone'],
  ['t', 'Show everyone in tiles, or whoever speaks large'],
  ['p', 'Pin the picture that has the focus, else the large one; or unpin it'],
  ['c', 'Open or close the chat'],
  ['d', 'Choose devices'],
  ['?', 'Show this list'],
  ['Tab', 'Go from one control to the next'],
  ['Esc', 'Close what is open'],
];

const Device = { audio: 'microphone', video: 'camera' };
const WithoutIt = {
  audio: 'you can listen, but nobody hears you',
  video: 'the others see your name instead of your picture',
};

/**
 * Why a camera or microphone is not there, from the name of the DOMException that getUserMedia threw, and what
 * follows.
 */
export function deviceProblem(kind, errorName) {
  const device = Device[kind];
  const meanwhile = `Until then ${WithoutIt[kind]}.`;
  switch (errorName) {
    case 'NotAllowedError':
    case 'SecurityError':
      return `The browser was not allowed to use the ${device}. Allow it in the address bar or the system settings ` +
        `and try again. ${meanwhile}`;
    case 'NotFoundError':
    case 'OverconstrainedError':
      return `No ${device} was found. Plug one in and turn it on here. ${meanwhile}`;
    case 'NotReadableError':
    case 'AbortError':
      return `The ${device} is in use by another program. Close that program and try again. ${meanwhile}`;
    case 'InsecureContext':
      return `Browsers lend the ${device} only to pages on https or localhost. Open this page with https. ${meanwhile}`;
    case 'Ended':
      return `The ${device} has stopped. Plug it in again and turn it on here. ${meanwhile}`;
    default:
      return `The ${device} could not be started (${errorName}). ${meanwhile}`;
  }
}

/** Why the bridge refused a request. The bridge's own sentence serves where this page knows no better one. */
export function refusal(code, message) {
  switch (code) {
    case 'token-required':
      return 'This bridge admits only people with an invitation. Open the complete link that you were sent.';
    case 'token-invalid':
      return 'Your invitation is not valid for this conference, or it has expired. Ask for a new one.';
    case 'conference-full':
      return 'This conference is full. Try again when somebody has left.';
    case 'bridge-full':
      return 'This bridge is full. Try again in a while.';
    case 'e2ee-unsupported':
      return 'Your invitation is to a conference that requires end-to-end encryption, and this browser cannot do ' +
        'that. Use a current Chromium, Firefox or Safari, and an address that begins with https.';
    case 'e2ee-not-required':
      return 'Your invitation is to a conference that requires end-to-end encryption, but this one was opened ' +
        'without it. Nothing of you was sent. When everybody has left it, whoever opens your invitation next opens ' +
        'it anew.';
    case 'mix-needs-plaintext':
      return 'This conference is encrypted end to end: the bridge cannot hear it, so it cannot mix it into one sound.';
    case 'mix-unavailable':
      return 'This bridge does not mix sound.';
    default:
      return message || 'The bridge refused the request.';
  }
}

const Words = [
  'none', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve',
];
const inWords = (count) => Words[count] ?? String(count);

/** "Ada", "Ada and Grace", "Ada, Grace and 3 others". */
export function listed(names) {
  const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} others`] : names;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

const whatSends = (names) => `what ${listed(names)} ${names.length === 1 && names[0] !== 'you' ? 'sends' : 'send'}`;

/** Who can hear and see the call, what the page knows of each leg, and how it knows. */
export const PrivacyText = {
  title: 'Who can hear and see this call?',
  connecting: 'Connecting…',
  onlyYou: (host) => `Only you are here. The bridge at ${host} can decrypt what you send; it keeps nothing`,
  onlyYouSealed: 'Only you are here, and what you send is encrypted end to end',
  sealed: (count) => `Only the ${inWords(count)} of you can hear and see this call`,
  sealedDirect: 'Only the two of you can hear and see this call. It goes directly between you',
  direct: 'This call goes directly between the two of you. The bridge carries none of it',
  bridge: (host) => `The bridge at ${host} can decrypt this call while it forwards it; it keeps nothing`,
  partly: (host, names) => `The bridge at ${host} can decrypt ${whatSends(names)}; it keeps nothing`,
  doubtful: (host, names) => `What ${listed(names)} ${names.length === 1 ? 'sends' : 'send'} looks unencrypted: the ` +
    `bridge at ${host} can probably decrypt it`,
  foreign: (name) => `What is shown as ${name} is encrypted with somebody else’s key`,
  agreeing: 'End-to-end encryption is on. Agreeing on keys…',
  checking: (names) => `End-to-end encryption is on. Checking ${whatSends(names)}…`,
  unopened: (names) => `End-to-end encryption is on, but this browser has no key for ${whatSends(names)}`,

  keyMissing: (name) => `${name}’s picture is encrypted with a key that this browser does not have`,
  soundKeyMissing: (name) => `${name}’s sound is encrypted with a key that this browser does not have`,
  contradicted: (name) => `${name} says that they encrypt, but their streams look unencrypted`,
  foreignNote: (name, owner) =>
    `Shown as ${name}, but encrypted with ${owner ? `${owner}’s key` : 'the key of somebody who is not ' + name}`,
  incapable: (name) => `${name}’s browser cannot encrypt end to end`,

  warnIncapableSelf: 'This browser cannot encrypt end to end: the bridge can decrypt what you send, and you cannot ' +
    'hear or see those who encrypt. Use a current Chromium, Firefox or Safari.',
  warnFailed: 'This browser could not start what encrypts sound and picture, so nothing is sent or shown. Reload ' +
    'the page.',
  warnIncapable: (name) => `${name}’s browser cannot encrypt end to end: the bridge can decrypt what ${name} sends, ` +
    `and ${name} cannot hear or see those who encrypt.`,
  warnNoFormatSelf: 'Your picture is not sent: end-to-end encryption needs VP8, VP9 or AV1, and this browser offers ' +
    'none of them. The others hear you.',
  warnNoFormat: (name) => `${name} sends no picture: end-to-end encryption needs VP8, VP9 or AV1, and ${name}’s ` +
    'browser offers none of them.',
  warnHeldBack: (kind, reason) => `The others do not get your ${kind === 'audio' ? 'sound' : 'picture'}: this ` +
    `conference requires end-to-end encryption, and ${reason === 'contradicted' ? 'what you send looks unencrypted.'
      : 'this browser does not encrypt what it sends.'}`,

  explain: {
    sealed: 'Sound and picture are encrypted in each browser with keys that only the participants have. The bridge ' +
      'forwards what it cannot read. It does see who is here, who speaks when, how much is sent, and addresses.',
    direct: 'Sound and picture flow between your two browsers, encrypted with keys that only the two have. The ' +
      'bridge has passed on their agreement, and it knows who is here.',
    bridge: 'Sound and picture are encrypted from each browser to the bridge, and from there to each other browser. ' +
      'Nobody on the network can read them. In between the bridge holds them in clear, in memory only.',
    mixed: (names) => `For ${listed(names)} the bridge decodes the sound of the others and mixes it into one. It ` +
      'keeps nothing of it.',
    sealNow: 'Turn end-to-end encryption on (e) so that the bridge cannot.',
  },
  compareTitle: 'Compare these digits',
  compareHow: 'Read them to each other: if everyone sees the same, nobody has put keys of their own in between.',
  compareMissing: 'Until the digits have been compared, only the server’s honesty keeps it from putting keys of its ' +
    'own in between.',
  comparePending: 'The digits to compare appear as soon as everyone’s keys are agreed on.',
  incomparable: (names) => `There is no agreement on keys with ${listed(names)}: the digits do not speak for them.`,
  trust: 'The code of this page comes from the same server. Whoever runs it could send another page.',

  legs: 'Each leg',
  you: 'You',
  sends: 'sends',
  receives: 'receives',
  paths: { direct: 'directly', bridge: 'through the bridge', none: 'nothing yet' },
  declares: 'declares end-to-end encryption',
  declaresNot: 'declares no end-to-end encryption',
  observed: {
    undecided: 'too little seen to tell',
    plain: 'looks like plain codec data',
    ciphertext: 'looks encrypted',
  },
  evidence: 'evidence, not proof',
  heldBack: { undeclared: 'held back: not declared encrypted', contradicted: 'held back: looks unencrypted' },
  readable: 'the bridge can decrypt it',
  mixed: 'the bridge decodes and mixes it',
  unreadable: 'the bridge cannot decrypt it',
  opened: 'opened here with their own key',
  kinds: { audio: 'sound', video: 'picture' },
  hopToBridge: 'To the bridge',
  hopDirect: 'Between the two',
  hop: ({ dtls_version: version, dtls_group: group, dtls_cipher: cipher, srtp_profile: profile }) =>
    [version, group, cipher, profile].filter(Boolean).join(', '),
  fingerprint: 'fingerprint',
  pending: 'Asking the bridge…',
};
