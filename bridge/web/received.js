// Nothing that came from elsewhere is taken on trust about its type.

export function strings(value) {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

export function objects(value) {
  return Array.isArray(value) ? value.filter((entry) => entry !== null && typeof entry === 'object') : [];
}

export function numberOrNull(value) {
  return Number.isFinite(value) ? value : null;
}
