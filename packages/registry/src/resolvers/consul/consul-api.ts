import type { Call } from '@flotilla/core';
import { type HostAnswer, type HostRequest, type HttpHosts, jsonOf, refusalOf } from '../http-hosts.ts';
import type { ConsulRegistration, ConsulStatus } from './consul-instance.ts';

/** What goes with every question to the catalog. */
export interface ConsulScope {
  /** Data centre. Absent: the agent's own. */
  readonly dc?: string;
  /** Namespace (Consul Enterprise). */
  readonly ns?: string;
}

/** An answer of a blocking query. */
export interface Indexed {
  /** At least 1. */
  readonly index: number;
  readonly json: unknown;
}

const about = {
  read: 'Consul does not let us read; give the url a token that has service:read and node:read (parameter "token")',
  write: 'Consul does not let us register; give the url a token that has service:write (parameter "token")',
};

/** The requests that are made of a Consul agent (HTTP API v1). */
export class ConsulApi {
  readonly #hosts: HttpHosts;
  readonly #scope: ConsulScope;
  readonly #timeoutMs: number;

  constructor(hosts: HttpHosts, scope: ConsulScope, timeoutMs: number) {
    this.#hosts = hosts;
    this.#scope = scope;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param index 0 asks at once, another one waits until there is news.
   * @param waitMs the longest that an agent waits before it answers without news.
   * @throws FlotillaError
   */
  async query(segments: readonly string[], index: number, waitMs: number, call: Call): Promise<Indexed> {
    const query = {
      ...this.#scope,
      ...(index > 0 ? { index: `${index}`, wait: `${Math.ceil(waitMs / 1_000)}s` } : {}),
    };
    // An agent adds up to a sixteenth of the wait.
    const timeoutMs = index > 0 ? waitMs * (1 + 1 / 16) + this.#timeoutMs : this.#timeoutMs;
    const answer = await this.#hosts.send({ method: 'GET', segments: ['v1', ...segments], query }, timeoutMs, call);
    if (answer.status !== 200) throw refusalOf(answer, about.read);
    const said = Number(answer.headers.get('x-consul-index'));
    return { index: Number.isSafeInteger(said) && said > 0 ? said : 1, json: jsonOf(answer) };
  }

  async register(registration: ConsulRegistration, call: Call): Promise<void> {
    const query = { 'replace-existing-checks': 'true', ...this.#namespace };
    await this.#write({ method: 'PUT', segments: ['agent', 'service', 'register'], query, json: registration }, call);
  }

  /** @returns false when the agent does not know the check. */
  async updateCheck(checkId: string, status: ConsulStatus, output: string, call: Call): Promise<boolean> {
    const answer = await this.#send(
      {
        method: 'PUT',
        segments: ['agent', 'check', 'update', checkId],
        query: this.#namespace,
        json: { Status: status, Output: output },
      },
      call,
    );
    if (answer.status === 404) return false;
    if (answer.status !== 200) throw refusalOf(answer, about.write);
    return true;
  }

  /** One that the agent does not know is no error. */
  async deregister(serviceId: string, call: Call): Promise<void> {
    const answer = await this.#send(
      { method: 'PUT', segments: ['agent', 'service', 'deregister', serviceId], query: this.#namespace },
      call,
    );
    if (answer.status !== 200 && answer.status !== 404) throw refusalOf(answer, about.write);
  }

  get #namespace(): Record<string, string> {
    const { ns } = this.#scope;
    return ns === undefined ? {} : { ns };
  }

  async #write(request: HostRequest, call: Call): Promise<void> {
    const answer = await this.#send(request, call);
    if (answer.status !== 200) throw refusalOf(answer, about.write);
  }

  #send(request: HostRequest, call: Call): Promise<HostAnswer> {
    return this.#hosts.send({ ...request, segments: ['v1', ...request.segments] }, this.#timeoutMs, call);
  }
}
