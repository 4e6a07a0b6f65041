import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { FlotillaError, type Secret } from '@flotilla/core';
import { type HttpRequest, isLoopback } from '@flotilla/http';
import { anybody, type Principal, passerBy, principalOf, type RegistryRole } from './principal.ts';

export type { Principal, RegistryRole } from './principal.ts';

/**
 * A token of a principal, sent as `Authorization: Bearer …` (RFC 6750), or in place of the password as HTTP Basic, which
 * is all that Eureka's clients can send.
 */
export interface RegistryToken {
  /** 32 to 512 characters `A–Z a–z 0–9 . _ ~ + / = -`; or `sha256:` and the hexadecimal SHA-256 of such a token. */
  readonly secret: Secret;
  /** Wall time (epoch milliseconds) from which on it counts. Default: always did. */
  readonly notBefore?: number;
  /** Wall time from which on it does not count any more. Default: never. */
  readonly notAfter?: number;
}

/**
 * A principal of a registry and how it proves who it is: a password (HTTP Basic, RFC 7617), tokens, or the name in a
 * client certificate that the listener verified. What it registered stays its own when a token is replaced.
 */
export interface RegistryUser {
  /** Without a colon. */
  readonly name: string;
  /** At least 12 characters. */
  readonly password?: Secret;
  /** At most two may count at any time: the one that goes and the one that comes. */
  readonly tokens?: readonly RegistryToken[];
  /** Names in certificates: `CN=orders`, `DNS:orders.internal`, `URI:spiffe://fleet/orders`. */
  readonly certificates?: readonly string[];
  readonly role: RegistryRole;
  /**
   * Names of the services that an `instance` or `peer` user may speak for, in any case; `['*']`: all. Default: the service that
   * bears the user's own name.
   */
  readonly services?: readonly string[];
  /** Names of the contracts that instances of this user may say they serve. Default: any. */
  readonly contracts?: readonly string[];
}

/** How strangers are taken. */
export interface StrangerOptions {
  /** Whether whoever has no credentials may read. Default false. */
  readonly allowAnonymousRead?: boolean | undefined;
}

/**
 * Finds out who sent a request. Credentials in its head count before a certificate.
 * @param wallNow for tokens that begin and end.
 * @throws FlotillaError UNAUTHENTICATED
 */
export interface Authenticate {
  (request: HttpRequest, wallNow: number): Principal;
  /** The same of whom was found before, and still counts; undefined says nothing: ask the whole question. */
  known(request: HttpRequest, wallNow: number): Principal | undefined;
}

const leastPasswordCharacters = 12;
const mostUsers = 1_000;
const mostTokens = 8;
const mostCertificates = 16;

/** Of the length of a digest, for the comparison that fails. */
const nobodysDigest = Buffer.alloc(32);

/** One way to prove who one is. */
interface Credential {
  readonly digest: Buffer;
  readonly principal: Principal;
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Reads the users once. Who was found is known by the field's text from then on. That text is not compared character by
 * character: a Map looks it up by a hash with a seed of the process, so how long it takes tells nobody how much of a guess
 * was right; what is no user's is never kept, and takes the long way each time.
 * @throws FlotillaError CONFIG_INVALID naming the user and what is wrong, never a secret.
 */
export function createAuthenticator(
  users: readonly RegistryUser[] | undefined,
  { allowAnonymousRead = false }: StrangerOptions = {},
): Authenticate {
  if (users === undefined) return Object.assign(() => anybody, { known: () => anybody });
  checkUsers(users);
  const keyring = new Keyring(users);
  const authenticate = (request: HttpRequest, wallNow: number): Principal => {
    const authorization = request.headers.get('authorization');
    if (authorization !== undefined) return keyring.byAuthorization(authorization, wallNow);
    const certified = keyring.byCertificate(request.peer?.certificate?.names ?? []);
    if (certified) return certified;
    if (allowAnonymousRead && (request.method === 'GET' || request.method === 'HEAD')) return passerBy;
    throw unauthenticated();
  };
  const known = (request: HttpRequest, wallNow: number): Principal | undefined => {
    const authorization = request.headers.get('authorization');
    if (authorization !== undefined) return keyring.bySeen(authorization, wallNow);
    return keyring.byCertificate(request.peer?.certificate?.names ?? []);
  };
  return Object.assign(authenticate, { known });
}

/** What a refused request is told to send (RFC 7617 §2). */
export const basicChallenge: readonly [string, string] = Object.freeze([
  'www-authenticate',
  'Basic realm="flotilla registry", charset="UTF-8"',
]);

/** What {@link assertRegistryExposure} looks at. */
export interface Exposure {
  readonly host: string;
  readonly users: readonly RegistryUser[] | undefined;
  /** The explicit switch: everybody who reaches it may do everything. Default false. */
  readonly insecureAllowAnybody?: boolean | undefined;
}

/**
 * A registry that others can reach has users, unless an explicit switch says that it needs none.
 * @param keys the configuration keys to name.
 * @returns a warning to log at the start, where the switch is what lets it start.
 * @throws FlotillaError CONFIG_INVALID when `host` is not loopback and there are no users; when there are users and the
 * switch would have no effect.
 */
export function assertRegistryExposure(
  { host, users, insecureAllowAnybody = false }: Exposure,
  keys: { readonly bind: string; readonly users: string; readonly insecure: string } = {
    bind: 'registry.bind',
    users: 'registry.users',
    insecure: 'registry.insecureAllowAnybody',
  },
): string | undefined {
  const hasUsers = users !== undefined && users.length > 0;
  if (hasUsers && insecureAllowAnybody)
    throw new FlotillaError(
      'CONFIG_INVALID',
      `"${keys.insecure}" and "${keys.users}" exclude each other: take one out`,
    );
  if (hasUsers || isLoopback(host)) return undefined;
  const danger = 'anybody who reaches it could register, redirect calls or take instances out';
  if (insecureAllowAnybody) {
    return `THE REGISTRY IS OPEN: it listens on "${host}" without credentials, so ${danger}. Set "${keys.users}" and take "${keys.insecure}" out`;
  }
  throw new FlotillaError(
    'CONFIG_INVALID',
    `the registry would listen on "${host}" without credentials: ${danger}. Set "${keys.users}", or "${keys.bind}" to ` +
      `127.0.0.1; whoever wants it open all the same sets "${keys.insecure}"`,
  );
}

/** All credentials, found by what was sent. */
class Keyring {
  /** Of this process: how long a search takes says something of a digest that nobody else can compute. */
  readonly #key = randomBytes(32).toString('hex');
  readonly #credentials = new Map<string, Credential>();
  readonly #certified = new Map<string, Principal>();
  /** By the field's text: a client sends the same one with every heartbeat. */
  readonly #seen = new Map<string, Credential>();

  constructor(users: readonly RegistryUser[]) {
    for (const user of users) {
      const principal = principalOf(user);
      const { name, password, tokens = [], certificates = [] } = user;
      if (password) this.#add(principal, name, hashOf(password.reveal()));
      for (const { secret, notBefore, notAfter } of tokens) {
        const hashed = tokenHash(secret.reveal());
        for (const as of [name, '']) this.#add(principal, as, hashed, notBefore, notAfter);
      }
      for (const certificate of certificates) this.#certified.set(certificate, principal);
    }
  }

  /** @throws FlotillaError UNAUTHENTICATED, in the same way whatever is wrong with what was sent. */
  byAuthorization(authorization: string, wallNow: number): Principal {
    const known = this.#seen.get(authorization);
    const found = known ?? this.#find(authorization);
    if (!known && this.#seen.size < 2 * mostUsers) this.#seen.set(authorization, found);
    // Whoever reads this has the token: it may know why it does not count.
    if (wallNow >= found.notAfter) throw outOfTime(found.principal, `ended at ${iso(found.notAfter)}`);
    if (wallNow < found.notBefore) throw outOfTime(found.principal, `does not count before ${iso(found.notBefore)}`);
    return found.principal;
  }

  /** Without the long way, which is for who comes first, and for guesses. */
  bySeen(authorization: string, wallNow: number): Principal | undefined {
    const found = this.#seen.get(authorization);
    return found && wallNow >= found.notBefore && wallNow < found.notAfter ? found.principal : undefined;
  }

  /** @throws FlotillaError UNAUTHENTICATED */
  #find(authorization: string): Credential {
    const [name, secret] = readAuthorization(authorization);
    const digest = this.#digest(name, hashOf(secret));
    const found = this.#credentials.get(digest.toString('latin1'));
    if (!timingSafeEqual(found?.digest ?? nobodysDigest, digest) || !found) throw unauthenticated();
    return found;
  }

  byCertificate(names: readonly string[]): Principal | undefined {
    for (const name of names) {
      const principal = this.#certified.get(name);
      if (principal) return principal;
    }
    return undefined;
  }

  #add(principal: Principal, name: string, hashed: string, notBefore = -Infinity, notAfter = Infinity): void {
    const digest = this.#digest(name, hashed);
    this.#credentials.set(digest.toString('latin1'), { digest, principal, notBefore, notAfter });
  }

  /** Of one length whatever was sent. A name has no line feed; that of a bearer is empty, which no user's is. */
  #digest(name: string, hashed: string): Buffer {
    return hash('sha256', `${this.#key}\n${name}\n${hashed}`, 'buffer');
  }
}

/** Name and secret; a bearer has no name. What cannot be read are the credentials of nobody, and take the same way. */
function readAuthorization(authorization: string): [name: string, secret: string] {
  const [, bearer] = /^bearer +([A-Za-z0-9._~+/-]{1,512}={0,2})$/i.exec(authorization) ?? [];
  if (bearer !== undefined) return ['', bearer];
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/]{1,1000}={0,2})$/i.exec(authorization) ?? [];
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  // A name that is empty would be that of a bearer.
  return colon < 1 ? ['\n', ''] : [decoded.slice(0, colon), decoded.slice(colon + 1)];
}

const hashedToken = /^sha256:([0-9a-f]{64})$/;

function tokenHash(secret: string): string {
  return hashedToken.exec(secret)?.[1] ?? hashOf(secret);
}

function hashOf(secret: string): string {
  return hash('sha256', secret, 'hex');
}

function checkUsers(users: readonly RegistryUser[]): void {
  if (users.length > mostUsers) throw invalid(`there are ${users.length} users; the limit is ${mostUsers}`);
  const taken = new Map<string, string>();
  const take = (what: string, shown: string, name: string): void => {
    const other = taken.get(what);
    if (other !== undefined)
      throw invalid(other === name ? `${shown} is there twice` : `${shown} is that of "${other}" and of "${name}"`);
    taken.set(what, name);
  };
  for (const user of users) {
    const { name, password, tokens = [], certificates = [] } = user;
    if (!/^[^:\p{Cc}]{1,255}$/u.test(name))
      throw invalid(`the user name "${name.slice(0, 80)}" must be 1 to 255 printable characters without a colon`);
    take(`name ${name}`, `the user "${name}"`, name);
    if (!password && tokens.length === 0 && certificates.length === 0)
      throw invalid(`the user "${name}" has neither a password nor a token nor a certificate`);
    if (password) checkPassword(name, password);
    checkTokens(name, tokens);
    for (const { secret } of tokens) take(`token ${tokenHash(secret.reveal())}`, 'a token', name);
    checkCertificates(name, certificates);
    for (const certificate of certificates)
      take(`certificate ${certificate}`, `the certificate "${certificate}"`, name);
  }
}

function checkPassword(name: string, password: Secret): void {
  const { length } = password.reveal();
  if (length >= leastPasswordCharacters) return;
  throw invalid(
    `the password of the user "${name}" has ${length} characters; it needs at least ${leastPasswordCharacters}`,
  );
}

function checkTokens(name: string, tokens: readonly RegistryToken[]): void {
  if (tokens.length > mostTokens)
    throw invalid(`the user "${name}" has ${tokens.length} tokens; the limit is ${mostTokens}`);
  const spans = tokens.map(({ secret, notBefore = -Infinity, notAfter = Infinity }, index) => {
    const text = secret.reveal();
    if (!hashedToken.test(text) && !/^(?!(.)\1+$)[A-Za-z0-9._~+/-]{30,510}={0,2}$/.test(text)) {
      throw invalid(
        `token ${index + 1} of the user "${name}" must be 32 to 512 random characters A-Z a-z 0-9 . _ ~ + / = -, as of ` +
          `"openssl rand -base64 32", or "sha256:" and 64 hexadecimal digits; it has ${text.length} characters`,
      );
    }
    if (notBefore >= notAfter) throw invalid(`token ${index + 1} of the user "${name}" ends before it begins`);
    return { notBefore, notAfter };
  });
  const busiest = Math.max(
    0,
    ...spans.map(({ notBefore: at }) => spans.filter((span) => span.notBefore <= at && at < span.notAfter).length),
  );
  if (busiest > 2)
    throw invalid(`${busiest} tokens of the user "${name}" count at one time; two may: the old one and the new one`);
}

function checkCertificates(name: string, certificates: readonly string[]): void {
  if (certificates.length > mostCertificates)
    throw invalid(`the user "${name}" has ${certificates.length} certificates; the limit is ${mostCertificates}`);
  const wrong = certificates.find((certificate) => !/^(?:CN=|DNS:|URI:)[^\p{Cc}]{1,255}$/u.test(certificate));
  if (wrong !== undefined)
    throw invalid(`"${wrong.slice(0, 80)}" of the user "${name}" must be "CN=…", "DNS:…" or "URI:…"`);
}

function unauthenticated(): FlotillaError {
  return new FlotillaError(
    'UNAUTHENTICATED',
    'this registry wants the name and password of one of its users, as HTTP Basic, or a token, as Bearer',
  );
}

function outOfTime({ name }: Principal, why: string): FlotillaError {
  return new FlotillaError('UNAUTHENTICATED', `this token of "${name}" ${why}: use another one`);
}

function iso(wallAt: number): string {
  return new Date(wallAt).toISOString();
}

function invalid(detail: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', `the registry's users cannot be used: ${detail}`);
}
