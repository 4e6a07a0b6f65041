/** How busy an instance says that its event loop is; what it said long ago fades, so that who was busy is tried again. */
export class Utilisation {
  #share = 0;
  #at = 0;

  /** Above 0 to 1; 0: nothing is known. */
  at(now: number, decayMs: number): number {
    const ageMs = now - this.#at;
    return ageMs > decayMs * mostDecays ? 0 : this.#share * Math.exp(-ageMs / decayMs);
  }

  /** @param share 0 to 1; what is no such number is not believed. */
  report(share: number, now: number): void {
    if (!(share >= 0 && share <= 1)) return;
    this.#share = Math.max(share, leastShare);
    this.#at = now;
  }
}

/** After so many times `decayMs` nothing is known any more. */
const mostDecays = 3;

/** An idle loop is known to be idle. */
const leastShare = 0.001;
