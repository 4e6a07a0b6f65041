import { FlotillaError, type Instance } from '@flotilla/core';
import {
  type AnswerNow,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  paramsAttribute,
  problemResponse,
} from '@flotilla/http';
import type { Lease } from '../lease/lease.ts';
import type { Access } from './access.ts';
import type { RequestKind } from './client-limits.ts';
import type { Speaker } from './operations.ts';
import { type Principal, speakerOf } from './principal.ts';
import { basicChallenge } from './users.ts';

/** A request whose sender is known. */
export interface GuardedRequest {
  readonly request: HttpRequest;
  readonly call: Parameters<HttpHandler>[1];
  readonly who: Principal;
  /** That principal, for the registry: on whose word something is done. */
  readonly by: Speaker;
  /**
   * To be called before a list of everybody is made; ends with the call, or by what it returns.
   * @param bytesEach what an instance takes on the way, about. Default: in our own form.
   * @throws FlotillaError UNAVAILABLE while too many are on their way, RATE_LIMITED for who asks too often
   */
  enterList(instances: number, bytesEach?: number): () => void;
  /** What the names in the route's pattern took. */
  readonly params: ReadonlyMap<string, string>;
}

export type GuardedHandler = (guarded: GuardedRequest) => ReturnType<HttpHandler>;

/**
 * Lets a handler see only requests of users. A browser is none: whatever page it shows could order it to change a
 * registry on its own machine, so changes that carry an `origin` are refused. What a handler refuses with FORBIDDEN goes
 * to the audit log as what is refused here does.
 */
export function guard(
  access: Access,
  handler: GuardedHandler,
  { deny = denyWithProblem, kind }: GuardOptions = {},
): HttpHandler {
  return async (request, call) => {
    let who: Principal | undefined;
    try {
      refuseBrowsers(request);
      who = access.identify(request, call);
      access.admit(kind ?? kindOf(request), who, request, call);
    } catch (thrown) {
      if (!(thrown instanceof FlotillaError)) throw thrown;
      access.refused(thrown, request, who);
      return deny(thrown, call);
    }
    const params = call.get(paramsAttribute) ?? new Map();
    const known = who;
    const enterList = (instances: number, bytesEach?: number): (() => void) => {
      const leave = access.enterList(instances, call, bytesEach); // first: who is sent away has used up nothing
      try {
        access.admit('list', known, request, call);
      } catch (thrown) {
        leave();
        throw thrown;
      }
      return leave;
    };
    try {
      return await handler({ request, call, who, by: speakerOf(who, request), enterList, params });
    } catch (thrown) {
      if (thrown instanceof FlotillaError) access.refused(thrown, request, who);
      throw thrown;
    }
  };
}

/** A request of somebody who may come in, answered at once. */
export interface PromptRequest {
  readonly request: HttpRequest;
  readonly who: Principal;
  readonly params: ReadonlyMap<string, string>;
}

/** Answers at once, in two steps, so that nothing is counted or done for what has to go the long way. */
export interface PromptGuarded<Found> {
  /** Looks up what is asked for, and whether `who` may; undefined: this goes the long way. It changes nothing. */
  find(asked: PromptRequest): Found | undefined;
  /** Does it, when the client's limit permits. */
  act(found: Found, by: Speaker): HttpResponse;
}

/**
 * The short way past a {@link guard}, for {@link answeringNow}: of those that proved themselves before, within their limit.
 * Everybody else, and everything that is refused, goes the long way, where it is counted and noted.
 */
export function guardNow<Found>(access: Access, kind: RequestKind, { find, act }: PromptGuarded<Found>): AnswerNow {
  return (request, { clock, params }) => {
    if (request.headers.has('origin')) return undefined;
    const who = access.recognise(request, clock);
    if (!who) return undefined;
    const found = find({ request, who, params });
    if (found === undefined || !access.admits(kind, who, request, clock)) return undefined;
    return act(found, speakerOf(who, request));
  };
}

/** How a {@link guard} differs from the usual one. */
export interface GuardOptions {
  /** Makes the answer for whom is refused. Default: a problem. */
  readonly deny?: (error: FlotillaError, call: GuardedRequest['call']) => Awaited<ReturnType<HttpHandler>>;
  /** Which limit counts. Default: `read` for GET and HEAD, `change` for the rest. */
  readonly kind?: RequestKind;
}

function kindOf({ method }: HttpRequest): RequestKind {
  return method === 'GET' || method === 'HEAD' ? 'read' : 'change';
}

/** @throws FlotillaError FORBIDDEN unless `who` may speak for instances of `service`. */
export function assertMaySpeakFor(who: Principal, service: string): void {
  if (who.maySpeakFor(service)) return;
  throw new FlotillaError(
    'FORBIDDEN',
    `the user "${who.name}" may not speak for instances of "${service}": see its role and services`,
  );
}

/** @throws FlotillaError FORBIDDEN unless `who` may register this: for its service, with these contracts. */
export function assertMayRegister(
  who: Principal,
  { identity, contracts }: Pick<Instance, 'identity' | 'contracts'>,
): void {
  assertMaySpeakFor(who, identity.service);
  const foreign = contracts.find(({ name }) => !who.mayServe(name));
  if (!foreign) return;
  throw new FlotillaError(
    'FORBIDDEN',
    `the user "${who.name}" may not register who serves the contract "${foreign.name}": see its contracts`,
  );
}

/** Whether the word of `who` about an instance counts, in the registry's own judgement: it registered it, or may all. */
export function mayTouch(who: Principal, { owner }: Pick<Lease, 'owner'>): boolean {
  return owner === undefined || owner === who.name || who.isOperator;
}

/** @throws FlotillaError FORBIDDEN unless `who` is an operator. */
export function assertOperator(who: Principal, action: string): void {
  if (who.isOperator) return;
  throw new FlotillaError('FORBIDDEN', `the user "${who.name}" may not ${action}: that needs the role operator`);
}

/** @throws FlotillaError FORBIDDEN unless `who` may pass on what another registry heard. */
export function assertMayReplicate(who: Principal): void {
  if (who.mayReplicate) return;
  throw new FlotillaError('FORBIDDEN', `the user "${who.name}" may not replicate: that needs the role peer`);
}

function refuseBrowsers({ method, headers }: HttpRequest): void {
  if (method === 'GET' || method === 'HEAD' || !headers.has('origin')) return;
  throw new FlotillaError('FORBIDDEN', 'a registry takes no changes from pages in a browser');
}

function denyWithProblem(error: FlotillaError, call: GuardedRequest['call']): Awaited<ReturnType<HttpHandler>> {
  return problemResponse(error, call, error.code === 'UNAUTHENTICATED' ? [basicChallenge] : []);
}
