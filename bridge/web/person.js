// Somebody else in the call, as the bridge describes them: plain values, and nothing taken on trust about their types.

const Verdicts = ['undeclared', 'undecided', 'consistent', 'contradicted'];

export class Person {
  constructor({ id, name, audio, video, e2ee, direct, mixed, screen }) {
    this.id = id;
    this.name = String(name);
    this.audioMuted = Boolean(audio?.muted);
    this.videoMuted = Boolean(video?.muted);
    this.e2ee = {
      capable: Boolean(e2ee?.capable),
      declared: Boolean(e2ee?.declared),
      verdict: Verdicts.includes(e2ee?.verdict) ? e2ee.verdict : 'undeclared',
    };
    this.direct = Boolean(direct);
    this.mixed = Boolean(mixed);             // hears a mix that the bridge makes
    this.sharesScreen = screen === true;
  }
}
