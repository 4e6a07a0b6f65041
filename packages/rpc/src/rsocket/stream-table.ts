/** What the table keeps. */
interface Numbered {
  readonly id: number;
}

const leastSlots = 32;
const mostSlots = 65_536;
/** A larger ring is given up when it is empty. */
const keptSlots = 4_096;

/**
 * The streams of one side by their id. Ids go up by 2, so the streams that are open lie side by side in a ring, which is
 * several times cheaper than a `Map` at the rate at which calls come and go. A stream whose place is taken by one that
 * lives longer goes into a map beside it; the ring grows when it is half full.
 *
 * A map alone replaces its table every few hundred calls, and V8 lets each replaced one point to its successor: once one of
 * them is old, those behind it, with the calls that they held, wait for a full collection.
 */
export class StreamTable<Stream extends Numbered> {
  /** Made with the first stream: most connections of a server ask nothing. */
  #slots: (Stream | undefined)[] = [];
  #mask = -1;
  #others: Map<number, Stream> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Stream | undefined {
    const stream = this.#slots[(id >>> 1) & this.#mask];
    return stream !== undefined && stream.id === id ? stream : this.#others?.get(id);
  }

  /** Adds a stream whose id is not in the table. */
  add(stream: Stream): void {
    if (this.#size * 2 >= this.#slots.length && this.#slots.length < mostSlots) this.#grow();
    this.#size++;
    this.#place(stream);
  }

  /** @returns whether it was in the table */
  delete(stream: Stream): boolean {
    const slot = (stream.id >>> 1) & this.#mask;
    if (this.#slots[slot] === stream) this.#slots[slot] = undefined;
    else if (!this.#others?.delete(stream.id)) return false;
    this.#size--;
    if (this.#size === 0 && this.#slots.length > keptSlots) this.#forget();
    return true;
  }

  /** All of them now, whatever becomes of the table meanwhile. */
  all(): Stream[] {
    if (this.#size === 0) return [];
    const streams = this.#slots.filter((stream) => stream !== undefined);
    if (this.#others) streams.push(...this.#others.values());
    return streams;
  }

  /** A burst is over. */
  #forget(): void {
    this.#slots = [];
    this.#mask = -1;
  }

  #grow(): void {
    const streams = this.all();
    const length = Math.max(leastSlots, 2 * this.#slots.length);
    this.#slots = new Array<Stream | undefined>(length).fill(undefined);
    this.#mask = length - 1;
    this.#others = undefined;
    for (const stream of streams) this.#place(stream);
  }

  #place(stream: Stream): void {
    const slot = (stream.id >>> 1) & this.#mask;
    if (this.#slots[slot] === undefined) {
      this.#slots[slot] = stream;
      return;
    }
    this.#others ??= new Map();
    this.#others.set(stream.id, stream);
  }
}
