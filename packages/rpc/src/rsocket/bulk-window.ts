const firstBytes = 262_144;
const leastBytes = 131_072;
const mostBytes = 8_388_608;
const stepBytes = 65_536;
/** A probe follows so many bytes of a window. */
const probesPerWindow = 4;
/** A peer that needs this much longer than its best time is behind. */
const slackMs = 1;
/** Probes are no closer together than this, unless there is none: peers count KEEPALIVE frames. */
const leastPauseMs = 0.5;
/** A probe that is not answered for this long never will be. */
const lostMs = 1_000;

interface Probe {
  readonly id: number;
  readonly position: number;
  readonly at: number;
}

/**
 * How much of large messages may be on its way, unread by the peer. What lies in the kernel's buffers, megabytes, would
 * be ahead of every small message. So KEEPALIVE frames go along as probes, whose echo says that all before them was
 * read. The window follows the time that they take: it grows while that stays near the best one, and shrinks when it
 * does not, as TCP Vegas does (Brakmo and Peterson, 1995).
 */
export class BulkWindow {
  #window = firstBytes;
  #sent = 0;
  #read = 0;
  #probedAt = 0;
  #lastId = 0;
  #bestMs = Infinity;
  #probes: Probe[] = [];
  #isOff = false;

  /** May more be sent now? */
  get open(): boolean {
    return this.#sent - this.#read < this.#window;
  }

  /** Bytes that may be on their way. */
  get bytes(): number {
    return this.#window;
  }

  /** Bytes of large messages were written. */
  sent(bytes: number): void {
    this.#sent += bytes;
    if (this.#isOff) this.#read = this.#sent;
  }

  /** Is it time for a probe, behind all that was written? @returns its number */
  probe(now: number): number | undefined {
    if (this.#isOff || this.#sent === this.#read || !this.#isDue(now)) return undefined;
    this.#probedAt = this.#sent;
    this.#lastId = (this.#lastId + 1) >>> 0;
    this.#probes.push({ id: this.#lastId, position: this.#sent, at: now });
    return this.#lastId;
  }

  #isDue(now: number): boolean {
    const last = this.#probes.at(-1);
    if (!last && !this.open) return true; // nothing else would ever open it
    if (this.#sent - this.#probedAt < this.#window / probesPerWindow) return false;
    return !last || now - last.at >= leastPauseMs;
  }

  /** The echo of a probe. @returns whether it was one */
  echoed(id: number, now: number): boolean {
    const at = this.#probes.findIndex((probe) => probe.id === id);
    const probe = this.#probes[at];
    if (!probe) return false;
    const wasFull = !this.open;
    this.#probes.splice(0, at + 1);
    this.#read = probe.position;
    const tookMs = now - probe.at;
    this.#bestMs = Math.min(this.#bestMs, tookMs);
    if (tookMs > 2 * this.#bestMs + slackMs) this.#window = Math.max(leastBytes, this.#window * 0.75);
    else if (wasFull) this.#window = Math.min(mostBytes, this.#window + stepBytes);
    return true;
  }

  /** Looks whether the peer echoes at all. One that does not is sent to as fast as its kernel takes it. */
  look(now: number): void {
    const [oldest] = this.#probes;
    if (!oldest || now - oldest.at < lostMs) return;
    this.#isOff = true;
    this.#probes = [];
    this.#read = this.#sent;
  }
}
