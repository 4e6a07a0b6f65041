import {
  type Clock,
  formatHostPort,
  formatIdentity,
  type Instance,
  type Logger,
  type Meter,
  nullLogger,
  nullMeter,
  type Timer,
} from '@flotilla/core';
import { isLoopback } from '@flotilla/http';
import type { InstanceKey } from '../lease/lease-table.ts';
import { AddressRules, isDockerBridge, isLoopbackAddress } from './address-rules.ts';
import type { Registry } from './registry.ts';

/**
 * What came of an attempt to connect.
 *
 * | outcome | means |
 * |---|---|
 * | `reached` | somebody accepts connections there |
 * | `closed` | the machine answers, and nobody listens on that port |
 * | `silent` | nothing answered in time |
 * | `unreachable` | no way leads there |
 * | `unresolved` | the name means no address |
 * | `forbidden` | what it means is not dialled |
 */
export interface Dialled {
  readonly outcome: 'reached' | 'closed' | 'silent' | 'unreachable' | 'unresolved' | 'forbidden';
  /** The address that the name meant and that was, or was not, dialled. */
  readonly address?: string;
  /** What the system, or who forbade it, says. */
  readonly detail: string;
}

/** Port: opens a connection and closes it at once; sends nothing. Engine: `socketDialer`. */
export interface Dialer {
  /**
   * Never rejects.
   * @param refuses asked for each address that the host means, after it was resolved; what it passes is what is dialled.
   */
  dial(
    target: { readonly host: string; readonly port: number },
    limits: { readonly timeoutMs: number; readonly refuses: (address: string) => string | undefined },
  ): Promise<Dialled>;
}

/** Why an instance is not listed as up yet, and what to do. */
export interface AddressProblem {
  /** `host:port` as the instance advertises it. */
  readonly address: string;
  readonly reason: string;
  readonly hint: string;
}

/** What a {@link DialBack} needs. */
export interface DialBackOptions {
  readonly registry: Registry;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly meter?: Meter;
  /** Ranges that are dialled although they are refused otherwise, such as `127.0.0.0/8` where a developer works. */
  readonly allow?: readonly string[];
  /** One attempt. Default 1,000: with its turn to wait for, an answer takes no longer than 1.5 s. */
  readonly timeoutMs?: number;
  /** Attempts at a time; what comes above it, and above {@link mostWaiting}, is listed unchecked. Default 64. */
  readonly maxConcurrent?: number;
  /** How often who could not be reached is tried again. Default 10,000. */
  readonly retryEveryMs?: number;
}

/** Registrations that wait for their turn, and for how long: then they are listed unchecked. */
export const mostWaiting = 1_000;
const longestWaitMs = 500;
/** Instances that are tried again; further ones are listed unchecked. */
const mostHeld = 10_000;

interface Held {
  readonly key: InstanceKey;
  readonly incarnation: number;
  readonly from: string | undefined;
  readonly problem: AddressProblem;
}

/**
 * Connects to an instance before it is listed as up: a registration with an address that nobody can call is the commonest
 * mistake of a first hour, and shows up elsewhere and later. Who cannot be reached is listed as `starting`, with the reason,
 * and tried again until it can; its owner need not do anything. What is listed as up already is not dialled again.
 *
 * It helps, it does not guard: when it has too much to do, instances are listed unchecked.
 */
export class DialBack {
  readonly #options: Required<Omit<DialBackOptions, 'meter' | 'allow'>>;
  readonly #rules: AddressRules;
  readonly #held = new Map<string, Held>();
  readonly #waiting = new Set<(isTurn: boolean) => void>();
  readonly #dials: ReturnType<Meter['counter']>;
  #dialling = 0;
  #timer: Timer | undefined;
  #retrying: Promise<void> | undefined;
  #stopped = false;

  /** @throws FlotillaError CONFIG_INVALID for ranges that are none */
  constructor(options: DialBackOptions) {
    this.#options = {
      logger: nullLogger,
      timeoutMs: 1_000,
      maxConcurrent: 64,
      retryEveryMs: 10_000,
      ...options,
    };
    this.#rules = new AddressRules(options.allow);
    this.#dials = (options.meter ?? nullMeter).counter({
      name: 'flotilla_registry_dials_total',
      help: 'Connections to advertised addresses before they are listed as up',
      labels: ['outcome'],
    });
  }

  /** Who is not listed as up because it could not be reached; at most 100 of them. */
  get problems(): readonly (AddressProblem & InstanceKey)[] {
    return Array.from(this.#held.values().take(100), ({ key, problem }) => ({ ...key, ...problem }));
  }

  /**
   * What to register for what was asked to be registered. Never rejects.
   * @param from the address that the registration came from.
   */
  async judge(
    asked: Instance,
    from: string | undefined,
  ): Promise<{ readonly instance: Instance; readonly problem?: AddressProblem }> {
    const key = { service: formatIdentity(asked.identity), id: asked.id };
    const [first] = asked.addresses;
    if (asked.status !== 'up' || !first || this.#isListed(key, asked)) return { instance: asked };
    const held = this.#held.get(nameOf(key));
    const isKnown = held?.problem.address === formatHostPort(first) && held.from === from;
    const problem = isKnown ? held.problem : await this.#problemOf(asked, from);
    if (!problem || this.#stopped || (!isKnown && this.#held.size >= mostHeld)) {
      this.#held.delete(nameOf(key));
      return { instance: asked };
    }
    if (!isKnown) this.#say(key, problem);
    this.#held.set(nameOf(key), { key, incarnation: asked.incarnation, from, problem });
    this.#arm();
    return { instance: { ...asked, status: 'starting' }, problem };
  }

  /** Waits for what is under way; nothing is dialled any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const go of [...this.#waiting]) go(false);
    await this.#retrying;
  }

  #isListed(key: InstanceKey, { addresses: [first] }: Instance): boolean {
    const present = this.#options.registry.get(key)?.instance;
    const [known] = present?.addresses ?? [];
    return present?.status === 'up' && known?.host === first?.host && known?.port === first?.port;
  }

  /** undefined: it can be reached, or nobody had the time to try. */
  async #problemOf({ addresses: [first] }: Instance, from: string | undefined): Promise<AddressProblem | undefined> {
    if (!first) return undefined;
    // Of no use to anybody but itself, whatever listens on our own loopback.
    const isElsewhere = from !== undefined && !isLoopbackAddress(from);
    if (isElsewhere && isLoopback(first.host)) {
      return explain(first, { outcome: 'forbidden', address: first.host, detail: 'loopback' }, from);
    }
    if (!(await this.#turn())) {
      this.#dials.with({ outcome: 'skipped' }).add();
      return undefined;
    }
    try {
      const refuses = (address: string): string | undefined => this.#rules.refuses(address);
      const dialled = await this.#options.dialer.dial(first, { timeoutMs: this.#options.timeoutMs, refuses });
      this.#dials.with({ outcome: dialled.outcome }).add();
      return dialled.outcome === 'reached' ? undefined : explain(first, dialled, from);
    } finally {
      this.#passTurn();
    }
  }

  /** To whoever waits longest; its place among those that dial stays taken. */
  #passTurn(): void {
    const [next] = this.#waiting;
    if (next) next(true);
    else this.#dialling--;
  }

  /** @returns whether a place was taken for one more attempt; false after a while without. */
  async #turn(): Promise<boolean> {
    if (this.#stopped) return false;
    if (this.#dialling < this.#options.maxConcurrent) {
      this.#dialling++;
      return true;
    }
    if (this.#waiting.size >= mostWaiting) return false;
    return new Promise((resolve) => {
      const go = (isTurn: boolean): void => {
        this.#waiting.delete(go);
        timer.cancel();
        resolve(isTurn);
      };
      const timer = this.#options.clock.setTimer(longestWaitMs, () => go(false), { background: true });
      this.#waiting.add(go);
    });
  }

  #arm(): void {
    if (this.#timer || this.#retrying || this.#stopped || this.#held.size === 0) return;
    this.#timer = this.#options.clock.setTimer(
      this.#options.retryEveryMs,
      () => {
        this.#timer = undefined;
        this.#retrying = this.#retry().finally(() => {
          this.#retrying = undefined;
          this.#arm();
        });
      },
      { background: true },
    );
  }

  async #retry(): Promise<void> {
    const { maxConcurrent } = this.#options;
    const all = [...this.#held.values()];
    for (let next = 0; next < all.length && !this.#stopped; next += maxConcurrent) {
      await Promise.all(all.slice(next, next + maxConcurrent).map((held) => this.#retryOne(held)));
    }
  }

  async #retryOne(held: Held): Promise<void> {
    const { registry, logger } = this.#options;
    const { key, from } = held;
    const before = registry.get(key);
    const problem = before && (await this.#problemOf(before.instance, from));
    if (this.#stopped || this.#held.get(nameOf(key)) !== held) return;
    const lease = registry.get(key);
    // Its owner left, or says something else by now: that is judged when it is said.
    const isSame = lease?.instance.status === 'starting' && lease.declaredIncarnation === held.incarnation;
    if (!isSame) this.#held.delete(nameOf(key));
    else if (problem) this.#held.set(nameOf(key), { ...held, problem });
    else {
      this.#held.delete(nameOf(key));
      registry.setStatus(key, 'up');
      logger.info('the advertised address is reached: listed as up', {
        ...factsOf(key),
        address: held.problem.address,
      });
    }
  }

  #say(key: InstanceKey, problem: AddressProblem): void {
    this.#options.logger.warn('an advertised address cannot be reached: listed as starting', {
      ...factsOf(key),
      ...problem,
    });
  }
}

/** Words for whoever set it up: what was tried, what happened, what to set. */
export function explain(
  { host, port }: { readonly host: string; readonly port: number },
  { outcome, address = host, detail }: Dialled,
  from: string | undefined,
): AddressProblem {
  const place = formatHostPort({ host, port });
  const advertise = from !== undefined && !isLoopbackAddress(from) ? from : 'the address that others reach it by';
  const set =
    `set FLOTILLA_ADVERTISE (or "advertise") to ${advertise}; of a Spring service ` +
    '"eureka.instance.ip-address" with "prefer-ip-address: true"';
  const problem = (reason: string, hint: string): AddressProblem => ({ address: place, reason, hint });
  if (outcome === 'forbidden' && (isLoopback(host) || isLoopbackAddress(address))) {
    return problem(
      `${place} is loopback: whoever looks it up would call itself${from === undefined ? '' : `; the registration came from ${from}`}`,
      set,
    );
  }
  if (outcome === 'forbidden') {
    return problem(
      `${place} means ${address}, which a registry does not dial: ${detail}`,
      `${set}; where it is meant, allow it in "registry.checkAddresses.allow"`,
    );
  }
  if (isDockerBridge(address) && from !== address) {
    return problem(
      `${place} is an address of Docker's bridge (172.17.0.0/16), which only its own machine reaches: ${detail}`,
      `publish the port, and ${set}`,
    );
  }
  if (outcome === 'closed') {
    return problem(
      `nobody listens on ${place}: ${detail}`,
      'compare the advertised port with the one that the service listens on, and "bind": bound to 127.0.0.1 it is not reached from outside',
    );
  }
  if (outcome === 'silent') {
    return problem(
      `${place} does not answer: ${detail}`,
      'a firewall, a security group or a network policy may drop what comes from the registry; ' +
        `or it is an address of another network: then ${set}`,
    );
  }
  if (outcome === 'unresolved') {
    return problem(
      `the name "${host}" means no address here: ${detail}`,
      `make it known to the DNS of the registry and of the callers, or ${set}`,
    );
  }
  return problem(`no way leads from the registry to ${place}: ${detail}`, set);
}

function nameOf({ service, id }: InstanceKey): string {
  return `${service}\n${id}`;
}

function factsOf({ service, id }: InstanceKey): { readonly service: string; readonly instanceId: string } {
  return { service, instanceId: id };
}
