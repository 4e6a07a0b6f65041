import {
  Call,
  type ContractDocument,
  FlotillaError,
  type Instance,
  type InstanceStatus,
  leaseDefaults,
  type Registration,
  type Timer,
} from '@flotilla/core';
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
import { Backoff, jittered } from './backoff.ts';
import type { ClientLog } from './log.ts';
import type { ResolvedClientOptions } from './options.ts';
import type { RegistryAnswer, RegistryServers } from './servers.ts';

/** What a {@link LeaseKeeper} needs. */
export interface KeeperParts {
  readonly servers: RegistryServers;
  readonly options: ResolvedClientOptions;
  readonly log: ClientLog;
  /** Of the contracts that the instance serves or calls. */
  readonly documents: readonly ContractDocument[];
  /** Called when it keeps no longer. */
  readonly released: () => void;
}

/** The registry holds an answer back no longer than a minute; one that breaks off meanwhile is found out sooner so. */
const longestWaitMs = 20_000;
/** A registry that keeps raising what we raised is not ours to argue with within one step. */
const mostRaises = 3;

/**
 * Keeps one instance registered.
 *
 * | state | does | exits |
 * |---|---|---|
 * | unregistered | registers, after failures with backoff | done → registered |
 * | registered | renews every `renewEveryMs` ± 20 % | 404 → unregistered at once; what it says of itself changed → unregistered |
 * | left | nothing | none |
 */
export class LeaseKeeper implements Registration {
  readonly announced: Promise<void>;
  readonly #parts: KeeperParts;
  readonly #backoff: Backoff;
  #instance: Instance;
  /** What the registry has; differs from `#instance` while a change is on its way. */
  #registered: Instance | undefined;
  #renewEveryMs: number;
  #timer: Timer | undefined;
  /** Steps one after the other. */
  #tail: Promise<void> = Promise.resolve();
  #call: Call | undefined;
  #left: Promise<void> | undefined;
  #refusal = '';
  /** Why the registry could not connect, as it was said last. */
  #unreachable: string | undefined;
  #addressCompared = false;
  /** Contracts whose text was not taken: said once. */
  readonly #untold = new Set<string>();

  constructor(instance: Instance, parts: KeeperParts) {
    this.#parts = parts;
    this.#instance = instance;
    this.#renewEveryMs = instance.lease?.renewEveryMs ?? leaseDefaults.renewEveryMs;
    this.#backoff = new Backoff(parts.options.random);
    this.announced = this.#stepNow();
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    const before = this.#instance.status;
    if (this.#left || status === before) return;
    this.#parts.log.statusSet({ ...this.#names, before, after: status });
    await this.#say({ status });
  }

  async setWeight(weight: number): Promise<void> {
    if (this.#left || weight === this.#instance.weight) return;
    await this.#say({ weight });
  }

  /** A registry that cannot be asked, or does not know how to answer, knows of nobody. */
  async noticed(limitMs: number): Promise<boolean> {
    const { clock, random } = this.#parts.options;
    if (this.#left) return false;
    const until = clock.now() + limitMs;
    const call = new Call({ clock, random, deadline: until + this.#parts.options.requestTimeoutMs });
    try {
      for (;;) {
        const waitMs = Math.max(0, Math.min(longestWaitMs, Math.ceil(until - clock.now())));
        const answer = await this.#send('GET', ['notice'], call, { wait: String(waitMs) }, undefined, waitMs);
        if (answer.status >= 300) return false;
        const { noticed, silent } = readNotice(answer.body);
        if (noticed || silent.length > 0 || clock.now() >= until) {
          if (!noticed && silent.length > 0) this.#parts.log.unheard({ ...this.#names, silent });
          return noticed;
        }
      }
    } catch {
      return false; // that the registry cannot be reached is said by whoever tried
    } finally {
      call.end();
    }
  }

  deregister(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  /** Renews before its time: the process uses another registry, which may not know us. */
  renewNow(): void {
    if (!this.#left && !this.#call) void this.#stepNow();
  }

  /** Stops renewing without a word: the lease lapses. */
  release(): void {
    this.#left ??= Promise.resolve();
    this.#halt();
  }

  get #names(): { service: string; instanceId: string } {
    return { service: this.#instance.identity.service, instanceId: this.#instance.id };
  }

  /** What the instance says of itself changed: the registry is told at once. */
  #say(change: Partial<Pick<Instance, 'status' | 'weight'>>): Promise<void> {
    this.#instance = { ...this.#instance, ...change, incarnation: this.#nextIncarnation() };
    return this.#stepNow();
  }

  #stepNow(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#tail = this.#tail.then(() => this.#step());
    return this.#tail;
  }

  /** Never rejects. */
  async #step(): Promise<void> {
    if (this.#left) return;
    const { clock, random } = this.#parts.options;
    const call = new Call({ clock, random });
    this.#call = call;
    try {
      if (this.#registered !== this.#instance || !(await this.#renew(call))) await this.#register(call);
      this.#backoff.reset();
      this.#plan(jittered(this.#renewEveryMs, random));
    } catch (error) {
      this.#noteRefusal(error);
      this.#plan(this.#backoff.nextMs(error));
    } finally {
      call.end();
      this.#call = undefined;
    }
  }

  #plan(delayMs: number): void {
    if (this.#left) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.options.clock.setTimer(delayMs, () => void this.#stepNow(), { background: true });
  }

  /** @returns false when the registry knows no lease of ours. */
  async #renew(call: Call): Promise<boolean> {
    const answer = await this.#send('POST', ['renewal'], call, { incarnation: `${this.#instance.incarnation}` });
    if (answer.status === 404) {
      this.#registered = undefined;
      this.#parts.log.forgotten(this.#names);
      return false;
    }
    if (answer.status >= 300) throw errorOf(answer);
    await this.#tell(readRenewed(answer.body), call);
    return true;
  }

  async #register(call: Call): Promise<void> {
    let told = false;
    for (let raises = 0; ; raises++) {
      const sent = this.#instance;
      const answer = await this.#send('PUT', [], call, {}, sent);
      const last = lastIncarnationOf(answer);
      if (last !== undefined && last > sent.incarnation - (answer.status === 409 ? 1 : 0) && raises < mostRaises) {
        this.#raiseAbove(last);
        continue;
      }
      const wants = answer.status === 409 && !told ? readWants(errorOf(answer).data) : [];
      if (wants.length > 0) {
        told = true; // a registry that asks for the same again gets an error
        await this.#tell(wants, call);
        continue;
      }
      if (answer.status >= 300) throw errorOf(answer);
      const registered = readRegistered(answer.body);
      this.#accepted(sent, registered, answer.registry);
      await this.#tell(registered.wants, call);
      return;
    }
  }

  /** Gives the texts of contracts that the registry asks for. One that it does not take is no reason not to be registered. */
  async #tell(wants: readonly string[], call: Call): Promise<void> {
    for (const { hash, text } of this.#parts.documents) {
      if (!wants.includes(hash)) continue;
      const { service } = this.#instance.identity;
      try {
        const segments = ['services', service, 'contracts', hash];
        const answer = await this.#parts.servers.send({ method: 'PUT', segments, text: text() }, call);
        if (answer.status >= 300) throw errorOf(answer);
      } catch (cause) {
        if (!this.#untold.has(hash)) this.#parts.log.contractUntold({ service, contract: hash, cause });
        this.#untold.add(hash);
      }
    }
  }

  #accepted(sent: Instance, { lease, seenAddress, unreachable }: RegisteredAnswer, registry: string): void {
    if (!this.#registered) this.#parts.log.registered({ ...this.#names, registry });
    this.#registered = sent;
    this.#refusal = '';
    if (lease) this.#renewEveryMs = lease.renewEveryMs;
    if (seenAddress !== undefined) this.#compareAddress(seenAddress);
    if (unreachable && unreachable.reason !== this.#unreachable)
      this.#parts.log.notReached({ ...this.#names, ...unreachable });
    this.#unreachable = unreachable?.reason;
  }

  /** The registry knows a later life of ours: a clock went back, or somebody took us out. We are alive, so ours is newer. */
  #raiseAbove(last: number): void {
    const from = this.#instance.incarnation;
    const to = Math.max(last + 1, this.#nextIncarnation());
    this.#instance = { ...this.#instance, incarnation: to };
    this.#parts.log.raised({ ...this.#names, from, to });
  }

  #nextIncarnation(): number {
    return Math.max(this.#instance.incarnation + 1, Math.floor(this.#parts.options.clock.wallNow()));
  }

  async #leave(): Promise<void> {
    const { options, log } = this.#parts;
    const { clock, random } = options;
    this.#halt();
    const call = new Call({ clock, random, deadline: clock.now() + options.deregisterTimeoutMs });
    try {
      // A registration that is still on its way cannot bring us back: it is not newer than what we end here.
      const answer = await this.#send('DELETE', [], call, { incarnation: `${this.#instance.incarnation}` });
      if (answer.status >= 300 && answer.status !== 404) throw errorOf(answer);
      log.deregistered(this.#names);
    } catch (cause) {
      log.leftUnheard({ ...this.#names, cause });
    } finally {
      call.end();
    }
  }

  #halt(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#call?.cancel(new FlotillaError('CANCELLED', 'the instance is leaving'));
    this.#parts.released();
  }

  #send(
    method: string,
    rest: readonly string[],
    call: Call,
    query: Readonly<Record<string, string>>,
    json?: Instance,
    waitMs?: number,
  ): Promise<RegistryAnswer> {
    const { id, identity } = this.#instance;
    const { namespace, group, version } = identity;
    const parts = {
      ...(namespace === 'default' ? undefined : { namespace }),
      ...(group === 'default' ? undefined : { group }),
      ...(version === '' ? undefined : { version }),
    };
    return this.#parts.servers.send(
      {
        method,
        segments: ['services', identity.service, 'instances', id, ...rest],
        query: { ...parts, ...query },
        json,
        ...(waitMs === undefined ? undefined : { waitMs }),
      },
      call,
    );
  }

  /** That a registry cannot be reached is said by whoever tried; that it refuses us is said here, once for each reason. */
  #noteRefusal(error: unknown): void {
    if (this.#left || !(error instanceof FlotillaError) || !error.fromPeer || error.httpStatus >= 500) return;
    if (error.message === this.#refusal) return;
    this.#refusal = error.message;
    this.#parts.log.refused({ ...this.#names, status: error.httpStatus, reason: error.detail });
  }

  #compareAddress(seen: string): void {
    const { bindHost } = this.#parts.options;
    if (this.#addressCompared || bindHost === undefined || !isWildcard(bindHost)) return;
    this.#addressCompared = true;
    const advertised = [...new Set(this.#instance.addresses.map(({ host }) => host))];
    const address = seen.replace(/^::ffff:(?=[0-9]+\.)/i, '');
    const comparable = advertised.some((host) => /^[0-9.]+$|:/.test(host)) && !/^(?:127\.|::1$)/.test(address);
    if (comparable && !advertised.includes(address)) this.#parts.log.addressDiffers({ advertised, seen: address });
  }
}

function lastIncarnationOf({ status, body }: RegistryAnswer): number | undefined {
  if (status === 409) return readLastIncarnation(errorOf({ status, body }).data);
  return status < 300 ? readRegistered(body).incarnation : undefined;
}

function errorOf({ status, body }: Pick<RegistryAnswer, 'status' | 'body'>): FlotillaError {
  const headers = new HttpHeaders([['content-type', 'application/problem+json']]);
  return errorFromResponse({ status, headers, body }, body);
}
