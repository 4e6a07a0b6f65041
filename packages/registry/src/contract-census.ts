import { formatIdentity, type Instance } from '@flotilla/core';

/** One of the things that a name means. */
export interface ConflictSide {
  /** The hash of the contract, or the names of the contracts. */
  readonly means: string;
  /** Instances that mean it. */
  readonly count: number;
  /** One of them. */
  readonly service: string;
  readonly id: string;
}

/** Instances that do not agree on what a name means. */
export interface ContractConflict {
  /**
   * - `contract`: one name and version with several hashes. Callers cannot tell which shape they get.
   * - `service`: instances of one service that have no contract in common: two applications bear one name.
   */
  readonly kind: 'contract' | 'service';
  /** `catalog v1`, or the text form of the service's identity. */
  readonly name: string;
  /** Two or more, those with the most instances first. */
  readonly sides: readonly ConflictSide[];
  /** A sentence that names an instance of each of the first two sides. */
  readonly detail: string;
}

/** More than these sides of one conflict are not told. */
const mostSides = 10;

/**
 * Who serves which contracts, kept up with each change, so that a disagreement is noticed when it begins. Instances
 * without contracts, and contracts without a hash, disagree with nobody.
 */
export class ContractCensus {
  /** `catalog v1` → hash → instances. */
  readonly #byContract = new Map<string, Map<string, Map<string, Instance>>>();
  /** Service → names of contracts → instances. */
  readonly #byService = new Map<string, Map<string, Map<string, Instance>>>();
  readonly #conflicts = new Map<string, ContractConflict>();

  /** In the order in which they began. */
  get conflicts(): readonly ContractConflict[] {
    return [...this.#conflicts.values()];
  }

  /** What began and what ended with a change of one instance; absent: it was not, or is not, there. */
  change(
    before: Instance | undefined,
    after: Instance | undefined,
  ): { readonly began: readonly ContractConflict[]; readonly ended: readonly ContractConflict[] } {
    if (before?.contracts === after?.contracts && before && after) return unchanged;
    if (!before?.contracts.length && !after?.contracts.length) return unchanged;
    const touched = new Map(
      [...placesOf(before), ...placesOf(after)].map((place) => [`${place.kind} ${place.name}`, place]),
    );
    if (before) for (const place of placesOf(before)) this.#remove(place, before);
    if (after) for (const place of placesOf(after)) this.#add(place, after);
    const began: ContractConflict[] = [];
    const ended: ContractConflict[] = [];
    for (const [key, place] of touched) {
      const known = this.#conflicts.get(key);
      const now = this.#judge(place);
      if (now) this.#conflicts.set(key, now);
      else this.#conflicts.delete(key);
      if (now && !known) began.push(now);
      if (known && !now) ended.push(known);
    }
    return { began, ended };
  }

  #add({ kind, name, means }: Place, instance: Instance): void {
    const places = this.#of(kind);
    const sides = places.get(name) ?? new Map<string, Map<string, Instance>>();
    const side = sides.get(means) ?? new Map<string, Instance>();
    side.set(keyOf(instance), instance);
    sides.set(means, side);
    places.set(name, sides);
  }

  #remove({ kind, name, means }: Place, instance: Instance): void {
    const places = this.#of(kind);
    const sides = places.get(name);
    const side = sides?.get(means);
    side?.delete(keyOf(instance));
    if (side?.size === 0) sides?.delete(means);
    if (sides?.size === 0) places.delete(name);
  }

  #judge({ kind, name }: Place): ContractConflict | undefined {
    const sides = this.#of(kind).get(name);
    if (!sides || sides.size < 2) return undefined;
    const means = [...sides.keys()];
    const agree = kind === 'service' && !means.some((one) => means.some((other) => haveNothingInCommon(one, other)));
    return agree ? undefined : conflictOf(kind, name, sides);
  }

  #of(kind: ContractConflict['kind']): Map<string, Map<string, Map<string, Instance>>> {
    return kind === 'contract' ? this.#byContract : this.#byService;
  }
}

/** The conflicts among these instances. */
export function contractConflicts(instances: Iterable<Instance>): readonly ContractConflict[] {
  const census = new ContractCensus();
  for (const instance of instances) census.change(undefined, instance);
  return census.conflicts;
}

const unchanged = Object.freeze({ began: Object.freeze([]), ended: Object.freeze([]) });

/** One thing that an instance says of a name. */
interface Place {
  readonly kind: ContractConflict['kind'];
  readonly name: string;
  readonly means: string;
}

function placesOf(instance: Instance | undefined): readonly Place[] {
  if (!instance || instance.contracts.length === 0) return [];
  const names = [...new Set(instance.contracts.map(({ name }) => name))].sort().join(', ');
  return [
    { kind: 'service', name: formatIdentity(instance.identity), means: names },
    ...instance.contracts
      .filter(({ hash }) => hash !== '')
      .map(({ name, version, hash }): Place => ({ kind: 'contract', name: `${name} v${version}`, means: hash })),
  ];
}

function haveNothingInCommon(one: string, other: string): boolean {
  const names = new Set(one.split(', '));
  return !other.split(', ').some((name) => names.has(name));
}

function conflictOf(
  kind: ContractConflict['kind'],
  name: string,
  found: ReadonlyMap<string, ReadonlyMap<string, Instance>>,
): ContractConflict {
  const sides = Array.from(found, ([means, instances]): ConflictSide => {
    const [example] = instances.values();
    const service = example ? formatIdentity(example.identity) : '';
    return { means, count: instances.size, service, id: example?.id ?? '' };
  })
    .sort((a, b) => b.count - a.count)
    .slice(0, mostSides);
  const [first, second] = sides;
  const said = (side: ConflictSide | undefined): string =>
    side === undefined
      ? ''
      : `"${side.id}" of "${side.service}" ${kind === 'contract' ? 'has the hash' : 'serves'} ${side.means}`;
  const what =
    kind === 'contract' ? `the contract ${name} is not the same everywhere` : `two applications are called "${name}"`;
  return { kind, name, sides, detail: `${what}: ${said(first)}, ${said(second)}` };
}

function keyOf({ identity, id }: Instance): string {
  return `${formatIdentity(identity)}\n${id}`;
}
