// What this browser remembers between visits. Storage may be forbidden; then nothing is remembered and nothing breaks.

const Prefix = 'viaduct.';

export function recall(key) {
  try {
    return localStorage.getItem(Prefix + key) ?? '';
  } catch {
    return '';
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(Prefix + key, value);
  } catch {
    // Forbidden or full: the person types it again next time.
  }
}
