import { FlotillaError, type Random } from '@flotilla/core';
import { parseAddress } from '@flotilla/http';
import { type Rate, RateTable } from './rate-table.ts';

/** What a request asks for, as far as limits tell requests apart. */
export type RequestKind = 'renewal' | 'change' | 'read' | 'list';

/**
 * What one client may do: a principal at one address (of IPv6, one /64 network). Defaults allow for a machine that runs some
 * thousand instances under one name.
 */
export interface ClientLimits {
  /** Signs of life. */
  readonly renewal: Rate;
  /** Registrations, farewells, status, metadata, overrides. */
  readonly change: Rate;
  /** Single instances, deltas, services, watches that go on from a cursor. */
  readonly read: Rate;
  /** Lists and snapshots of everybody. */
  readonly list: Rate;
  /** Wrong credentials from one address. What was right before from there goes on being taken meanwhile. */
  readonly failedLogin: Rate;
  /** Clients whose use is remembered; above it the one that was quiet longest is forgotten. */
  readonly maxClients: number;
  /** Bytes of lists of everybody, as they are sent, that may be on their way at a time; above it: 503 with a time to come again. */
  readonly maxListBytes: number;
}

export const clientLimits: ClientLimits = Object.freeze({
  renewal: Object.freeze({ perSecond: 2_000, burst: 10_000 }), // 60,000 instances at 30 s
  change: Object.freeze({ perSecond: 100, burst: 2_000 }), // a machine of 2,000 instances that comes back
  read: Object.freeze({ perSecond: 500, burst: 5_000 }),
  list: Object.freeze({ perSecond: 20, burst: 500 }), // Eureka's clients ask once at their start, then for deltas
  failedLogin: Object.freeze({ perSecond: 0.2, burst: 10 }),
  maxClients: 50_000,
  maxListBytes: 268_435_456,
});

/** What a listed instance takes in our own form, about. */
const bytesPerInstance = 640;

/** Whoever is sent away comes again after this much more or less by chance, so that they do not come together. */
const herdSpreadMs = 9_000;

/** Counts what clients do. Time comes with each question. */
export class ClientMeter {
  readonly limits: ClientLimits;
  readonly #table: RateTable;
  #listBytes = 0;

  constructor(limits: Partial<ClientLimits> = {}) {
    this.limits = Object.freeze({ ...clientLimits, ...limits });
    this.#table = new RateTable(this.limits.maxClients);
  }

  /** @throws FlotillaError RATE_LIMITED */
  admit(kind: RequestKind, client: string, now: number, random: Random): void {
    const waitMs = this.#table.take(`${kind} ${client}`, this.limits[kind], now);
    if (waitMs > 0) throw limited(`${phrases[kind]}: ${shown(this.limits[kind])} are allowed`, waitMs, random);
  }

  /** {@link admit} as a question: false, and nothing is taken, where it would be refused. */
  admits(kind: RequestKind, client: string, now: number): boolean {
    return this.#table.take(`${kind} ${client}`, this.limits[kind], now) === 0;
  }

  /** @throws FlotillaError RATE_LIMITED when wrong credentials came from there too often. */
  admitLogin(address: string, now: number, random: Random): void {
    const waitMs = this.#table.waitMs(`login ${address}`, this.limits.failedLogin, now);
    if (waitMs > 0) throw limited('wrong credentials came too often from this address', waitMs, random);
  }

  loginFailed(address: string, now: number): void {
    this.#table.take(`login ${address}`, this.limits.failedLogin, now);
  }

  /**
   * A list of everybody is to be sent. One is always admitted, however long it is.
   * @param bytesEach what an instance takes on the way, about: less where it is compressed. Default: in our own form.
   * @returns it was sent, or will not be.
   * @throws FlotillaError UNAVAILABLE when too much is on its way.
   */
  enterList(instances: number, random: Random, bytesEach: number = bytesPerInstance): () => void {
    const bytes = instances * bytesEach;
    if (this.#listBytes > 0 && this.#listBytes + bytes > this.limits.maxListBytes) {
      throw new FlotillaError('UNAVAILABLE', 'too many ask for the whole list at this moment: ask again', {
        retryAfterMs: 1_000 + random() * herdSpreadMs,
      });
    }
    this.#listBytes += bytes;
    let isOpen = true;
    return () => {
      if (isOpen) this.#listBytes -= bytes;
      isOpen = false;
    };
  }
}

/** One name for one client's addresses: of IPv6 the network of 64 bits, which is what one client gets. */
export function networkOf(address: string | undefined): string {
  const bytes = parseAddress(address ?? '');
  if (!bytes) return '';
  return Buffer.from(bytes.length === 16 ? bytes.subarray(0, 8) : bytes).toString('hex');
}

const phrases: Readonly<Record<RequestKind, string>> = Object.freeze({
  renewal: 'too many renewals',
  change: 'too many registrations and changes',
  read: 'too many reads',
  list: 'too many lists of everybody',
});

function limited(what: string, waitMs: number, random: Random): FlotillaError {
  // Up to twice as long, and at least a second apart: those that were refused together do not come back together.
  const retryAfterMs = waitMs + random() * Math.max(1_000, waitMs);
  return new FlotillaError('RATE_LIMITED', what, { retryAfterMs });
}

function shown({ perSecond, burst }: Rate): string {
  return `${perSecond} a second and ${burst} at once`;
}
