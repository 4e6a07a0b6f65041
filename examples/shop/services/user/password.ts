import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { Bulkhead, bulkhead, bulkheadDefaults } from '@flotilla/resilience';
import type { Call } from 'flotilla';

/** What guessing one password costs (RFC 7914): `N` rounds over `128 · N · r` bytes, `p` times. */
export interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MB and some 80 ms for a guess. */
export const cost: Cost = Object.freeze({ N: 2 ** 15, r: 8, p: 1 });

/** At once: two of the four threads of Node's pool. More wait; beyond that it is somebody's attack. */
const turns = { ...bulkheadDefaults, maxConcurrent: 2, maxQueued: 32, maxWaitMs: 10_000 };

const saltBytes = 16;
const hashBytes = 32;

/** Keeps and checks passwords, in threads of their own. */
export interface Passwords {
  /** `scrypt$N$r$p$salt$hash`: what was true for it stays with it when the cost is raised. */
  hash(password: string, call: Call): Promise<string>;
  /** In the same time whether it fits or not, and whether there is one (`undefined`: nobody has this address) or not. */
  fits(password: string, kept: string | undefined, call: Call): Promise<boolean>;
  /** Whether it was kept at another cost than today's, so that it is worth keeping anew. */
  isOutdated(kept: string): boolean;
}

export function createPasswords(current: Cost = cost): Passwords {
  // A flood of guesses must not take all memory and threads.
  const inTurn = bulkhead<Derivation, Buffer>({ bulkhead: new Bulkhead({ target: 'passwords', settings: turns }) });
  const derived = inTurn((wanted, call) => derive(wanted).finally(() => call.end()));
  const decoy = unguessable(current);
  return {
    async hash(password, call) {
      const salt = randomBytes(saltBytes);
      return kept(current, salt, await derived({ password, salt, at: current }, call.child()));
    },
    async fits(password, stored, call) {
      const { salt, hash, ...at } = read(stored ?? decoy);
      const same = timingSafeEqual(await derived({ password, salt, at }, call.child()), hash);
      return same && stored !== undefined;
    },
    isOutdated: (stored) => !stored.startsWith(prefix(current)),
  };
}

/** What is kept for an account that nobody can sign in to: a hash of nothing. */
export function unguessable(at: Cost = cost): string {
  return kept(at, randomBytes(saltBytes), randomBytes(hashBytes));
}

function prefix({ N, r, p }: Cost): string {
  return `scrypt$${N}$${r}$${p}$`;
}

function kept(at: Cost, salt: Buffer, hash: Buffer): string {
  return `${prefix(at)}${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

function read(stored: string): Cost & { readonly salt: Buffer; readonly hash: Buffer } {
  const [, N, r, p, salt = '', hash = ''] = stored.split('$');
  return {
    ...{ N: Number(N), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64url'),
    hash: Buffer.from(hash, 'base64url'),
  };
}

interface Derivation {
  readonly password: string;
  readonly salt: Buffer;
  readonly at: Cost;
}

/** The same characters typed on another keyboard may be other code points: NFKC makes them one. */
function derive({ password, salt, at: { N, r, p } }: Derivation): Promise<Buffer> {
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, hashBytes, options, (error, hash) =>
      error ? reject(error) : resolve(hash),
    );
  });
}
