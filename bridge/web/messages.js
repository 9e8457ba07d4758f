// Every sentence the page says to a person, in one place. Functions fill in names; nothing here touches the page.

export const Text = {
  appName: 'Viaduct',
  lead: 'Type the name of a conference. Everyone who types the same name meets there.',
  leadInvited: (conference) => `You are about to join “${conference}”.`,
  join: 'Join',
  joining: 'Joining…',
  conferenceMissing: 'Type the name of a conference first.',
  nameMissing: 'Type your name, so that the others know who you are.',

  muteMicrophone: 'Mute microphone (m)',
  unmuteMicrophone: 'Unmute microphone (m)',
  stopCamera: 'Turn camera off (v)',
  startCamera: 'Turn camera on (v)',
  copyLink: 'Copy the link to this conference',
  linkCopied: 'Link copied. Send it to whoever should join.',
  linkToCopy: (link) => `Copy this link: ${link}`,
  leave: 'Leave the call',

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

  reconnecting: 'Connection lost. Reconnecting…',
  unreachable: 'The bridge cannot be reached, or a firewall keeps media (UDP) from it. Trying again…',
  reconnected: 'You are back in the call.',
  offline: 'This device is offline. The call continues as soon as the network is back.',

  left: (conference) => `You left “${conference}”`,
  leftReason: 'Your camera and microphone are off.',
  refused: 'You could not join',
  rejoin: 'Rejoin',
  tryAgain: 'Try again',
  back: 'Back to the start',

  privacy: (how) =>
    `Your picture and sound travel encrypted to the bridge${how ? ` (${how})` : ''}, and from there encrypted to ` +
    'each participant. Nobody on the network can read them. The bridge itself holds the keys in memory while the ' +
    'call lasts, so whoever runs it could.',

  deviceLabel: (kind, number) => `${kind === 'audioinput' ? 'Microphone' : 'Camera'} ${number}`,
  noDevice: 'None found',
};

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
    default:
      return message || 'The bridge refused the request.';
  }
}
