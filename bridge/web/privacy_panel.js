// The sentence in the header that says who can hear and see the call, and the panel with what stands behind it. While
// the panel is open the bridge is asked again and again. What is said is decided in privacy.js.

import { drawIcon } from './icons.js';
import { PrivacyText } from './messages.js';
import { details, summarize } from './privacy.js';

const AskMilliseconds = 2_000;
const Icons = { sealed: 'lock', direct: 'direct', open: 'lock-open', alarm: 'alarm', unsure: 'lock-open' };

export class PrivacyPanel {
  #details;
  #icon;
  #sentence;
  #panel;
  #ask;
  #view = null;
  #shown = '';
  #timer = null;

  /** `parts` of the call's screen; `ask()` asks the bridge for a report, which a later `show()` brings. */
  constructor({ privacy, 'privacy-icon': icon, 'privacy-sentence': sentence, 'privacy-panel': panel }, ask) {
    this.#details = privacy;
    this.#icon = icon;
    this.#sentence = sentence;
    this.#panel = panel;
    this.#ask = ask;
    privacy.addEventListener('toggle', () => this.#toggled());
    document.addEventListener('click', ({ target }) => { if (!privacy.contains(target)) privacy.open = false; });
    document.addEventListener('keydown', ({ key }) => { if (key === 'Escape') privacy.open = false; });
  }

  show(view) {
    this.#view = view;
    const { level, sentence } = summarize(view);
    drawIcon(this.#icon, Icons[level]);
    this.#details.dataset.level = level;
    if (this.#sentence.textContent !== sentence) this.#sentence.textContent = sentence;
    this.#sentence.parentElement.title = sentence;
    if (this.#details.open) this.#render();
  }

  close() {
    this.#details.open = false;
    this.#view = null;
  }

  #toggled() {
    clearInterval(this.#timer);
    if (!this.#details.open || !this.#view) return;
    this.#timer = setInterval(() => this.#ask(), AskMilliseconds);
    this.#ask();
    this.#render();
  }

  // Drawn anew only when something of it is different: whoever selects or reads it is not to be disturbed.
  #render() {
    const found = details(this.#view);
    const key = JSON.stringify(found);
    if (key === this.#shown) return;
    this.#shown = key;
    const { scrollTop } = this.#panel;
    this.#panel.replaceChildren(
      make('h2', found.sentence),
      ...found.paragraphs.slice(0, -1).map((text) => make('p', text)),
      ...digits(found),
      make('p', found.paragraphs.at(-1)),
      make('h3', PrivacyText.legs),
      ...(found.legs ?? []).map(leg),
      ...(found.legs ? [] : [make('p', PrivacyText.pending)]),
    );
    this.#panel.scrollTop = scrollTop;
  }
}

function digits({ digits: found, digitsNote }) {
  const note = digitsNote ? [make('p', digitsNote)] : [];
  return found ? [make('h3', found.title), make('p', found.text, 'digits'), make('p', found.how), ...note] : note;
}

function leg({ name, lines }) {
  const section = make('section', '');
  const list = make('dl', '');
  for (const [label, text] of lines) {
    const row = make('div', '', label === PrivacyText.fingerprint ? 'fine' : '');
    row.append(make('dt', label), make('dd', text));
    list.append(row);
  }
  section.append(make('h4', name), list);
  return section;
}

function make(tag, text, className = '') {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}
