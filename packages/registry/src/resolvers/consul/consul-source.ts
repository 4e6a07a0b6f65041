import type { Call, Instance } from '@flotilla/core';
import { mostInstances } from '../../client/answers.ts';
import { list } from '../../field-checks.ts';
import { Contact } from '../contact.ts';
import type { SourceLog } from '../log.ts';
import { Loop, type Moment } from '../loop.ts';
import { readEntries } from '../readable.ts';
import { doubtMs, type Following, type Source, type SourceListener, type Wanted } from '../source.ts';
import { afterAnswer, firstBlockingState } from './blocking-query.ts';
import type { ConsulApi } from './consul-api.ts';
import { contractTagPrefix, decodeConsulInstance } from './consul-instance.ts';

/** What a {@link ConsulSource} needs. */
export interface ConsulSourceParts extends Moment {
  readonly api: ConsulApi;
  readonly log: SourceLog;
  readonly passing: boolean;
  readonly waitMs: number;
  readonly askEveryMs: number;
}

/** Services that are followed for one contract. */
const mostServices = 256;

/** Follows services of a Consul catalog by blocking queries; who serves a contract, by the tags of the catalog's services. */
export class ConsulSource implements Source {
  readonly #parts: ConsulSourceParts;
  /** One for all followings: an agent answers all or none of them. */
  readonly #contact: Contact;

  constructor(parts: ConsulSourceParts) {
    this.#parts = parts;
    this.#contact = new Contact(parts.log);
  }

  follow(wanted: Wanted, listener: SourceListener): Following {
    if ('contract' in wanted) return this.#followContract(wanted.contract, listener);
    return this.#query(['health', 'service', wanted.service], (json) => {
      const { instances, leftOut } = this.#read(json);
      listener.leftOut(leftOut);
      return listener.list(instances);
    });
  }

  async close(): Promise<void> {}

  /** Every service with the contract's tag, joined into one list. */
  #followContract(contract: string, listener: SourceListener): Following {
    const services = new Map<
      string,
      { following: Following; instances?: readonly Instance[]; leftOut?: readonly string[] }
    >();
    const tell = (): 'believed' | 'doubted' => {
      const parts = [...services.values()];
      if (parts.some(({ instances }) => !instances)) return 'believed'; // not all have answered yet
      listener.leftOut(parts.flatMap(({ leftOut = [] }) => leftOut));
      return listener.list(parts.flatMap(({ instances = [] }) => instances));
    };
    const followOne = (service: string): void => {
      const part: { following: Following; instances?: readonly Instance[]; leftOut?: readonly string[] } = {
        following: { close() {} },
      };
      services.set(service, part);
      part.following = this.#query(['health', 'service', service], (json) => {
        Object.assign(part, this.#read(json));
        return tell();
      });
    };
    const catalog = this.#query(['catalog', 'services'], (json) => {
      const tagged = new Set(servicesWith(json, `${contractTagPrefix}${contract}`).slice(0, mostServices));
      for (const [service, { following }] of services) {
        if (tagged.has(service)) continue;
        following.close();
        services.delete(service);
      }
      for (const service of tagged) if (!services.has(service)) followOne(service);
      return tell();
    });
    return {
      close() {
        catalog.close();
        for (const { following } of services.values()) following.close();
        services.clear();
      },
    };
  }

  #query(segments: readonly string[], take: (json: unknown) => 'believed' | 'doubted'): Following {
    const { api, clock, waitMs, askEveryMs } = this.#parts;
    let state = firstBlockingState(clock.now());
    return new Loop(this.#parts, {
      step: async (call: Call) => {
        const { index, json } = await api.query(segments, state.index, waitMs, call);
        if (call.cancelled) return 0;
        const verdict = take(json);
        this.#contact.worked();
        const after = afterAnswer(state, index, clock.now(), askEveryMs);
        state = after.state;
        if (verdict === 'believed') return after.waitMs;
        state = { ...state, index: 0 }; // nothing need change for it to be asked again
        return doubtMs;
      },
      failed: (thrown) => {
        state = firstBlockingState(clock.now()); // another agent may answer next, with indexes of its own
        this.#contact.failed(thrown);
      },
    });
  }

  #read(json: unknown): { instances: readonly Instance[]; leftOut: readonly string[] } {
    const entries = list(json, 'the list of Consul', mostInstances, (entry) => entry);
    const read = readEntries(entries, (entry) => [decodeConsulInstance(entry)], nameOf);
    if (!this.#parts.passing) return read;
    return { ...read, instances: read.instances.filter(({ status }) => status === 'up') };
  }
}

function servicesWith(json: unknown, tag: string): string[] {
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json)
    .filter(([, tags]) => Array.isArray(tags) && tags.includes(tag))
    .map(([service]) => service);
}

function nameOf(entry: unknown): string {
  const { ID, Service } = (entry as { Service?: { ID?: unknown; Service?: unknown } } | null)?.Service ?? {};
  return `${JSON.stringify(ID ?? null).slice(0, 80)} of ${JSON.stringify(Service ?? null).slice(0, 80)}`;
}
