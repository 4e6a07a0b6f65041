import { FlotillaError, type Instance } from '@flotilla/core';
import { type HttpHandler, type HttpRequest, paramsAttribute, problemResponse } from '@flotilla/http';
import { type Authenticate, basicChallenge, type Principal } from './users.ts';

/** A request whose sender is known. */
export interface GuardedRequest {
  readonly request: HttpRequest;
  readonly call: Parameters<HttpHandler>[1];
  readonly who: Principal;
  /** What the names in the route's pattern took. */
  readonly params: ReadonlyMap<string, string>;
}

export type GuardedHandler = (guarded: GuardedRequest) => ReturnType<HttpHandler>;

/**
 * Lets a handler see only requests of users. A browser is none: whatever page it shows could order it to change a
 * registry on its own machine, so changes that carry an `origin` are refused.
 * @param deny makes the answer for whom is refused. Default: a problem.
 */
export function guard(
  authenticate: Authenticate,
  handler: GuardedHandler,
  deny: (error: FlotillaError, call: GuardedRequest['call']) => Awaited<ReturnType<HttpHandler>> = denyWithProblem,
): HttpHandler {
  return async (request, call) => {
    let who: Principal;
    try {
      refuseBrowsers(request);
      who = authenticate(request);
    } catch (thrown) {
      if (thrown instanceof FlotillaError) return deny(thrown, call);
      throw thrown;
    }
    return handler({ request, call, who, params: call.get(paramsAttribute) ?? new Map() });
  };
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
