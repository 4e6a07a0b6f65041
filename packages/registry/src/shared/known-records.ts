/** What a node knows of one record of the engine, besides the lease that its table holds. */
export interface KnownRecord {
  readonly revision: number;
  readonly kind: 'lease' | 'gone';
  /** Revision of the registry's table at which it listed just that; -1: not. */
  readonly listed: number;
  /** The listing by which it was known last. */
  readonly listing: number;
}

/** The records of an engine as this node last saw them, by key and by the revision of their last write. */
export class KnownRecords {
  readonly #byKey = new Map<string, KnownRecord>();
  readonly #byRevision = new Map<number, string>();
  readonly #gone = new Set<string>();
  #listing = 0;

  get size(): number {
    return this.#byKey.size;
  }

  /** Keys of tombstones. */
  get gone(): ReadonlySet<string> {
    return this.#gone;
  }

  get(key: string): KnownRecord | undefined {
    return this.#byKey.get(key);
  }

  keyAt(revision: number): string | undefined {
    return this.#byRevision.get(revision);
  }

  learn(key: string, revision: number, kind: KnownRecord['kind'], listed: number): void {
    this.forget(key);
    this.#byKey.set(key, { revision, kind, listed, listing: this.#listing });
    this.#byRevision.set(revision, key);
    if (kind === 'gone') this.#gone.add(key);
  }

  /** It is still as it was. */
  confirm(key: string): void {
    const known = this.#byKey.get(key);
    if (known && known.listing !== this.#listing) this.#byKey.set(key, { ...known, listing: this.#listing });
  }

  forget(key: string): void {
    const known = this.#byKey.get(key);
    if (!known) return;
    this.#byKey.delete(key);
    this.#byRevision.delete(known.revision);
    this.#gone.delete(key);
  }

  beginListing(): void {
    this.#listing++;
  }

  /** Forgets what this listing did not bring. @returns those keys. */
  endListing(): readonly string[] {
    const absent: string[] = [];
    for (const [key, { listing }] of this.#byKey) if (listing !== this.#listing) absent.push(key);
    for (const key of absent) this.forget(key);
    return absent;
  }
}
