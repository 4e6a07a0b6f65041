/** Attempts that were begun so far, by the port of the instance, at one moment. */
export interface Sample {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly begun: ReadonlyMap<number, number>;
  /** Ports of those that some caller has ejected. */
  readonly ejected: ReadonlySet<number>;
}

/** The part of one caller's answer of `/why` that is looked at. */
export interface Explained {
  readonly instances: readonly {
    readonly id: string;
    readonly address?: string | undefined;
    readonly load: number;
    readonly calls: number;
    readonly ejectedForMs: number;
  }[];
}

/** A window in which shares are compared. */
const windowMs = 500;
/** Below this part of their even share the odd ones have no traffic; from `back` on they have it again. */
const parts = { gone: 0.1, back: 0.5 } as const;

/** What callers did to each instance, over time. An instance that comes back at its port is the same one here. */
export class Traffic {
  readonly #samples: Sample[] = [];
  readonly #seen = new Map<string, number>();
  readonly #begun = new Map<number, number>();

  /** @param callers what each caller says, always in the same order */
  add(at: number, callers: readonly Explained[]): void {
    const ejected = new Set<number>();
    callers.forEach(({ instances }, caller) => {
      for (const { id, address, load, calls, ejectedForMs } of instances) {
        if (address === undefined) continue;
        const port = Number(address.slice(address.lastIndexOf(':') + 1));
        const key = `${caller} ${id}`;
        const more = Math.max(0, calls + load - (this.#seen.get(key) ?? 0));
        this.#seen.set(key, calls + load);
        this.#begun.set(port, (this.#begun.get(port) ?? 0) + more);
        if (ejectedForMs > 0) ejected.add(port);
      }
    });
    this.#samples.push({ at, begun: new Map(this.#begun), ejected });
  }

  /** The first moment from `from` on after which the odd ones get less than a tenth of their even share; undefined: none. */
  leftAt(odd: ReadonlySet<number>, from: number): number | undefined {
    return this.#firstWindow(odd, from, (part) => part < parts.gone)?.begins;
  }

  /** The end of the first half second from `from` on in which they get at least half of it; undefined: there is none yet. */
  backAt(odd: ReadonlySet<number>, from: number): number | undefined {
    return this.#firstWindow(odd, from, (part) => part >= parts.back)?.ends;
  }

  /** When one of them was ejected first, from `from` on. */
  ejectedAt(odd: ReadonlySet<number>, from: number): number | undefined {
    return this.#samples.find(({ at, ejected }) => at >= from && [...odd].some((port) => ejected.has(port)))?.at;
  }

  /** Since when nobody of them is ejected any more. */
  readmittedAt(odd: ReadonlySet<number>): number | undefined {
    const last = this.#samples.findLastIndex(({ ejected }) => [...odd].some((port) => ejected.has(port)));
    return this.#samples[last + 1]?.at;
  }

  #firstWindow(
    odd: ReadonlySet<number>,
    from: number,
    fits: (part: number) => boolean,
  ): { readonly begins: number; readonly ends: number } | undefined {
    let after = 0;
    for (const first of this.#samples) {
      if (first.at < from) continue;
      while (after < this.#samples.length && (this.#samples[after] as Sample).at < first.at + windowMs) after++;
      const last = this.#samples[after];
      if (!last) return undefined;
      const part = partOfEvenShare(first, last, odd);
      if (part !== undefined && fits(part)) return { begins: first.at, ends: last.at };
    }
    return undefined;
  }
}

/** Undefined while nobody gets anything. */
function partOfEvenShare(first: Sample, last: Sample, odd: ReadonlySet<number>): number | undefined {
  let [all, theirs] = [0, 0];
  for (const [port, begun] of last.begun) {
    const more = begun - (first.begun.get(port) ?? 0);
    all += more;
    if (odd.has(port)) theirs += more;
  }
  return all === 0 ? undefined : theirs / all / (odd.size / last.begun.size);
}
