import {
  Call,
  FlotillaError,
  type Instance,
  type InstanceStatus,
  leaseDefaults,
  type Registration,
  type Timer,
} from '@flotilla/core';
import { errorFromResponse, HttpHeaders } from '@flotilla/http';
import type { EurekaInstance } from '../document.ts';
import { encodeInstance } from '../instance.ts';
import { encodeStatus } from '../status.ts';
import type { EurekaClientLog } from './log.ts';
import type { ResolvedEurekaOptions } from './options.ts';
import { type Allowance, allowanceDefaults, backoffMs, jittered, use } from './pace.ts';
import type { EurekaAnswer, EurekaRequest, EurekaServers } from './servers.ts';

/** What a {@link LeaseKeeper} needs. */
export interface KeeperParts {
  readonly servers: EurekaServers;
  readonly options: ResolvedEurekaOptions;
  readonly log: EurekaClientLog;
  /** Called when it keeps no longer. */
  readonly released: () => void;
}

/** A server that says one of these has understood us; another one would say the same. */
const refusals: ReadonlySet<number> = new Set([400, 404, 405, 406, 409, 413, 415]);

/**
 * Keeps one instance registered with Eureka.
 *
 * | state | does | exits |
 * |---|---|---|
 * | unregistered | registers, after failures with backoff | done → registered |
 * | registered | a heartbeat every `renewEveryMs` ± 20 % | 404 → unregistered at once; what it says of itself changed → unregistered |
 * | left | nothing | none |
 *
 * A change is said at once, two in a burst and then one every 15 s; `draining` never waits. To Java's callers an instance
 * that drains is DOWN, since their servers keep UP when a re-registration says OUT_OF_SERVICE; ours read the note.
 */
export class LeaseKeeper implements Registration {
  readonly announced: Promise<void>;
  readonly #parts: KeeperParts;
  #instance: Instance;
  /** What the servers have; differs from `#instance` while a change is on its way. */
  #registered: Instance | undefined;
  #allowance: Allowance;
  #failures = 0;
  #timer: Timer | undefined;
  /** Steps one after the other. */
  #tail: Promise<void> = Promise.resolve();
  #call: Call | undefined;
  #left: Promise<void> | undefined;
  #refusal = '';

  constructor(instance: Instance, parts: KeeperParts) {
    this.#parts = parts;
    this.#instance = instance;
    this.#allowance = { left: allowanceDefaults.burst, at: parts.options.clock.now() };
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

  deregister(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  /** Stops renewing without a word: the lease lapses. */
  release(): void {
    this.#left ??= Promise.resolve();
    this.#halt();
  }

  get #names(): { service: string; instanceId: string } {
    return { service: this.#instance.identity.service, instanceId: this.#instance.id };
  }

  async #say(change: Partial<Pick<Instance, 'status' | 'weight'>>): Promise<void> {
    const { clock } = this.#parts.options;
    this.#instance = { ...this.#instance, ...change, incarnation: this.#nextIncarnation() };
    const used = use(this.#allowance, clock.now());
    if ('waitMs' in used && this.#instance.status !== 'draining') return this.#plan(used.waitMs);
    if (!('waitMs' in used)) this.#allowance = used;
    await this.#stepNow();
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
      this.#failures = 0;
      this.#plan(jittered(this.#renewEveryMs, random));
    } catch (error) {
      this.#noteRefusal(error);
      this.#plan(backoffMs(++this.#failures, this.#renewEveryMs, random));
    } finally {
      call.end();
      this.#call = undefined;
    }
  }

  get #renewEveryMs(): number {
    return this.#instance.lease?.renewEveryMs ?? leaseDefaults.renewEveryMs;
  }

  #plan(delayMs: number): void {
    if (this.#left) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.options.clock.setTimer(delayMs, () => void this.#stepNow(), { background: true });
  }

  /** @returns false when no server knows a lease of ours, or not this one. */
  async #renew(call: Call): Promise<boolean> {
    const query = { status: shown(this.#instance), lastDirtyTimestamp: String(this.#instance.incarnation) };
    const answer = await this.#send('PUT', [], call, { query });
    if (answer.status === 404) {
      this.#parts.log.forgotten(this.#names);
      this.#registered = undefined;
      // What was said before may be tied to a lease that is gone: said anew, it is newer (`DiscoveryClient#renew`).
      this.#instance = { ...this.#instance, incarnation: this.#nextIncarnation() };
      return false;
    }
    if (answer.status >= 300) throw errorOf(answer);
    return true;
  }

  async #register(call: Call): Promise<void> {
    const sent = this.#instance;
    const app = sent.identity.service.toUpperCase();
    const wasOut = this.#registered?.status === 'out-of-service';
    const answer = await this.#parts.servers.send(
      { method: 'POST', segments: ['apps', app], json: { instance: documentOf(sent) }, answers: refusals },
      call,
    );
    if (answer.status >= 300) throw errorOf(answer);
    if (!this.#registered) this.#parts.log.registered({ ...this.#names, server: answer.server });
    this.#registered = sent;
    this.#refusal = '';
    await this.#sayOutOfService(sent, wasOut, call);
  }

  /** Java's servers keep UP and OUT_OF_SERVICE over what a re-registration says (`LeaseExistsRule`): it is said apart. */
  async #sayOutOfService({ status }: Instance, wasOut: boolean, call: Call): Promise<void> {
    const isOut = status === 'out-of-service';
    if (!isOut && !wasOut) return;
    const query = { value: shown(this.#instance) };
    const answer = await this.#send(isOut ? 'PUT' : 'DELETE', ['status'], call, { query });
    if (answer.status >= 300 && answer.status !== 404) throw errorOf(answer);
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
      const answer = await this.#send('DELETE', [], call);
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
    method: EurekaRequest['method'],
    rest: readonly string[],
    call: Call,
    parts: Pick<EurekaRequest, 'query'> = {},
  ): Promise<EurekaAnswer> {
    const { id, identity } = this.#instance;
    const segments = ['apps', identity.service.toUpperCase(), id, ...rest];
    return this.#parts.servers.send({ method, segments, answers: refusals, ...parts }, call);
  }

  /** That no server can be reached is said by whoever tried; that one refuses us is said here, once for each reason. */
  #noteRefusal(error: unknown): void {
    if (this.#left || !(error instanceof FlotillaError) || !error.fromPeer || error.httpStatus >= 500) return;
    if (error.message === this.#refusal) return;
    this.#refusal = error.message;
    this.#parts.log.refused({ ...this.#names, status: error.httpStatus, reason: error.detail });
  }
}

/** As the document of an instance says it; see {@link LeaseKeeper} for `draining`. */
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
