// The page's icons, drawn as strokes on a 24 by 24 grid, and the one function that puts them into <svg
// data-icon="name">. They are built through the DOM, so the strictest content security policy lets them through.

const Paths = {
  logo: ['M2.5 8h19', 'M5 8v9', 'M12 8v9', 'M19 8v9', 'M5 17a3.5 4.5 0 0 1 7 0', 'M12 17a3.5 4.5 0 0 1 7 0'],
  mic: ['M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3z', 'M5.5 11a6.5 6.5 0 0 0 13 0', 'M12 17.5V21'],
  'mic-off': ['M9 9v2a3 3 0 0 0 5.1 2.1', 'M15 10.5V6a3 3 0 0 0-5.8-1', 'M5.5 11a6.5 6.5 0 0 0 10.7 5',
    'M18.2 12.8a6.5 6.5 0 0 0 .3-1.8', 'M12 17.5V21', 'M4 3.5l16 17'],
  camera: ['M4.5 6.5h8a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2z', 'M14.5 11l7-3.5v9l-7-3.5'],
  'camera-off': [
    'M9 6.5h3.5a2 2 0 0 1 2 2V11l7-3.5v9l-3.5-1.75',
    'M14.3 16.4a2 2 0 0 1-1.8 1.1h-8a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2h.5',
    'M4 3.5l16 17',
  ],
  leave: [
    'M3.5 15.2c-1.2-1.2-1-3.2.4-4.2a14 14 0 0 1 16.2 0c1.4 1 1.6 3 .4 4.2l-.6.6-4.1-1.4v-2.7a12 12 0 0 0-7.6 0' +
      'v2.7l-4.1 1.4z',
  ],
  link: [
    'M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7l-1 1',
    'M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1-1',
  ],
  lock: [
    'M6.5 10.5h11a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 19v-7a1.5 1.5 0 0 1 1.5-1.5z',
    'M8 10.5V7.5a4 4 0 0 1 8 0v3',
  ],
  'lock-open': [
    'M6.5 10.5h11a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 19v-7a1.5 1.5 0 0 1 1.5-1.5z',
    'M8 10.5V6.5a4 4 0 0 1 7.7-1.5',
  ],
  direct: ['M3 12h18', 'M7.5 7.5L3 12l4.5 4.5', 'M16.5 7.5L21 12l-4.5 4.5'],
  alarm: ['M12 4l9 15.5H3z', 'M12 10v4.5', 'M12 17.2v.1'],
  screen: [
    'M4 5h16a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 20 17H4a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 4 5z', 'M8 20.5h8',
    'M12 14V8.5', 'M9.5 10.8L12 8.3l2.5 2.5',
  ],
  tiles: ['M4 4.5h7v6.5H4z', 'M13.5 4.5h7v6.5h-7z', 'M4 13.5h7V20H4z', 'M13.5 13.5h7V20h-7z'],
  stage: ['M3.5 4.5h17v10h-17z', 'M4 18h4v2.5H4z', 'M10 18h4v2.5h-4z', 'M16 18h4v2.5h-4z'],
  chat: [
    'M4.5 5h15A1.5 1.5 0 0 1 21 6.5v9a1.5 1.5 0 0 1-1.5 1.5H11l-4.5 4v-4h-2A1.5 1.5 0 0 1 3 15.5v-9' +
      'A1.5 1.5 0 0 1 4.5 5z',
    'M7.5 9.5h9', 'M7.5 12.8h6',
  ],
  settings: ['M4 7h9', 'M17 7h3', 'M15 5v4', 'M4 12h3', 'M11 12h9', 'M9 10v4', 'M4 17h9', 'M17 17h3', 'M15 15v4'],
  help: ['M9 9a3 3 0 1 1 4.3 2.7c-.9.5-1.3 1-1.3 2.1', 'M12 17.2v.1', 'M12 3a9 9 0 1 1-.01 0z'],
  pin: ['M9 3.5h6l-.8 6 3.3 3.5H6.5l3.3-3.5z', 'M12 13v7.5'],
  unpin: ['M9 3.5h6l-.5 4', 'M9.7 9.5L6.5 13h7', 'M12 13v7.5', 'M4 3.5l16 17'],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  send: ['M4 12l16-7.5-5 15.5-3.5-6.5z', 'M11.5 13.5L20 4.5'],
  good: ['M5 20v-4', 'M12 20v-9', 'M19 20V5'],
  fair: ['M5 20v-4', 'M12 20v-9', 'M19 20v-.1'],
  poor: ['M5 20v-4', 'M12 20v-.1', 'M19 20v-.1'],
  sound: ['M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z', 'M15.5 9a4 4 0 0 1 0 6', 'M18 6.5a8 8 0 0 1 0 11'],
};

/** Draws the named icon into an <svg> element; a second call with another name replaces it. */
export function drawIcon(svg, name) {
  if (svg.dataset.drawn === name) return;
  svg.dataset.drawn = name;
  svg.setAttribute('viewBox', '0 0 24 24');
  if (!svg.hasAttribute('role')) svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('icon');
  svg.replaceChildren(...Paths[name].map((d) => {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', d);
    return path;
  }));
}

/** Draws every <svg data-icon> below `root`. */
export function drawIcons(root) {
  for (const svg of root.querySelectorAll('svg[data-icon]')) drawIcon(svg, svg.dataset.icon);
}

/** Makes a button show one icon and say one thing: its name for screen readers and its tooltip. */
export function labelButton(button, icon, text) {
  let svg = button.querySelector('svg');
  if (!svg) button.append(svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'));
  drawIcon(svg, icon);
  button.title = text;
  button.setAttribute('aria-label', text);
}
