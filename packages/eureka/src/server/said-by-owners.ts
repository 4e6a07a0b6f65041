import { FlotillaError, formatIdentity, type Instance } from '@flotilla/core';
import { type HttpResponse, queryParameter } from '@flotilla/http';
import type { Lease } from '@flotilla/registry';
import {
  acknowledge,
  assertMayRegister,
  assertMaySpeakFor,
  mayTouch,
  type PromptGuarded,
  type Registry,
} from '@flotilla/registry/server';
import { empty, refusedRegistration } from './answers.ts';
import type { Asked, EurekaContext } from './context.ts';
import { judgeHeartbeat } from './heartbeat.ts';
import { readInstance } from './intake.ts';
import { dirtyTimestamp, keyOf, leaseAt } from './lease-at.ts';
import { acceptedType, sentType } from './negotiation.ts';

/**
 * `POST apps/{app}`. A registration that is older than the instance's farewell is answered like any other and not stored:
 * it is a late copy of what its owner ended, or a replay. One of the very age of the farewell is a late copy where it says
 * DOWN, the last word of Spring's clients; otherwise its owner gives every life the same timestamp, and is back.
 */
export async function register({ registry, dialBack }: EurekaContext, asked: Asked): Promise<HttpResponse> {
  const { request, who, by, params } = asked;
  assertMaySpeakFor(who, params.get('app') ?? '');
  return stored(registry, asked, async (given) => {
    assertMayRegister(who, given); // a note in its metadata may name another service than the path
    const { instance } = (await dialBack?.judge(given, request.peer?.address)) ?? { instance: given };
    registry.register(instance, { acceptOverride: who.isOperator, mayReturn: given.status !== 'down', by });
  });
}

/** `POST apps/{app}` by a peer, which passes on what it heard. */
export function adopt({ registry, peers }: EurekaContext, asked: Asked): Promise<HttpResponse> {
  return stored(registry, asked, async (instance) => peers.adopt(instance, asked.call));
}

async function stored(
  registry: Registry,
  { request, call, params }: Asked,
  store: (instance: Instance) => Promise<void>,
): Promise<HttpResponse> {
  const type = sentType(request.headers) ?? 'application/json';
  let instance: Instance;
  try {
    instance = await readInstance(request, type, params.get('app') ?? '', call);
    await store(instance);
  } catch (error) {
    const refusable = error instanceof FlotillaError && error.httpStatus === 400;
    if (refusable) return refusedRegistration(error, type);
    throw error;
  }
  const key = { service: formatIdentity(instance.identity), id: instance.id };
  return acknowledge(registry, key, () => empty(204));
}

/**
 * `PUT apps/{app}/{id}`; 404 where an operator's word was taken back, so that the owner registers and its own word is fresh: of
 * who came from a Java server that word is not known here. `ApplicationInfoManager` sends the status too; a Java server does not look at it either.
 */
export function renew({ registry }: EurekaContext, { request, who, by, params }: Asked): HttpResponse {
  assertMaySpeakFor(who, params.get('app') ?? '');
  const dirty = dirtyTimestamp(request.query);
  const lease = leaseAt(registry, params);
  const verdict = registry.awaitsOwner(lease) ? 'register' : judgeHeartbeat(lease, dirty);
  if (verdict === 'register') return empty(404);
  return empty(registry.renew(keyOf(lease), dirty, { by }).outcome === 'known' ? 200 : 404);
}

/**
 * {@link renew} at once, of who is known and alive: nearly everything that a registry is asked. What a peer says, what has
 * to register and what is wrong goes the long way.
 */
export function renewNow({ registry }: EurekaContext): PromptGuarded<Heartbeat> {
  return {
    find({ request, who, params }) {
      if (request.method !== 'PUT' || request.headers.has('x-netflix-discovery-replication')) return undefined;
      const app = params.get('app') ?? '';
      if (!acceptedType(request.headers) || !who.maySpeakFor(app)) return undefined;
      const lease = registry.find(app, params.get('id') ?? '');
      if (!lease || !mayTouch(who, lease) || registry.awaitsOwner(lease)) return undefined;
      const dirty = queryParameter(request.query, 'lastDirtyTimestamp');
      if (dirty !== undefined && !/^[0-9]{1,15}$/.test(dirty)) return undefined;
      const incarnation = dirty === undefined ? undefined : Number(dirty);
      return judgeHeartbeat(lease, incarnation) === 'register' ? undefined : { lease, incarnation };
    },
    act({ lease, incarnation }, by) {
      return empty(registry.renew(keyOf(lease), incarnation, { by }).outcome === 'known' ? 200 : 404);
    },
  };
}

/** What a heartbeat means, and what its sender holds. */
interface Heartbeat {
  readonly lease: Lease;
  readonly incarnation: number | undefined;
}

/** `DELETE apps/{app}/{id}`. */
export async function cancel({ registry }: EurekaContext, { who, by, params }: Asked): Promise<HttpResponse> {
  assertMaySpeakFor(who, params.get('app') ?? '');
  const key = keyOf(leaseAt(registry, params));
  registry.deregister(key, undefined, { by });
  return acknowledge(registry, key, () => empty(200));
}
