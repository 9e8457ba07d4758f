// Small helpers for the page's elements.

import { Text } from './messages.js';

/** The elements below `root` that have data-part, by its value. */
export function parts(root) {
  return Object.fromEntries(
    [...root.querySelectorAll('[data-part]')].map((element) => [element.dataset.part, element]),
  );
}

/**
 * Shows each sentence as a paragraph that the person can dismiss; one that was dismissed stays away until it has not
 * been said for once. Paragraphs that stay are left alone, so that a screen reader says them once.
 */
export function showNotices(element, sentences) {
  const texts = sentences.filter(Boolean);
  for (const shown of [...element.children]) if (!texts.includes(shown.dataset.text)) shown.remove();
  for (const text of texts) {
    if ([...element.children].some((shown) => shown.dataset.text === text)) continue;
    const notice = document.createElement('p');
    notice.dataset.text = text;
    const dismiss = Object.assign(document.createElement('button'), {
      type: 'button',
      textContent: '×',
      title: Text.dismiss,
    });
    dismiss.setAttribute('aria-label', Text.dismiss);
    dismiss.addEventListener('click', () => { notice.hidden = true; });
    notice.append(text, dismiss);
    element.append(notice);
  }
}

const Keys = {
  m: 'audio', v: 'video', s: 'screen', e: 'seal', t: 'view', p: 'pin', c: 'chat', d: 'settings', '?': 'help',
};

/**
 * Calls `onKey` with what a key means ("audio" for m ...), unless the person types, means a shortcut of the browser, or
 * is in a window over the page, which only the key that opens it closes.
 */
export function listenForShortcuts(onKey) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest?.('input, textarea, select')) return;
    const meaning = Keys[event.key.toLowerCase()];
    const dialog = document.querySelector('dialog[open]');
    if (!meaning || (dialog && dialog.dataset.part !== meaning)) return;
    event.preventDefault();                  // or the letter lands in the field that it opens
    onKey(meaning);
  });
}
