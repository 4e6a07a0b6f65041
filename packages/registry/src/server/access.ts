import type { Call, Clock, FlotillaError } from '@flotilla/core';
import { type HttpRequest, isLoopback, type Peer } from '@flotilla/http';
import type { AuditTrail } from './audit.ts';
import { ClientMeter, networkOf, type RequestKind } from './client-limits.ts';
import type { Principal } from './principal.ts';
import { type Authenticate, createAuthenticator, type RegistryUser, type StrangerOptions } from './users.ts';

/** Who may do what with a registry, how often, and who is told. */
export interface AccessOptions extends StrangerOptions {
  /** Absent: everybody may do everything, for loopback only; see `assertRegistryExposure`. */
  readonly users?: readonly RegistryUser[] | undefined;
  /** Absent: the defaults of `clientLimits`. Share one among all dialects of a registry, and over changes of its users. */
  readonly meter?: ClientMeter | undefined;
  /** Absent: nobody is told. */
  readonly audit?: AuditTrail | undefined;
}

/** Addresses from which a name has proved itself: they go on being served while others there guess. */
const mostProven = 20_000;

/** What was found out about a connection, so that it need not be found out for each of its requests. */
interface KnownConnection {
  readonly network: string;
  /** Who proved itself there last. */
  proved: Principal | undefined;
  /** Whose name {@link clientOf} made last. */
  who: Principal | undefined;
  client: string;
}

/** The door of a registry: all dialects on one port share it. */
export class Access {
  /** No users: whoever reaches it may do everything. */
  readonly isOpen: boolean;
  readonly audit: AuditTrail | undefined;
  readonly #authenticate: Authenticate;
  readonly #meter: ClientMeter;
  readonly #proven = new Set<string>();
  readonly #connections = new WeakMap<Peer, KnownConnection>();

  /** @throws FlotillaError CONFIG_INVALID for users that cannot be used */
  constructor({ users, meter, audit, allowAnonymousRead }: AccessOptions) {
    this.isOpen = users === undefined;
    this.audit = audit;
    this.#authenticate = createAuthenticator(users, { allowAnonymousRead });
    this.#meter = meter ?? new ClientMeter();
  }

  /**
   * Who sends this, if it may come now.
   *
   * Wrong credentials are counted by address. Where they came too often, no other ones are looked at, so that guessing
   * has a pace; a name that was right from there before is still served, so that a stranger who guesses shuts nobody out.
   * @throws FlotillaError UNAUTHENTICATED, RATE_LIMITED
   */
  identify(request: HttpRequest, { clock, random }: Call): Principal {
    if (this.isOpen) return this.#authenticate(request, 0);
    const now = clock.now();
    const connection = this.#connectionOf(request.peer);
    const address = connection.network;
    let found: Principal;
    try {
      found = this.#authenticate(request, clock.wallNow());
    } catch (thrown) {
      this.#meter.admitLogin(address, now, random);
      if (request.headers.has('authorization')) this.#meter.loginFailed(address, now);
      throw thrown;
    }
    if (!request.headers.has('authorization')) return found;
    if (this.#hasProved(connection, found)) return found;
    const proof = `${address} ${found.name}`;
    // The same answer as for a wrong guess: it does not tell that this one was right.
    this.#meter.admitLogin(address, now, random);
    if (this.#proven.size >= mostProven) this.#proven.clear();
    this.#proven.add(proof);
    return found;
  }

  /**
   * {@link identify} of who proved itself from there before, at the cost of a look; nothing is counted.
   * @returns undefined says nothing: ask the whole question
   */
  recognise(request: HttpRequest, clock: Clock): Principal | undefined {
    if (this.isOpen) return this.#authenticate.known(request, 0);
    const found = this.#authenticate.known(request, clock.wallNow());
    if (!found || !request.headers.has('authorization')) return found;
    return this.#hasProved(this.#connectionOf(request.peer), found) ? found : undefined;
  }

  /** @throws FlotillaError RATE_LIMITED */
  admit(kind: RequestKind, who: Principal, { peer }: HttpRequest, { clock, random }: Call): void {
    if (this.#isUnlimited(who, peer)) return;
    this.#meter.admit(kind, clientOf(this.#connectionOf(peer), who), clock.now(), random);
  }

  /** {@link admit} as a question: false, and nothing is taken, where it would be refused. */
  admits(kind: RequestKind, who: Principal, { peer }: HttpRequest, clock: Clock): boolean {
    if (this.#isUnlimited(who, peer)) return true;
    return this.#meter.admits(kind, clientOf(this.#connectionOf(peer), who), clock.now());
  }

  #isUnlimited(who: Principal, peer: Peer | undefined): boolean {
    // A machine that talks to itself without credentials is a developer's; peers' batches have limits of their own.
    return who.role === 'peer' || (this.isOpen && isLoopback(peer?.address ?? '127.0.0.1'));
  }

  /** Whether that name was right before, on this connection or on another one from its network. */
  #hasProved(connection: KnownConnection, who: Principal): boolean {
    if (connection.proved === who) return true;
    if (!this.#proven.has(`${connection.network} ${who.name}`)) return false;
    connection.proved = who;
    return true;
  }

  #connectionOf(peer: Peer | undefined): KnownConnection {
    const known = peer && this.#connections.get(peer);
    if (known) return known;
    const network = peer ? networkOf(peer.address) : '';
    const connection: KnownConnection = { network, proved: undefined, who: undefined, client: '' };
    if (peer) this.#connections.set(peer, connection);
    return connection;
  }

  /**
   * A list of everybody is to be sent within `call`.
   * @param bytesEach what an instance takes on the way, about. Default: in our own form.
   * @returns ends it sooner.
   * @throws FlotillaError UNAVAILABLE with a time to come again
   */
  enterList(instances: number, call: Call, bytesEach?: number): () => void {
    const leave = this.#meter.enterList(instances, call.random, bytesEach);
    call.onEnd(leave);
    call.onCancel(leave);
    return leave;
  }

  /** Notes what was refused, where it is a matter of who may do what. */
  refused(error: FlotillaError, request: HttpRequest, who: Principal | undefined): void {
    if (!['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED'].includes(error.code)) return;
    // Who has not logged in yet, as a browser that is about to ask, is no event.
    if (error.code === 'UNAUTHENTICATED' && !request.headers.has('authorization')) return;
    this.audit?.record({
      ...(who ? { who: who.name, role: who.role } : { who: claimedName(request) }),
      address: request.peer?.address ?? '',
      action: request.method,
      outcome: 'refused',
      target: request.path.text,
      reason: `${error.code}: ${error.detail}`,
    });
  }
}

/** @throws FlotillaError CONFIG_INVALID for users that cannot be used */
export function createAccess(options: AccessOptions = {}): Access {
  return new Access(options);
}

/** The name under which limits count a principal at an address. */
function clientOf(connection: KnownConnection, who: Principal): string {
  if (connection.who !== who) {
    connection.who = who;
    connection.client = `${connection.network} ${who.name}`;
  }
  return connection.client;
}

/** The name that wrong credentials claim; never more of them. */
function claimedName({ headers }: HttpRequest): string {
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/]{1,1000}={0,2})$/i.exec(headers.get('authorization') ?? '') ?? [];
  const [name = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':', 1);
  return name === '' ? 'unknown' : `unknown, claims to be "${name}"`;
}
