/** How long an answer may be used, counted from when it came. */
export interface CacheTerms {
  /** Until then it is as good as new. */
  readonly ttlMs: number;
  /** For so long after that it is still given at once, while a new one is fetched. */
  readonly staleWhileRevalidateMs: number;
  /** For so long after `ttlMs` it is given when no new one can be had. */
  readonly staleIfErrorMs: number;
}

/** How much is kept. */
export interface CacheBounds {
  readonly maxEntries: number;
  /** Of keys and texts together, in bytes of UTF-8. */
  readonly maxBytes: number;
  /** A larger answer is not kept: it would push out many others. */
  readonly maxEntryBytes: number;
}

/** What is known of an answer. */
export type CacheFind =
  | { readonly kind: 'none' }
  | { readonly kind: 'fresh'; readonly text: string }
  | {
      readonly kind: 'stale';
      readonly text: string;
      /** It may be given at once. */
      readonly atOnce: boolean;
      /** It may be given in place of an error. */
      readonly ifError: boolean;
    };

interface Entry {
  readonly text: string;
  readonly bytes: number;
  readonly cameAt: number;
}

const none: CacheFind = Object.freeze({ kind: 'none' });

/**
 * Answers as texts, bounded in number and bytes; what was not used for longest goes first.
 *
 * ```
 *   came ── ttlMs ──▶ fresh │ staleWhileRevalidateMs: given at once, renewed behind │
 *                           │ staleIfErrorMs: given if the callee cannot answer     │ ▶ gone
 * ```
 *
 * No timers: every step is told the time. Invariant after each step: `size <= maxEntries`, `bytes <= maxBytes`.
 */
export class CacheTable {
  readonly #bounds: CacheBounds;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  /** Invariant: nothing stands before it. A new iterator each time would pass over the holes of all that went before. */
  #oldest = this.#entries.keys();
  #bytes = 0;

  constructor(bounds: CacheBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(key: string, terms: CacheTerms, now: number): CacheFind {
    const entry = this.#entries.get(key);
    if (!entry) return none;
    const staleMs = now - entry.cameAt - terms.ttlMs;
    const atOnce = staleMs < terms.staleWhileRevalidateMs;
    const ifError = staleMs < terms.staleIfErrorMs;
    if (staleMs >= 0 && !atOnce && !ifError) {
      this.delete(key);
      return none;
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry); // used last
    const { text } = entry;
    return staleMs < 0 ? { kind: 'fresh', text } : { kind: 'stale', text, atOnce, ifError };
  }

  /** @returns how many others had to go. */
  put(key: string, text: string, now: number): number {
    this.delete(key);
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(text);
    const { maxEntries, maxBytes, maxEntryBytes } = this.#bounds;
    if (bytes > maxEntryBytes || bytes > maxBytes) return 0;
    this.#entries.set(key, { text, bytes, cameAt: now });
    this.#bytes += bytes;
    let evicted = 0;
    while (this.#entries.size > maxEntries || this.#bytes > maxBytes) {
      const { done, value: first } = this.#oldest.next();
      if (done) this.#oldest = this.#entries.keys();
      else {
        this.delete(first);
        evicted += 1;
      }
    }
    return evicted;
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  deleteWhere(matches: (key: string) => boolean): void {
    for (const key of this.#entries.keys()) if (matches(key)) this.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#oldest = this.#entries.keys();
    this.#bytes = 0;
  }
}
