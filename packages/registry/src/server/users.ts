import { createHash, timingSafeEqual } from 'node:crypto';
import { FlotillaError, type Secret } from '@flotilla/core';
import { type HttpRequest, isLoopback } from '@flotilla/http';

/**
 * What a user may do; everybody may read.
 *
 * | role | may |
 * |---|---|
 * | `reader` | nothing more |
 * | `instance` | register, renew, change and deregister instances of its own services |
 * | `peer` | pass on what other registries heard, for every service; register its own services as `instance` does |
 * | `operator` | all of that, set overrides, evict what self-preservation holds |
 */
export type RegistryRole = 'reader' | 'instance' | 'peer' | 'operator';

/** Credentials for a registry, sent as HTTP Basic (RFC 7617). */
export interface RegistryUser {
  /** Without a colon. */
  readonly name: string;
  /** At least 12 characters. */
  readonly password: Secret;
  readonly role: RegistryRole;
  /**
   * Names of the services that an `instance` or `peer` user may speak for, in any case; `['*']`: all. Default: the service that
   * bears the user's own name.
   */
  readonly services?: readonly string[];
  /** Names of the contracts that instances of this user may say they serve. Default: any. */
  readonly contracts?: readonly string[];
}

/** Who sent a request. */
export interface Principal {
  readonly name: string;
  readonly isOperator: boolean;
  /** Whether it may pass on what another registry heard, of any service: a registry itself. */
  readonly mayReplicate: boolean;
  /** Whether it may speak for the instances of a service of that name. */
  maySpeakFor(service: string): boolean;
  /** Whether its instances may say that they serve a contract of that name. */
  mayServe(contract: string): boolean;
}

/** Finds out who sent a request. @throws FlotillaError UNAUTHENTICATED */
export type Authenticate = (request: HttpRequest) => Principal;

const leastPasswordCharacters = 12;
const mostUsers = 1_000;

/** Without users everybody is an operator: for loopback only, see {@link assertRegistryExposure}. */
const anybody: Principal = Object.freeze({
  name: 'anybody',
  isOperator: true,
  mayReplicate: true,
  maySpeakFor: () => true,
  mayServe: () => true,
});

/**
 * Reads the users once. Who was found is known by the field's text from then on. That text is not compared character by
 * character: a Map looks it up by a hash with a seed of the process, so how long it takes tells nobody how much of a guess
 * was right; what is no user's is never kept, and takes the long way each time.
 * @throws FlotillaError CONFIG_INVALID naming the user and what is wrong.
 */
export function createAuthenticator(users: readonly RegistryUser[] | undefined): Authenticate {
  if (users === undefined) return () => anybody;
  checkUsers(users);
  const known = users.map((user) => ({
    digest: digestOf(user.name, user.password.reveal()),
    principal: principalOf(user),
  }));
  /** By the field's text, so that a client that sends the same one again and again costs one look-up. */
  const seen = new Map<string, Principal>();
  return ({ headers }) => {
    const authorization = headers.get('authorization');
    const before = authorization === undefined ? undefined : seen.get(authorization);
    if (before) return before;
    const digest = digestOf(...readBasic(authorization));
    // Every user is compared: how long it takes says nothing about which names exist.
    let found: Principal | undefined;
    for (const user of known) if (timingSafeEqual(user.digest, digest)) found = user.principal;
    if (!found)
      throw new FlotillaError(
        'UNAUTHENTICATED',
        'this registry wants the name and password of one of its users, as HTTP Basic',
      );
    if (authorization !== undefined && seen.size < 2 * mostUsers) seen.set(authorization, found);
    return found;
  };
}

/** What a refused request is told to send (RFC 7617 §2). */
export const basicChallenge: readonly [string, string] = Object.freeze([
  'www-authenticate',
  'Basic realm="flotilla registry", charset="UTF-8"',
]);

/**
 * A registry that others can reach has users.
 * @param keys the configuration keys to name.
 * @throws FlotillaError CONFIG_INVALID when `host` is not loopback and there are no users.
 */
export function assertRegistryExposure(
  host: string,
  users: readonly RegistryUser[] | undefined,
  keys: { readonly bind: string; readonly users: string } = { bind: 'registry.bind', users: 'registry.users' },
): void {
  if (isLoopback(host) || (users !== undefined && users.length > 0)) return;
  throw new FlotillaError(
    'CONFIG_INVALID',
    `the registry would listen on "${host}" without credentials: anybody who reaches it could register, redirect calls ` +
      `or take instances out. Set "${keys.users}", or "${keys.bind}" to 127.0.0.1`,
  );
}

function checkUsers(users: readonly RegistryUser[]): void {
  if (users.length > mostUsers) throw invalid(`there are ${users.length} users; the limit is ${mostUsers}`);
  const names = new Set<string>();
  for (const { name, password } of users) {
    if (!/^[^:\p{Cc}]{1,255}$/u.test(name))
      throw invalid(`the user name "${name.slice(0, 80)}" must be 1 to 255 printable characters without a colon`);
    if (names.has(name)) throw invalid(`the user "${name}" is there twice`);
    names.add(name);
    const { length } = password.reveal();
    if (length < leastPasswordCharacters) {
      throw invalid(
        `the password of the user "${name}" has ${length} characters; it needs at least ${leastPasswordCharacters}`,
      );
    }
  }
}

function principalOf({ name, role, services = [name], contracts = ['*'] }: RegistryUser): Principal {
  const own = new Set(services.map((service) => service.toLowerCase()));
  return Object.freeze({
    name,
    isOperator: role === 'operator',
    mayReplicate: role === 'operator' || role === 'peer',
    maySpeakFor: (service: string) =>
      role === 'operator' ||
      ((role === 'instance' || role === 'peer') && (own.has('*') || own.has(service.toLowerCase()))),
    mayServe: (contract: string) => role === 'operator' || contracts.includes('*') || contracts.includes(contract),
  });
}

/** Absent or unreadable credentials are those of nobody, and take the same way. */
function readBasic(authorization: string | undefined): [name: string, password: string] {
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/]{1,1000}={0,2})$/i.exec(authorization ?? '') ?? [];
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? ['', ''] : [decoded.slice(0, colon), decoded.slice(colon + 1)];
}

/** Of one length whatever was sent, so that comparing takes one time. A name has no line feed. */
function digestOf(name: string, password: string): Buffer {
  return createHash('sha256').update(`${name}\n${password}`).digest();
}

function invalid(detail: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', `the registry's users cannot be used: ${detail}`);
}
