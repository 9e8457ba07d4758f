// The person's own screen while they share it: asked for each time, never kept, and over when they stop it here or in
// the browser's own bar.

const MaxFrameRate = 30;

/** Fires `change` when sharing begins or ends. */
export class ScreenCapture extends EventTarget {
  track = null;

  static supported() {
    return Boolean(navigator.mediaDevices?.getDisplayMedia);
  }

  /** True when a screen is shared from now on. False when the person decided otherwise; throws what else went wrong. */
  async start() {
    if (this.track) return true;
    let stream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({
        video: { frameRate: { ideal: MaxFrameRate / 2, max: MaxFrameRate } },
        audio: false,
      });
    } catch (error) {
      if (error.name === 'NotAllowedError' || error.name === 'AbortError') return false;
      throw error;
    }
    const [track] = stream.getVideoTracks();
    track.contentHint = 'detail';            // text: rather fewer pictures than blurred ones
    track.addEventListener('ended', () => this.track === track && this.stop());
    this.track = track;
    this.dispatchEvent(new Event('change'));
    return true;
  }

  stop() {
    if (!this.track) return;
    this.track.stop();
    this.track = null;
    this.dispatchEvent(new Event('change'));
  }
}
