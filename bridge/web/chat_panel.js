// The chat beside the pictures: what was written, as text and nothing else, and the field to write in.

import { Text } from './messages.js';

/** Fires `toggle` when it opens or closes. */
export class ChatPanel extends EventTarget {
  #panel;
  #list;
  #field;
  #problem;
  #note;
  #call = null;
  #shown = 0;                                // number of the last entry that stands here
  #returnTo = null;                          // what had the focus before
  #onChange = () => this.#render();

  /** `parts` of the call's screen. */
  constructor(parts) {
    super();
    const { 'chat-panel': panel, 'chat-list': list, 'chat-form': form, 'chat-field': field } = parts;
    this.#panel = panel;
    this.#list = list;
    this.#field = field;
    this.#problem = parts['chat-problem'];
    this.#note = parts['chat-note'];
    parts['chat-title'].textContent = Text.chatTitle;
    parts['chat-send'].title = Text.chatSend;
    parts['chat-send'].setAttribute('aria-label', Text.chatSend);
    parts['chat-close'].title = Text.close;
    parts['chat-close'].setAttribute('aria-label', Text.close);
    parts['chat-close'].addEventListener('click', () => this.close());
    field.placeholder = Text.chatField;
    field.setAttribute('aria-label', Text.chatField);
    form.addEventListener('submit', (event) => this.#submit(event));
    field.addEventListener('keydown', (event) => this.#typed(event));
    panel.addEventListener('keydown', ({ key }) => { if (key === 'Escape') this.close(); });
  }

  get isOpen() { return !this.#panel.hidden; }

  attach(call) {
    this.#call = call;
    this.#shown = 0;
    this.#list.replaceChildren();
    call.chat.addEventListener('change', this.#onChange);
    this.#render();
  }

  detach() {
    this.#call?.chat.removeEventListener('change', this.#onChange);
    this.#panel.hidden = true;
    this.#call = null;
    this.#field.value = '';
    this.#list.replaceChildren();            // nothing of it outlives the call
  }

  open() {
    if (this.isOpen) return;
    this.#returnTo = document.activeElement;
    this.#panel.hidden = false;
    this.#call.chat.watch(true);
    this.#render();
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#field.focus();
    this.dispatchEvent(new Event('toggle'));
  }

  close() {
    if (!this.isOpen) return;
    this.#panel.hidden = true;
    this.#call?.chat.watch(false);
    this.#returnTo?.focus?.({ preventScroll: true });
    this.dispatchEvent(new Event('toggle'));
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  /** Whether what is written is encrypted end to end. */
  show({ isSealed }) {
    const note = isSealed ? Text.chatSealed : Text.chatPlain;
    if (this.#note.textContent !== note) this.#note.textContent = note;
  }

  #typed(event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit(event);
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.#field.value;
    const problem = await this.#call.say(text);
    this.#problem.textContent = Text.chatNotSent[problem] ?? '';
    this.#problem.hidden = !Text.chatNotSent[problem];
    if (problem === null && this.#field.value === text) this.#field.value = '';
  }

  // Only what is new is added: whoever reads or selects is not to be disturbed.
  #render() {
    if (!this.#call || !this.isOpen) return;
    const { entries } = this.#call.chat;
    const isAtEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    const oldest = entries[0]?.number ?? Infinity;
    for (const item of [...this.#list.children]) if (Number(item.dataset.number || 0) < oldest) item.remove();
    for (const entry of entries.filter(({ number }) => number > this.#shown)) this.#list.append(itemOf(entry));
    this.#shown = entries.at(-1)?.number ?? 0;
    if (entries.length === 0) this.#list.replaceChildren(make('li', 'chat-empty', Text.chatEmpty));
    if (isAtEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

// Text only: what looks like a link or like markup stays what it looks like.
function itemOf({ number, name, text, problem, isOwn }) {
  const item = make('li', `${isOwn ? 'own' : ''} ${problem ? 'refused' : ''}`, '');
  item.dataset.number = number;
  const body = make('p', 'chat-text', problem ? Text.chatProblem[problem] : text);
  body.dir = problem ? 'ltr' : 'auto';
  item.append(make('b', 'chat-name', isOwn ? Text.you(name) : name), body);
  return item;
}

function make(tag, className, textContent) {
  return Object.assign(document.createElement(tag), { className, textContent });
}
