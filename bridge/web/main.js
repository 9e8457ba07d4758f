// Starts the page: reads the address, then leads from the lobby to the call to the end screen and back.
//
//   /#standup                        an invitation to the conference "standup"
//   /#standup&token=...              the same with a join token
//   /#standup&e2ee=required          to one that must be encrypted end to end
//   ?conference=x&name=y&autojoin=1  for kiosks and tests; also width=, height=, fps= of the camera, codecs=VP8,H264 to
//                                    offer no others, e2ee=1 to turn end-to-end encryption on, direct=0 to stay with
//                                    the bridge, mixed=1 to hear one mix instead of single voices

import { Call } from './call.js';
import { CallView } from './call_view.js';
import { LocalMedia } from './devices.js';
import { drawIcons } from './icons.js';
import { Lobby } from './lobby.js';
import { recall, remember } from './memory.js';
import { refusal, Text } from './messages.js';
import { parts } from './page.js';
import { signallingUrl } from './signalling.js';

// Refusals of a mix: one may join without.
const MixRefusals = ['mix-unavailable', 'mix-needs-plaintext'];

const element = (id) => document.getElementById(id);
const address = readAddress();
const media = new LocalMedia(address.picture);
const lobby = new Lobby(element('lobby'), media);
const callView = new CallView(element('call'), element('tile'), media);
const ended = parts(element('ended'));
let call = null;

drawIcons(document);
lobby.addEventListener('join', ({ detail }) => startCall(detail));
callView.addEventListener('leave', () => call?.leave());
ended.back.addEventListener('click', openLobby);
window.addEventListener('pagehide', () => call?.leave());
window.addEventListener('hashchange', () => {
  const { conference } = readAddress();
  if (conference !== address.conference) location.reload();   // another invitation, opened in this tab
});

if (address.autojoin && address.conference && address.name) {
  media.open().then(() => startCall(address));
} else {
  openLobby();
}

function openLobby() {
  element('ended').hidden = true;
  document.title = Text.appName;
  lobby.open({ conference: address.conference, name: address.name || recall('name'), mixed: address.mixed });
}

function startCall({ conference, name, mixed }) {
  if (call && call.state !== 'ended') return;  // a second click while the devices were opening
  remember('name', name);
  address.conference = conference;
  address.name = name;
  address.mixed = mixed;
  if (readAddress().conference !== conference) history.replaceState(null, '', `#${encodeURIComponent(conference)}`);
  document.title = `${conference} · ${Text.appName}`;
  lobby.close();
  element('ended').hidden = true;
  const { token, formats, e2ee, requireE2ee, direct } = address;
  const url = signallingUrl(location.href);
  call = new Call({ url, conference, name, token, formats, e2ee, requireE2ee, direct, mixed }, media);
  call.addEventListener('ended', ({ detail }) => endCall(detail.refusal));
  callView.open(call);
  call.join();
}

function endCall(refused) {
  callView.close();
  media.close();
  ended.title.textContent = refused ? Text.refused : Text.left(address.conference);
  ended.reason.textContent = refused ? refusal(refused.code, refused.message) : Text.leftReason;
  const isMixRefused = MixRefusals.includes(refused?.code);
  if (isMixRefused) address.mixed = false;
  ended.rejoin.textContent = isMixRefused ? Text.joinUnmixed : refused ? Text.tryAgain : Text.rejoin;
  ended.back.textContent = Text.back;
  ended.rejoin.onclick = async () => {
    await media.open();
    startCall(address);
  };
  element('ended').hidden = false;
  ended.title.focus();
}

function readAddress() {
  const query = new URLSearchParams(location.search);
  const [invited, ...rest] = location.hash.slice(1).split('&');
  const invitation = new URLSearchParams(rest.join('&'));
  const number = (key, fallback) => Number(query.get(key)) || fallback;
  return {
    conference: query.get('conference') ?? decode(invited),
    name: query.get('name') ?? '',
    token: query.get('token') ?? invitation.get('token') ?? '',
    e2ee: query.get('e2ee') === '1',
    requireE2ee: invitation.get('e2ee') === 'required',
    direct: query.get('direct') !== '0',
    mixed: query.get('mixed') === '1',
    autojoin: query.get('autojoin') === '1',
    formats: query.get('codecs')?.split(',') ?? null,
    picture: { width: number('width', 1280), height: number('height', 720), fps: number('fps', 30) },
  };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Read-only, for tests and the curious at the console. */
Object.defineProperty(window, 'viaduct', {
  value: Object.freeze({
    get state() { return call?.state ?? 'lobby'; },
    get view() { return call?.view() ?? null; },
    stats: () => call?.stats() ?? Promise.resolve(null),
  }),
});
