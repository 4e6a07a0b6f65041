/** Below this an answer came at once; it also tells "at once" from "unknown", which is 0. */
const leastMs = 0.01;

/**
 * How long an instance takes to answer, to the head of the answer: a moving average that follows a rise at once and a fall
 * in `decayMs` (the peak-sensitive average of Finagle's `PeakEwma`). An instance that was asked and says nothing is as
 * slow as it has been silent: a blocked event loop shows before its first late answer.
 */
export class Latency {
  #ms = 0;
  #at = 0;
  #waiting = 0;
  #quietSince = 0;

  /** Milliseconds; 0 when nothing is known. What was measured long ago fades, so that who was slow is tried again. */
  at(now: number, decayMs: number): number {
    const faded = this.#ms === 0 ? 0 : this.#ms * Math.exp((this.#at - now) / decayMs);
    if (this.#waiting === 0) return faded;
    const silentMs = now - this.#quietSince;
    return silentMs > faded ? silentMs : faded;
  }

  began(now: number): void {
    if (this.#waiting++ === 0) this.#quietSince = now;
  }

  /** An answer came, or will not come any more. */
  ended(now: number): void {
    this.#waiting -= 1;
    this.#quietSince = now;
  }

  /** What one answer took. */
  observe(ms: number, now: number, decayMs: number): void {
    const tookMs = Math.max(ms, leastMs);
    const kept = Math.exp((this.#at - now) / decayMs);
    this.#ms = tookMs >= this.#ms * kept ? tookMs : this.#ms * kept + tookMs * (1 - kept);
    this.#at = now;
  }

  /** A call ended without an answer after `ms`: it would have taken at least that. */
  atLeast(ms: number, now: number, decayMs: number): void {
    if (ms > this.at(now, decayMs)) this.observe(ms, now, decayMs);
  }

  /** Begins anew: who comes back after an ejection is not judged by what was before. */
  forget(): void {
    this.#ms = 0;
  }
}
