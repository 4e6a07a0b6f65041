import type { ListenerLimits } from './options.ts';

type PaceLimits = Pick<ListenerLimits, 'bodyIdleMs' | 'bodyWindowMs' | 'minBodyBytesPerSecond'>;

/** Bytes that had come at an instant. */
interface Mark {
  readonly at: number;
  readonly bytes: number;
}

/** Judges how fast a body comes, from its byte count alone, while somebody waits for it. */
export class BodyPace {
  readonly #limits: PaceLimits;
  /** When the last byte came. */
  #progress: Mark | undefined;
  /** Where the present window began. */
  #window: Mark | undefined;

  constructor(limits: PaceLimits) {
    this.#limits = limits;
  }

  /**
   * @param bytes that have come in all
   * @param awaited false while the reader is busy with what it has: then no sender is late
   * @returns what is wrong, if something is
   */
  late(now: number, bytes: number, awaited: boolean): string | undefined {
    if (!awaited) {
      this.#progress = undefined;
      this.#window = undefined;
      return undefined;
    }
    if (this.#progress?.bytes !== bytes) this.#progress = { at: now, bytes };
    this.#window ??= this.#progress;
    return this.#idle(now, this.#progress) ?? this.#slow(now, bytes, this.#window);
  }

  #idle(now: number, progress: Mark): string | undefined {
    const { bodyIdleMs } = this.#limits;
    return now - progress.at >= bodyIdleMs ? `no byte of the body for ${bodyIdleMs} ms` : undefined;
  }

  #slow(now: number, bytes: number, window: Mark): string | undefined {
    const { bodyWindowMs, minBodyBytesPerSecond } = this.#limits;
    const elapsedMs = now - window.at;
    if (elapsedMs < bodyWindowMs) return undefined;
    this.#window = { at: now, bytes };
    const slow = bytes - window.bytes < (minBodyBytesPerSecond * elapsedMs) / 1_000;
    return slow ? `the body comes slower than ${minBodyBytesPerSecond} bytes a second` : undefined;
  }
}
