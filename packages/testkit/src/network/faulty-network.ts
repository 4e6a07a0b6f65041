import { type Clock, nearest, type Random } from '@flotilla/core';
import type { Carriage } from './carriage.ts';
import { Faults, wayOver } from './faults.ts';
import { type Engines, type PartyName, PartyNetwork, type Wires } from './party-network.ts';
import { Passage } from './passage.ts';
import type { Way } from './way.ts';

/**
 * The network of a fleet, with faults to order between named parties: `registry`, `gateway`, the name of a service (all
 * its copies), one copy (`web.2`), and `test` for whoever calls from the test itself.
 */
export interface FleetNetwork {
  /** Both directions between two parties. */
  between(one: string, other: string): Way;
  /** What travels from one party to another: its requests to it, and its answers to the other's requests. */
  from(one: string): { to(other: string): Way };
  /** Everything from and to one party. */
  around(party: string): Way;
  /** Ends every fault. */
  heal(): void;
}

const everybody = '*';

/** Knows all parties, their faults, and every exchange in hand. Works over any engine. */
export class FaultyNetwork implements FleetNetwork, Wires {
  readonly #random: Random;
  readonly #parties = new Map<string, PartyName>();
  readonly #addresses = new Map<string, PartyName>();
  readonly #faults = new Map<string, Faults>();
  readonly #inHand = new Map<Carriage, readonly (PartyName | undefined)[]>();
  #change = Promise.withResolvers<void>();

  constructor(random: Random) {
    this.#random = random;
  }

  between(one: string, other: string): Way {
    this.#assertKnown(one, other);
    return this.#way([one, other], [other, one]);
  }

  from(one: string): { to(other: string): Way } {
    return {
      to: (other) => {
        this.#assertKnown(one, other);
        return this.#way([one, other]);
      },
    };
  }

  around(party: string): Way {
    this.#assertKnown(party);
    return this.#way([party, everybody], [everybody, party]);
  }

  heal(): void {
    for (const faults of this.#faults.values()) faults.heal();
    this.#changed();
  }

  /** A party may be named from now on. */
  add(party: PartyName): void {
    this.#parties.set(party.name, party);
  }

  /** The network as one start of a party sees it. */
  viewOf(party: PartyName, engines: Engines, clock: Clock): PartyNetwork {
    return new PartyNetwork(party, engines, this, clock);
  }

  /**
   * Breaks the calls in hand, but not what goes to the registry: watches are there by design.
   * @returns their titles, without answers that the test looked at and did not read to their end.
   */
  breakCalls(): string[] {
    const calls = [...this.#inHand].filter(([, [, to]]) => to?.name !== 'registry');
    for (const [carriage] of calls) carriage.break(carriage.lost('the fleet stops'));
    return calls.filter(([{ answered }, [from]]) => !(answered && from?.name === 'test')).map(([{ title }]) => title);
  }

  passage(from: PartyName, to: PartyName | undefined): Passage {
    return new Passage(() => this.#between(from, to), this.#random);
  }

  listens(party: PartyName, address: string): void {
    this.#addresses.set(address, party);
  }

  partyAt(address: string): PartyName | undefined {
    return this.#addresses.get(address);
  }

  began(carriage: Carriage, from: PartyName, to: PartyName | undefined): () => void {
    this.#inHand.set(carriage, [from, to]);
    return () => this.#inHand.delete(carriage);
  }

  breakOf(party: PartyName): void {
    for (const [carriage, ends] of [...this.#inHand]) {
      if (ends.includes(party)) carriage.break(carriage.lost(`${party.name} was killed`));
    }
  }

  changed(): Promise<void> {
    return this.#change.promise;
  }

  #way(...pairs: readonly (readonly [string, string])[]): Way {
    const directions = pairs.map(([from, to]) => this.#faultsOf(from, to));
    return wayOver(directions, () => this.#changed());
  }

  #faultsOf(from: string, to: string): Faults {
    const key = `${from}→${to}`;
    const faults = this.#faults.get(key) ?? new Faults(this.#random);
    this.#faults.set(key, faults);
    return faults;
  }

  #between(from: PartyName, to: PartyName | undefined): readonly Faults[] {
    if (this.#faults.size === 0) return none;
    const found: Faults[] = [];
    for (const one of namesOf(from)) {
      for (const other of namesOf(to)) {
        const faults = this.#faults.get(`${one}→${other}`);
        if (faults) found.push(faults);
      }
    }
    return found;
  }

  /** Whoever waits looks again; what is on a way that refuses now breaks. */
  #changed(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
    for (const carriage of [...this.#inHand.keys()]) {
      if (carriage.forth.refused || carriage.back.refused) carriage.break(carriage.lost('the connection was reset'));
    }
  }

  #assertKnown(...names: readonly string[]): void {
    const known = [...new Set([...this.#parties.values()].flatMap(({ name, group }) => [group, name]))];
    for (const name of names) {
      if (known.includes(name)) continue;
      const near = nearest(name, known);
      const hint = near === undefined ? '' : `; did you mean "${near}"?`;
      throw new RangeError(`no party of this fleet is called "${name}"${hint} It has ${known.join(', ')}`);
    }
  }
}

const none: readonly Faults[] = Object.freeze([]);

function namesOf(party: PartyName | undefined): Set<string> {
  return new Set(party ? [party.name, party.group, everybody] : [everybody]);
}
