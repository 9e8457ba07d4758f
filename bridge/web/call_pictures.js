// The pictures of a call as the tiles want them, of what Call tells and of our own devices. Pure: values in, values
// out.

import { Text } from './messages.js';
import { pictureName, Self } from './pictures.js';
import { isShowable, standing, tileNote } from './privacy.js';

/**
 * In order of arrival: somebody's camera, then their screen; ours last. `stage` tells what is large and pinned,
 * `quality(id)` how somebody's connection does, `media` is a LocalMedia, `isSpeaking` whether our microphone is loud.
 */
export function picturesOf(view, { stage, quality, media, isSpeaking }) {
  const { onStage, pinned } = stage;
  const others = view.people.flatMap((person) => [
    cameraOf(person, view, quality(person.id)),
    ...(person.screen ? [screenOf(person)] : []),
  ]);
  return [...others, ...ownPictures(view.self, media, isSpeaking)]
    .map((picture) => ({ ...picture, isPinned: picture.id === pinned, isOnStage: picture.id === onStage }));
}

function cameraOf(person, view, quality) {
  const nameOf = (id) => (id === view.self.id ? view.self.name : view.people.find((other) => other.id === id)?.name);
  const { id, name, undecodable, videoMuted } = person;
  const strange = undecodable && !videoMuted ? Text.undecodable(name, undecodable) : null;
  return {
    id: pictureName(id), participant: id, name, isSelf: false, isScreen: false,
    audioMuted: person.audioMuted, videoMuted, path: person.path, speaking: person.speaking,
    track: undecodable || !isShowable(person) ? null : person.track,
    paused: person.paused && !videoMuted,
    sealed: isSealed(person),
    quality,
    note: tileNote(person, { e2ee: view.e2ee, nameOf }) ?? strange,
  };
}

function screenOf(person) {
  const { id, name, screen } = person;
  return {
    id: pictureName(id, 'screen'), participant: id, name, isSelf: false, isScreen: true, audioMuted: false,
    videoMuted: false, path: screen.path, speaking: false, track: isShowable(person) ? screen.track : null,
    paused: screen.paused, sealed: isSealed(person), quality: null, note: null,
  };
}

function ownPictures(self, media, isSpeaking) {
  const common = { participant: Self, name: self.name, isSelf: true, path: null, paused: false, sealed: self.sealed };
  const camera = {
    ...common, id: Self, isScreen: false, audioMuted: media.muted.audio, videoMuted: media.muted.video,
    track: media.tracks.video, speaking: self.speaking || isSpeaking, quality: null, note: null,
  };
  if (!media.screen.track) return [camera];
  return [camera, {
    ...common, id: pictureName(Self, 'screen'), isScreen: true, audioMuted: false, videoMuted: false,
    track: media.screen.track, speaking: false, quality: null, note: Text.ownScreenNote,
  }];
}

function isSealed(person) {
  return person.media.state === 'open' && standing(person) === 'sealed';
}
