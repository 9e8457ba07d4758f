// Who can hear and see the call, in sentences: from what the page itself knows (Call's view) and, for the details, what
// the bridge reports. Pure: values in, sentences out. It claims nothing that does not hold for everyone in the call,
// and where the bridge's word and the page's own eyes differ, the eyes count.

import { PrivacyText as Text } from './messages.js';

/**
 * What somebody's streams are worth when the call is to be encrypted end to end: 'sealed'; 'clear' (not even declared);
 * 'contradicted' (looks plain, here or at the bridge); 'foreign' (opens with another participant's key); 'unopened'
 * (no key for it here); 'unproved' (declared, and nothing seen of it yet).
 */
export function standing({ e2ee, media, audioMuted, videoMuted }) {
  if (media.state === 'foreign') return 'foreign';
  if (!e2ee.declared) return 'clear';
  if (e2ee.verdict === 'contradicted' || media.state === 'refused' || media.state === 'plain') return 'contradicted';
  if (media.state === 'wrong-key' || media.state === 'waiting') return 'unopened';
  if (media.state === 'settling') return 'unproved';
  const silent = audioMuted && videoMuted;   // there is nothing that could be seen
  return media.state === 'open' || e2ee.verdict === 'consistent' || silent ? 'sealed' : 'unproved';
}

/** {level, sentence} for the header; level: 'sealed', 'direct', 'open' (the bridge can decrypt), 'alarm', 'unsure'. */
export function summarize(view) {
  const { state, host, self, people, e2ee, path } = view;
  if (state !== 'in-call') return { level: 'unsure', sentence: Text.connecting };
  if (people.length === 0) {
    return self.sealed ? { level: 'sealed', sentence: Text.onlyYouSealed } :
      { level: 'open', sentence: Text.onlyYou(host) };
  }
  const named = (wanted) => people.filter((person) => standing(person) === wanted).map(({ name }) => name);
  const [foreign] = named('foreign');
  if (foreign !== undefined) return { level: 'alarm', sentence: Text.foreign(foreign) };
  const clear = [...named('clear'), ...(self.sealed ? [] : ['you'])];
  const isSealed = e2ee.wanted && self.sealed && people.every((person) => standing(person) === 'sealed');
  if (path === 'direct') {
    return isSealed && speaksForAll(view) ? { level: 'sealed', sentence: Text.sealedDirect } :
      { level: 'direct', sentence: Text.direct };
  }
  if (clear.length === people.length + 1) return { level: 'open', sentence: Text.bridge(host) };
  if (clear.length > 0) return { level: 'open', sentence: Text.partly(host, clear) };
  const doubtful = named('contradicted');
  if (doubtful.length > 0) return { level: 'alarm', sentence: Text.doubtful(host, doubtful) };
  const unopened = named('unopened');
  if (unopened.length > 0) return { level: 'unsure', sentence: Text.unopened(unopened) };
  if (!speaksForAll(view)) return { level: 'unsure', sentence: Text.agreeing };
  const unproved = named('unproved');
  if (unproved.length > 0) return { level: 'unsure', sentence: Text.checking(unproved) };
  return { level: 'sealed', sentence: Text.sealed(people.length + 1) };
}

/** Whether keys are agreed on with everyone who is here, which is what the digits to compare are about. */
export function speaksForAll({ people, e2ee }) {
  const members = new Set(e2ee.comparison?.participants ?? []);
  return people.every(({ id }) => members.has(id));
}

/** What stands on somebody's tile about encryption; null for nothing. `nameOf(id)` gives a name or undefined. */
export function tileNote(person, { e2ee, nameOf }) {
  const { name, media, videoMuted } = person;
  const sealing = e2ee.wanted || person.e2ee.declared;
  switch (standing(person)) {
    case 'foreign':
      return Text.foreignNote(name, nameOf(media.owner));
    case 'unopened':
      return videoMuted ? Text.soundKeyMissing(name) : Text.keyMissing(name);
    case 'contradicted':
      return sealing ? Text.contradicted(name) : null;
    case 'clear':
      if (media.state === 'wrong-key' || media.state === 'waiting') {
        return videoMuted ? Text.soundKeyMissing(name) : Text.keyMissing(name);
      }
      return e2ee.wanted && !person.e2ee.capable ? Text.incapable(name) : null;
    default:
      return null;
  }
}

/** Whether what arrives is a picture at all: what cannot be opened must not stand still on the screen instead. */
export function isShowable({ media }) {
  return !['wrong-key', 'waiting', 'refused'].includes(media.state);
}

/** The sentences that stay on the screen while they are true. */
export function warnings({ self, people, e2ee }) {
  if (self.failed) return [Text.warnFailed];
  if (!e2ee.wanted) return [];
  const held = ['audio', 'video'].filter((kind) => self.heldBack[kind])
    .map((kind) => Text.warnHeldBack(kind, self.heldBack[kind]));
  const own = !self.capable ? Text.warnIncapableSelf : !self.canSealVideo ? Text.warnNoFormatSelf : null;
  const theirs = people.filter((person) => !person.e2ee.capable).map(({ name, e2ee: { declared } }) =>
    (declared ? Text.warnNoFormat(name) : Text.warnIncapable(name)));
  return [own, ...held, ...theirs].filter(Boolean);
}

/**
 * What stands behind the sentence: {sentence, paragraphs, digits: {text, title, how} or null, legs: [{name, lines}]},
 * lines of [label, text].
 */
export function details(view) {
  const { sentence, level } = summarize(view);
  const { e2ee, path, report } = view;
  const digits = e2ee.comparison?.text ?? null;
  const outside = view.people.filter(({ agreed }) => agreed !== 'agreed').map(({ name }) => name);
  const isPrivate = level === 'sealed' || level === 'direct';
  return {
    sentence,
    paragraphs: [
      Text.explain[path === 'direct' ? 'direct' : level === 'sealed' ? 'sealed' : 'bridge'],
      mixedFor(view).length > 0 && Text.explain.mixed(mixedFor(view)),
      !e2ee.wanted && path !== 'direct' && view.self.capable && Text.explain.sealNow,
      isPrivate && view.people.length > 0 && Text.compareMissing,
      Text.trust,
    ].filter(Boolean),
    digits: digits && view.people.length > 0 ? { text: digits, title: Text.compareTitle, how: Text.compareHow } : null,
    digitsNote: view.people.length === 0 ? null :
      outside.length > 0 ? Text.incomparable(outside) : digits ? null : Text.comparePending,
    legs: report ? legs(view) : null,
  };
}

// Who hears a mix.
function mixedFor({ self, people }) {
  const names = people.filter(({ mixed }) => mixed).map(({ name }) => name);
  return self.mixed ? ['you', ...names] : names;
}

function legs({ self, people, report, direct }) {
  const own = new Map(people.map((person) => [person.id, person]));
  const nameOf = (id) => (id === self.id ? Text.you : own.get(id)?.name ?? id);
  return (Array.isArray(report.participants) ? report.participants : []).map((participant) => ({
    name: nameOf(participant.id),
    lines: [
      ...list(participant.sends).map((stream) => [Text.sends, sending(stream, participant, own.get(participant.id))]),
      ...receptions(participant, nameOf),
      ...hops(participant, participant.id === self.id ? direct.protection : null),
    ],
  }));
}

function sending(stream, participant, person) {
  const observed = Text.observed[stream.observed];
  const isDirect = participant.path === 'direct';
  return `${Text.kinds[stream.kind] ?? stream.kind} ${Text.paths[participant.path] ?? ''}: ` + [
    stream.declared ? Text.declares : Text.declaresNot,
    !isDirect && observed && `${observed} (${Text.evidence})`,
    person?.media.state === 'open' && stream.declared && Text.opened,
    Text.heldBack[stream.held_back],
    list(stream.readable_by).includes('bridge') ? Text.readable : Text.unreadable,
  ].filter(Boolean).join('; ');
}

function receptions(participant, nameOf) {
  const bySender = new Map();
  for (const { kind, participant: from, path, readable_by: readers, mixed } of list(participant.receives)) {
    const key = JSON.stringify([from, path, list(readers).includes('bridge'), Boolean(mixed)]);
    bySender.set(key, [...(bySender.get(key) ?? []), Text.kinds[kind] ?? kind]);
  }
  return [...bySender].map(([key, kinds]) => {
    const [from, path, isReadable, isMixed] = JSON.parse(key);
    const what = [...new Set(kinds)].sort().reverse().join(' and ');
    const secrecy = isMixed ? Text.mixed : isReadable ? Text.readable : Text.unreadable;
    return [Text.receives, `${nameOf(from)}, ${what} ${Text.paths[path] ?? ''}; ${secrecy}`];
  });
}

function hops({ hop, direct }, seenHere) {
  const lines = [];
  if (hop) lines.push([Text.hopToBridge, Text.hop(hop)], [Text.fingerprint, hop.participant_fingerprint]);
  const between = seenHere ?? direct;
  if (between) lines.push([Text.hopDirect, Text.hop(between)], [Text.fingerprint, between.local_fingerprint]);
  return lines.filter(([, text]) => text);
}

function list(value) {
  return Array.isArray(value) ? value : [];
}
