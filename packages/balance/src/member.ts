import { type Address, type Endpoint, type EndpointStatus, formatHostPort, type Instance } from '@flotilla/core';
import { Latency } from './latency.ts';
import type { Health } from './outlier.ts';
import type { Candidate } from './picks/candidate.ts';
import type { Ruled } from './rules/rule.ts';
import { Utilisation } from './utilisation.ts';

/** What all members of a cluster share. */
export interface MemberNeeds<Req, Res> {
  readonly connect: (address: Address, instance: Instance, member: Member<Req, Res>) => Endpoint<Req, Res>;
  /** In which what was measured fades; it may change. */
  readonly decayMs: () => number;
}

/** One instance with its endpoint and what is known of it. It stays the same while id and address do. */
export class Member<Req, Res> implements Candidate, Ruled {
  readonly key: string;
  readonly address: Address;
  readonly seenAt: number;
  readonly latency: Latency = new Latency();
  readonly utilisation: Utilisation = new Utilisation();
  instance: Instance;
  health: Health;
  suspectUntil = 0;
  /** Calls of this cluster that it has in hand, to the last byte of their answers. */
  load = 0;
  calls = 0;
  failures = 0;
  readonly #needs: MemberNeeds<Req, Res>;
  #endpoint: Endpoint<Req, Res> | undefined;

  constructor(instance: Instance, address: Address, health: Health, seenAt: number, needs: MemberNeeds<Req, Res>) {
    this.key = memberKey(instance, address);
    this.address = address;
    this.instance = instance;
    this.health = health;
    this.seenAt = seenAt;
    this.#needs = needs;
  }

  get id(): string {
    return this.instance.id;
  }

  /** Made on first use: of a thousand instances many are never called. */
  get endpoint(): Endpoint<Req, Res> {
    this.#endpoint ??= this.#needs.connect(this.address, this.instance, this);
    return this.#endpoint;
  }

  get status(): EndpointStatus {
    return this.#endpoint?.status ?? 'open';
  }

  /** What a registry says is not always a weight: anything that is none counts as 0. */
  get weight(): number {
    const { weight } = this.instance;
    return weight > 0 && weight < Infinity ? weight : 0;
  }

  latencyAt(now: number): number {
    return this.latency.at(now, this.#needs.decayMs());
  }

  utilisationAt(now: number): number {
    return this.utilisation.at(now, this.#needs.decayMs());
  }

  async close(): Promise<void> {
    await this.#endpoint?.close();
  }
}

/** A new process at the same address has a new id; the same id at another address is another place. */
export function memberKey(instance: Instance, address: Address): string {
  return `${instance.id} ${address.protocol}://${formatHostPort(address)}`;
}
