import {
  type BackoffBounds,
  type Call,
  FlotillaError,
  type Instance,
  leaseDefaults,
  type Place,
  type PutAnswer,
} from '@flotilla/core';
import { errorFromResponse, HttpHeaders } from '@flotilla/http';
import type { EurekaInstance } from '../document.ts';
import { encodeInstance } from '../instance.ts';
import { encodeStatus } from '../status.ts';
import { type Allowance, allowanceDefaults, leastBackoffMs, use } from './pace.ts';
import type { EurekaAnswer, EurekaRequest, EurekaServers } from './servers.ts';

/** A server that says one of these has understood us; another one would say the same. */
const refusals: ReadonlySet<number> = new Set([400, 404, 405, 406, 409, 413, 415]);

/**
 * How Eureka keeps one instance: with the incarnation as its dirty timestamp.
 *
 * A change is said at once, two in a burst and then one every 15 s; `draining` never waits. To Java's callers an instance
 * that drains is DOWN, since their servers keep UP when a re-registration says OUT_OF_SERVICE; ours read the note.
 */
export class EurekaPlace implements Place {
  readonly backoff: BackoffBounds;
  readonly #servers: EurekaServers;
  #allowance: Allowance;

  constructor({ lease }: Instance, servers: EurekaServers, now: number) {
    this.#servers = servers;
    this.#allowance = { left: allowanceDefaults.burst, at: now };
    this.backoff = { leastMs: leastBackoffMs, mostMs: (lease ?? leaseDefaults).renewEveryMs };
  }

  async put(instance: Instance, call: Call, before: Instance | undefined): Promise<PutAnswer> {
    const segments = ['apps', instance.identity.service.toUpperCase()];
    const json = { instance: documentOf(instance) };
    const answer = await this.#servers.send({ method: 'POST', segments, json, answers: refusals }, call);
    if (answer.status >= 300) throw errorOf(answer);
    await this.#sayOutOfService(instance, before?.status === 'out-of-service', call);
    return { kind: 'kept', by: answer.server };
  }

  async renew(instance: Instance, call: Call): ReturnType<Place['renew']> {
    const query = { status: shown(instance), lastDirtyTimestamp: String(instance.incarnation) };
    const answer = await this.#send('PUT', instance, [], call, query);
    // What was said before may be tied to a lease that is gone: said anew, it is newer (`DiscoveryClient#renew`).
    if (answer.status === 404) return { kind: 'unknown', above: instance.incarnation };
    if (answer.status >= 300) throw errorOf(answer);
    return { kind: 'kept' };
  }

  async remove(instance: Instance, call: Call): Promise<void> {
    const answer = await this.#send('DELETE', instance, [], call);
    if (answer.status >= 300 && answer.status !== 404) throw errorOf(answer);
  }

  changeWaitMs({ status }: Instance, now: number): number {
    const used = use(this.#allowance, now);
    if ('waitMs' in used) return status === 'draining' ? 0 : used.waitMs;
    this.#allowance = used;
    return 0;
  }

  /** Java's servers keep UP and OUT_OF_SERVICE over what a re-registration says (`LeaseExistsRule`): it is said apart. */
  async #sayOutOfService(instance: Instance, wasOut: boolean, call: Call): Promise<void> {
    const isOut = instance.status === 'out-of-service';
    if (!isOut && !wasOut) return;
    const answer = await this.#send(isOut ? 'PUT' : 'DELETE', instance, ['status'], call, { value: shown(instance) });
    if (answer.status >= 300 && answer.status !== 404) throw errorOf(answer);
  }

  #send(
    method: EurekaRequest['method'],
    { id, identity }: Instance,
    rest: readonly string[],
    call: Call,
    query: Readonly<Record<string, string>> = {},
  ): Promise<EurekaAnswer> {
    const segments = ['apps', identity.service.toUpperCase(), id, ...rest];
    return this.#servers.send({ method, segments, query, answers: refusals }, call);
  }
}

/** As the document of an instance says it; see {@link EurekaPlace} for `draining`. */
function shown({ status }: Instance): EurekaInstance['status'] {
  return status === 'draining' ? 'DOWN' : encodeStatus(status);
}

/** Notes tell Flotilla's readers what Eureka has no field for, the true status of who drains among it. */
function documentOf(instance: Instance): EurekaInstance {
  return { ...encodeInstance(instance), status: shown(instance) };
}

function errorOf({ status, body }: Pick<EurekaAnswer, 'status' | 'body'>): FlotillaError {
  const error = errorFromResponse({ status, headers: new HttpHeaders(), body }, body);
  const said = new TextDecoder().decode(body.subarray(0, 200)).replaceAll(/[^\P{Cc}]/gu, ' ');
  return new FlotillaError(error.code, said === '' ? `Eureka answers ${status}` : `Eureka answers ${status}: ${said}`, {
    fromPeer: true,
    httpStatus: status,
  });
}
