import type { InstanceSet, Resolver, Target } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { HttpHeaders, type HttpRequest, type HttpResponse, readBody, routesHandler } from '@flotilla/http';
import { type MemoryNetwork, memoryNetwork } from '@flotilla/http/memory';
import { createRegistry, type Registry, type RegistryUser } from '@flotilla/registry/server';
import { type EurekaClient, eurekaClient } from '../client/eureka-client.ts';
import type { EurekaClientOptions } from '../client/options.ts';
import { eurekaRoutes } from '../server/routes.ts';

/** What a scripted server is asked. */
export interface Asked {
  /** `PUT /eureka/apps/ORDERS/a?status=UP`. */
  readonly line: string;
  readonly headers: HttpHeaders;
  readonly json: unknown;
}

/** What it answers: a status alone, a document, or an answer as it is. */
export type Answered = number | object | HttpResponse;

/** Eureka servers and clients in one process, under a clock that a test moves. */
export class ClientWorld {
  readonly clock: ManualClock = new ManualClock();
  readonly network: MemoryNetwork = memoryNetwork({ clock: this.clock, random: seededRandom(99) });
  readonly messages: string[] = [];
  #seed = 1;
  readonly #stops: (() => Promise<unknown>)[] = [];

  /** One of our registries, asked as a Eureka server. */
  async registry(
    host: string,
    users?: readonly RegistryUser[],
  ): Promise<{ readonly registry: Registry; readonly lines: string[]; stop(): Promise<void> }> {
    const registry = createRegistry({ clock: this.clock, random: seededRandom(this.#seed++) });
    await registry.start();
    const routes = routesHandler(eurekaRoutes(registry, { users }));
    const lines: string[] = [];
    const listener = await this.network.listen({ host, port: 8761 }, (request, call) => {
      lines.push(lineOf(request));
      request.headers.delete('accept-encoding'); // packing takes the machine's time, and the clock is the test's
      return routes(request, call);
    });
    const stop = async (): Promise<void> => {
      await registry.stop('test');
      await Promise.all([listener.drain(0), this.clock.advance(0)]);
      await settle();
    };
    this.#stops.push(stop);
    return { registry, lines, stop };
  }

  /** A server that answers as the test says, and whatever else it is. */
  async scripted(
    host: string,
    answer: (asked: Asked) => Answered,
  ): Promise<{ readonly asked: Asked[]; stop(): Promise<void> }> {
    const asked: Asked[] = [];
    const listener = await this.network.listen({ host, port: 8761 }, async (request, call) => {
      const text = Buffer.from(await readBody(request.body, 1_000_000, call)).toString();
      const one = { line: lineOf(request), headers: request.headers, json: text === '' ? undefined : JSON.parse(text) };
      asked.push(one);
      return responseOf(answer(one));
    });
    const stop = async (): Promise<void> => {
      await Promise.all([listener.drain(0), this.clock.advance(0)]);
      await settle();
    };
    this.#stops.push(stop);
    return { asked, stop };
  }

  client(urls: string | readonly string[], options: Partial<EurekaClientOptions> = {}): EurekaClient {
    const { clock, network, messages } = this;
    const say = (message: string): void => void messages.push(message);
    const logger = { debug: say, info: say, warn: say, error: say, child: () => logger };
    const random = seededRandom(this.#seed++);
    const client = eurekaClient({ urls: [urls].flat(), network, clock, random, logger, ...options });
    this.#stops.unshift(() => client.close());
    return client;
  }

  async end(): Promise<void> {
    for (const stop of this.#stops) await stop();
  }
}

/** Everything that a watch is told. */
export function watched(
  { resolver }: { readonly resolver: Resolver },
  target: Target | string,
): { readonly sets: InstanceSet[]; ids(): string; close(): void } {
  const sets: InstanceSet[] = [];
  const watch = resolver.watch(typeof target === 'string' ? { service: target } : target, (set) => sets.push(set));
  const ids = (): string[] | undefined => sets.at(-1)?.instances.map(({ id }) => id);
  return { sets, ids: () => ids()?.sort().join() ?? 'nothing', close: () => watch.close() };
}

function lineOf({ method, path, query }: HttpRequest): string {
  return `${method} ${path.text}${query === '' ? '' : `?${query}`}`;
}

function responseOf(answer: Answered): HttpResponse {
  if (typeof answer === 'number') return { status: answer, headers: new HttpHeaders(), body: undefined };
  if ('headers' in answer && 'status' in answer) return answer;
  const headers = new HttpHeaders([['content-type', 'application/json']]);
  return { status: 200, headers, body: Buffer.from(JSON.stringify(answer)) };
}
