// The statistics of a presence: those of the connection to the bridge and of a direct one, each entry with whom it is
// about.

/**
 * Peer statistics with the participant (id and name) and content of each slot, direct ones too, and whether it is the
 * one that is heard or seen. Null while there is no connection. `people`: id -> Person; `direct` may be null.
 */
export async function callStats({ peer, direct, slots, people }) {
  if (!peer) return null;
  const [stats, directly] = await Promise.all([peer.stats(), direct?.stats().catch(() => null) ?? null]);
  if (!stats) return null;
  const nameOf = (id) => people.get(id)?.name ?? null;
  const plays = direct?.plays ?? { audio: false, video: false };
  const carried = new Map(slots.all.map((slot) => [slot.mid, slot]));
  for (const entry of stats.slots) {
    const { participant = null, content = 'camera', paused = false } = carried.get(entry.mid) ?? {};
    const isDirect = content === 'camera' && plays[entry.kind] && participant === direct.partner;
    Object.assign(entry, { path: 'bridge', participant, content, paused, name: nameOf(participant) });
    entry.used = participant !== null && !isDirect;
  }
  for (const slot of directly?.slots ?? []) {
    const participant = direct.partner;
    const used = plays[slot.kind];
    stats.slots.push({ ...slot, path: 'direct', participant, content: 'camera', name: nameOf(participant), used });
  }
  for (const entry of stats.sending) entry.path = 'bridge';
  for (const entry of directly?.sending ?? []) stats.sending.push({ ...entry, path: 'direct' });
  return stats;
}
