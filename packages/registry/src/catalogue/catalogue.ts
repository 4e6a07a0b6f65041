import { type ContractRef, FlotillaError, formatIdentity, type Instance } from '@flotilla/core';
import { type Impact, type Incompatibility, impactOf, incompatibilities } from './compatibility.ts';
import { type CatalogueContract, readContract } from './contract-document.ts';

/** Instances of one service that have a contract in the same form. */
export interface Party {
  /** Text form of the service's identity. */
  readonly service: string;
  readonly hash: string;
  readonly instances: number;
}

/** Who serves and who calls a contract. */
export interface ContractParties {
  readonly name: string;
  readonly version: number;
  readonly providers: readonly Party[];
  readonly callers: readonly Party[];
}

/** A provider that does not keep what a caller of its contract relies on. */
export interface BrokenPromise {
  readonly name: string;
  readonly version: number;
  readonly provider: Party;
  readonly caller: Party;
  /** Not empty. */
  readonly reasons: readonly Incompatibility[];
}

/** `catalog v1`, as the registry's conflicts name it. */
export type ContractName = `${string} v${number}`;

/** What becomes of one caller when something goes. */
export interface PartyImpact extends Party {
  readonly impact: Impact;
}

/** Contracts whose text is kept, and their texts' bytes together. */
const maxContracts = 2_000;
const maxBytes = 33_554_432;
/** Pairs of contracts whose comparison is kept. */
const maxCompared = 1_000;

/** Instances by service, of one form of a contract. */
type Counts = Map<string, number>;

interface Parties {
  readonly name: string;
  readonly version: number;
  /** Hash → service → instances. */
  readonly providers: Map<string, Counts>;
  readonly callers: Map<string, Counts>;
}

/**
 * Which contracts the registered instances serve and call, and, as far as their texts are known, what is in them. It counts
 * instances and keeps none, so it costs nothing per instance.
 */
export class Catalogue {
  readonly #parties = new Map<ContractName, Parties>();
  /** By hash, those longest unused first. */
  readonly #contracts = new Map<string, CatalogueContract>();
  readonly #compared = new Map<string, readonly Incompatibility[]>();
  #bytes = 0;

  /** An instance came, changed or went. @returns the contracts of which a form came or went. */
  change(before: Instance | undefined, after: Instance | undefined): ReadonlySet<ContractName> {
    if (before && after && before.contracts === after.contracts && before.calls === after.calls) return none;
    if (saysNothing(before) && saysNothing(after)) return none;
    const touched = new Set<ContractName>();
    // The new first: a form that stays neither comes nor goes.
    if (after) this.#count(after, 1, touched);
    if (before) this.#count(before, -1, touched);
    return touched;
  }

  /** Fingerprints of contracts of this instance whose texts are not known. */
  wanted({ contracts, calls = [] }: Pick<Instance, 'contracts' | 'calls'>): readonly string[] {
    const unknown = new Set<string>();
    for (const { hash } of contracts) if (hash !== '' && !this.#contracts.has(hash)) unknown.add(hash);
    for (const { hash } of calls) if (hash !== '' && !this.#contracts.has(hash)) unknown.add(hash);
    return [...unknown];
  }

  /**
   * Takes the text of a contract in. @returns the contracts that have this form.
   * @throws FlotillaError INVALID_INPUT for a text that is none, too long, or another one's; UNAVAILABLE when there is no room
   * beside the contracts that are in use.
   */
  add(hash: string, source: string): ReadonlySet<ContractName> {
    if (this.#contracts.has(hash)) return new Set();
    const contract = readContract(hash, source);
    this.#makeRoom(contract.bytes);
    this.#contracts.set(hash, contract);
    this.#bytes += contract.bytes;
    const said = [...this.#parties.values()].filter(
      ({ providers, callers }) => providers.has(hash) || callers.has(hash),
    );
    return new Set(said.map(({ name, version }) => contractName(name, version)));
  }

  /** Every contract that somebody serves or calls, by name. */
  contracts(): ContractParties[] {
    return Array.from(this.#parties.values(), partiesOf).sort(
      (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) || a.version - b.version,
    );
  }

  parties(name: string, version: number): ContractParties | undefined {
    const parties = this.#parties.get(contractName(name, version));
    return parties && partiesOf(parties);
  }

  /** What the contract says in each form that is known. */
  forms(name: string, version: number): CatalogueContract[] {
    const parties = this.#parties.get(contractName(name, version));
    const hashes = new Set([...(parties?.providers.keys() ?? []), ...(parties?.callers.keys() ?? [])]);
    return [...hashes].flatMap((hash) => this.#contracts.get(hash) ?? []);
  }

  /** The text of a form, as an instance gave it; undefined: it is not known, or nobody has it. */
  text(hash: string): string | undefined {
    return this.#contracts.get(hash)?.text;
  }

  /** Who calls an operation, and what becomes of them when it, or one of its fields, goes. */
  impact(name: string, version: number, operation: string, field?: string): PartyImpact[] {
    const { callers = [] } = this.parties(name, version) ?? {};
    return callers.map((party) => ({ ...party, impact: impactOf(this.#contracts.get(party.hash), operation, field) }));
  }

  /** Where a provider and a caller do not fit together; of one contract, or of all. */
  broken(contract?: ContractName): BrokenPromise[] {
    const parties = contract === undefined ? [...this.#parties.values()] : [this.#parties.get(contract)];
    return parties.flatMap((one) => (one ? this.#brokenOf(one) : []));
  }

  /** Whether all forms of the contract are known and each provider keeps what each caller relies on. */
  fits(contract: ContractName): boolean {
    const parties = this.#parties.get(contract);
    if (!parties) return true;
    const hashes = [...parties.providers.keys(), ...parties.callers.keys()];
    if (!hashes.every((hash) => this.#contracts.has(hash))) return false;
    // Providers are what others' callers may have been written for.
    return [...parties.providers.keys()].every((provider) =>
      hashes.every((caller) => this.#compare(provider, caller).length === 0),
    );
  }

  /** What present callers would miss if this instance served them; undefined: nothing that is known of. */
  objection({ contracts }: Pick<Instance, 'contracts'>): string | undefined {
    for (const { name, version, hash } of contracts) {
      const parties = this.#parties.get(contractName(name, version));
      for (const [called, services] of parties?.callers ?? []) {
        const [first] = this.#compare(hash, called);
        const [service] = services.keys();
        if (first) return `"${service}" calls ${name} v${version} and relies on more: ${first.detail}`;
      }
    }
    return undefined;
  }

  #brokenOf(parties: Parties): BrokenPromise[] {
    const { name, version, providers, callers } = partiesOf(parties);
    return providers.flatMap((provider) =>
      callers.flatMap((caller) => {
        const reasons = this.#compare(provider.hash, caller.hash);
        return reasons.length === 0 ? [] : [{ name, version, provider, caller, reasons }];
      }),
    );
  }

  /** Nothing where one of the texts is not known. */
  #compare(provider: string, caller: string): readonly Incompatibility[] {
    if (provider === caller) return nothing;
    const [offered, wanted] = [this.#contracts.get(provider), this.#contracts.get(caller)];
    if (!offered || !wanted) return nothing;
    const key = `${provider} ${caller}`;
    let found = this.#compared.get(key);
    if (!found) {
      found = incompatibilities(offered, wanted);
      if (this.#compared.size >= maxCompared) this.#compared.clear();
      this.#compared.set(key, found);
    }
    return found;
  }

  #count({ identity, contracts, calls = [] }: Instance, by: 1 | -1, touched: Set<ContractName>): void {
    const service = formatIdentity(identity);
    for (const ref of contracts) if (this.#countIn(ref, 'providers', service, by)) touched.add(nameOf(ref));
    for (const ref of calls) if (this.#countIn(ref, 'callers', service, by)) touched.add(nameOf(ref));
  }

  /** @returns whether a service with that form came or went. */
  #countIn({ name, version, hash }: ContractRef, side: 'providers' | 'callers', service: string, by: 1 | -1): boolean {
    const key = contractName(name, version);
    const parties = this.#parties.get(key) ?? { name, version, providers: new Map(), callers: new Map() };
    const counts = parties[side].get(hash) ?? new Map<string, number>();
    const count = (counts.get(service) ?? 0) + by;
    if (count > 0) counts.set(service, count);
    else counts.delete(service);
    if (counts.size > 0) parties[side].set(hash, counts);
    else parties[side].delete(hash);
    if (parties.providers.size + parties.callers.size > 0) this.#parties.set(key, parties);
    else this.#parties.delete(key);
    return count === 0 || (by === 1 && count === 1);
  }

  #makeRoom(bytes: number): void {
    if (this.#contracts.size < maxContracts && this.#bytes + bytes <= maxBytes) return;
    const used = new Set(
      [...this.#parties.values()].flatMap(({ providers, callers }) => [...providers.keys(), ...callers.keys()]),
    );
    for (const [hash, contract] of this.#contracts) {
      if (used.has(hash)) continue;
      this.#contracts.delete(hash);
      this.#bytes -= contract.bytes;
    }
    this.#compared.clear();
    if (this.#contracts.size < maxContracts && this.#bytes + bytes <= maxBytes) return;
    throw new FlotillaError(
      'UNAVAILABLE',
      `the catalogue holds its limit of ${maxContracts} contracts or ${maxBytes} bytes, all in use`,
    );
  }
}

const none: ReadonlySet<ContractName> = new Set();

function saysNothing(instance: Instance | undefined): boolean {
  return !instance || (instance.contracts.length === 0 && !instance.calls?.length);
}

const nothing: readonly Incompatibility[] = Object.freeze([]);

function partiesOf({ name, version, providers, callers }: Parties): ContractParties {
  return { name, version, providers: partyList(providers), callers: partyList(callers) };
}

function partyList(forms: ReadonlyMap<string, Counts>): Party[] {
  return [...forms].flatMap(([hash, counts]) =>
    Array.from(counts, ([service, instances]): Party => ({ service, hash, instances })),
  );
}

function nameOf({ name, version }: ContractRef): ContractName {
  return contractName(name, version);
}

function contractName(name: string, version: number): ContractName {
  return `${name} v${version}`;
}
