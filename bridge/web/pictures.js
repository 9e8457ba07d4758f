// Pictures as people and the bridge name them: "<participant id>" is somebody's camera, "<participant id>/screen" their
// screen. Our own are those of "self".

export const Self = 'self';
const ScreenEnding = '/screen';

export function pictureName(participant, content = 'camera') {
  return content === 'screen' ? participant + ScreenEnding : participant;
}

export function isScreenName(name) {
  return name.endsWith(ScreenEnding);
}

export function ownerOf(name) {
  return isScreenName(name) ? name.slice(0, -ScreenEnding.length) : name;
}
