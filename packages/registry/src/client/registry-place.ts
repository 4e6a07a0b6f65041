import { Call, type ContractDocument, FlotillaError, type Instance, type Place, type PutAnswer } from '@flotilla/core';
import { errorFromResponse, HttpHeaders } from '@flotilla/http';
import { isWildcard } from './advertise.ts';
import {
  type RegisteredAnswer,
  readLastIncarnation,
  readNotice,
  readRegistered,
  readRenewed,
  readWants,
} from './answers.ts';
import type { ClientLog } from './log.ts';
import type { ResolvedClientOptions } from './options.ts';
import type { RegistryAnswer, RegistryServers } from './servers.ts';

/** What a {@link RegistryPlace} needs. */
export interface RegistryPlaceParts {
  readonly servers: RegistryServers;
  readonly options: ResolvedClientOptions;
  readonly log: ClientLog;
  /** Of the contracts that the instance serves or calls. */
  readonly documents: readonly ContractDocument[];
}

/** The registry holds an answer back no longer than a minute; one that breaks off meanwhile is found out sooner so. */
const longestWaitMs = 20_000;

/** How our registry keeps one instance: with incarnations, and the texts of its contracts, where it asks for them. */
export class RegistryPlace implements Place {
  readonly #parts: RegistryPlaceParts;
  /** Why the registry could not connect, as it was said last. */
  #unreachable: string | undefined;
  #addressCompared = false;
  /** Contracts whose text was not taken: said once. */
  readonly #untold = new Set<string>();

  constructor(parts: RegistryPlaceParts) {
    this.#parts = parts;
  }

  async put(instance: Instance, call: Call): Promise<PutAnswer> {
    let answer = await this.#send('PUT', instance, [], call, {}, { json: instance });
    const wants = answer.status === 409 ? readWants(refusalOf(answer).data) : [];
    if (wants.length > 0) {
      await this.#tell(instance, wants, call);
      answer = await this.#send('PUT', instance, [], call, {}, { json: instance }); // who asks for the same again gives an error
    }
    const last = answer.status === 409 ? readLastIncarnation(refusalOf(answer).data) : undefined;
    if (last !== undefined && last >= instance.incarnation) {
      return { kind: 'stale', above: last, refusal: refusalOf(answer) };
    }
    if (answer.status >= 300) throw refusalOf(answer);
    const registered = readRegistered(answer.body);
    if (registered.incarnation > instance.incarnation) {
      const refusal = new FlotillaError('BAD_RESPONSE', 'the registry goes on listing a later life of this instance');
      return { kind: 'stale', above: registered.incarnation, refusal };
    }
    this.#note(instance, registered);
    await this.#tell(instance, registered.wants, call);
    const { lease } = registered;
    return { kind: 'kept', by: answer.registry, ...(lease ? { renewEveryMs: lease.renewEveryMs } : undefined) };
  }

  async renew(instance: Instance, call: Call): ReturnType<Place['renew']> {
    const answer = await this.#send('POST', instance, ['renewal'], call, { incarnation: `${instance.incarnation}` });
    if (answer.status === 404) return { kind: 'unknown' };
    if (answer.status >= 300) throw refusalOf(answer);
    await this.#tell(instance, readRenewed(answer.body), call);
    return { kind: 'kept' };
  }

  /** A registration that is still on its way cannot bring us back: it is not newer than what we end here. */
  async remove(instance: Instance, call: Call): Promise<void> {
    const answer = await this.#send('DELETE', instance, [], call, { incarnation: `${instance.incarnation}` });
    if (answer.status >= 300 && answer.status !== 404) throw refusalOf(answer);
  }

  /** A registry that cannot be asked, or does not know how to answer, knows of nobody. */
  async noticed(instance: Instance, limitMs: number): Promise<boolean> {
    const { clock, random, requestTimeoutMs } = this.#parts.options;
    const until = clock.now() + limitMs;
    const call = new Call({ clock, random, deadline: until + requestTimeoutMs });
    try {
      for (;;) {
        const waitMs = Math.max(0, Math.min(longestWaitMs, Math.ceil(until - clock.now())));
        const answer = await this.#send('GET', instance, ['notice'], call, { wait: String(waitMs) }, { waitMs });
        if (answer.status >= 300) return false;
        const { noticed, silent } = readNotice(answer.body);
        if (noticed || silent.length > 0 || clock.now() >= until) {
          const names = { service: instance.identity.service, instanceId: instance.id };
          if (!noticed && silent.length > 0) this.#parts.log.unheard({ ...names, silent });
          return noticed;
        }
      }
    } catch {
      return false; // that the registry cannot be reached is said by whoever tried
    } finally {
      call.end();
    }
  }

  /** Gives the texts of contracts that the registry asks for. One that it does not take is no reason not to be registered. */
  async #tell({ identity: { service } }: Instance, wants: readonly string[], call: Call): Promise<void> {
    for (const { hash, text } of this.#parts.documents) {
      if (!wants.includes(hash)) continue;
      try {
        const segments = ['services', service, 'contracts', hash];
        const answer = await this.#parts.servers.send({ method: 'PUT', segments, text: text() }, call);
        if (answer.status >= 300) throw refusalOf(answer);
      } catch (cause) {
        if (!this.#untold.has(hash)) this.#parts.log.contractUntold({ service, contract: hash, cause });
        this.#untold.add(hash);
      }
    }
  }

  #note(instance: Instance, { seenAddress, unreachable }: RegisteredAnswer): void {
    if (seenAddress !== undefined) this.#compareAddress(instance, seenAddress);
    const names = { service: instance.identity.service, instanceId: instance.id };
    if (unreachable && unreachable.reason !== this.#unreachable)
      this.#parts.log.notReached({ ...names, ...unreachable });
    this.#unreachable = unreachable?.reason;
  }

  #compareAddress({ addresses }: Instance, seen: string): void {
    const { bindHost } = this.#parts.options;
    if (this.#addressCompared || bindHost === undefined || !isWildcard(bindHost)) return;
    this.#addressCompared = true;
    const advertised = [...new Set(addresses.map(({ host }) => host))];
    const address = seen.replace(/^::ffff:(?=[0-9]+\.)/i, '');
    const comparable = advertised.some((host) => /^[0-9.]+$|:/.test(host)) && !/^(?:127\.|::1$)/.test(address);
    if (comparable && !advertised.includes(address)) this.#parts.log.addressDiffers({ advertised, seen: address });
  }

  #send(
    method: string,
    { id, identity }: Instance,
    rest: readonly string[],
    call: Call,
    query: Readonly<Record<string, string>>,
    more: { readonly json?: Instance; readonly waitMs?: number } = {},
  ): Promise<RegistryAnswer> {
    const { namespace, group, version } = identity;
    const parts = {
      ...(namespace === 'default' ? undefined : { namespace }),
      ...(group === 'default' ? undefined : { group }),
      ...(version === '' ? undefined : { version }),
    };
    const segments = ['services', identity.service, 'instances', id, ...rest];
    return this.#parts.servers.send({ method, segments, query: { ...parts, ...query }, ...more }, call);
  }
}

/** What a registry answered instead, as an error. */
export function refusalOf({ status, body }: Pick<RegistryAnswer, 'status' | 'body'>): FlotillaError {
  const headers = new HttpHeaders([['content-type', 'application/problem+json']]);
  return errorFromResponse({ status, headers, body }, body);
}
