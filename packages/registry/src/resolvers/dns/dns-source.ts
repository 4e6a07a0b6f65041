import { type Call, FlotillaError, formatHostPort, identity } from '@flotilla/core';
import { Contact } from '../contact.ts';
import type { SourceLog } from '../log.ts';
import { Loop, type Moment } from '../loop.ts';
import { readEntries } from '../readable.ts';
import { doubtMs, type Following, type Source, type SourceListener, type Wanted } from '../source.ts';
import type { DnsPort } from './dns-port.ts';
import type { DnsRecord, DnsType } from './message.ts';

/** What a {@link DnsSource} needs. */
export interface DnsSourceParts extends Moment {
  readonly dns: DnsPort;
  readonly log: SourceLog;
  /** The name to ask for, of a service; undefined for one that is not here. */
  readonly nameOf: (service: string) => string | undefined;
  readonly type: 'srv' | 'a' | 'aaaa';
  /** Of addresses; a SRV record has its own. */
  readonly port: number;
  readonly protocol: string;
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  readonly timeoutMs: number;
}

const types: Readonly<Record<DnsSourceParts['type'], DnsType>> = Object.freeze({ srv: 'SRV', a: 'A', aaaa: 'AAAA' });
/** SRV records of weight 0 get few calls, but some (RFC 2782, "Weight"). */
const leastWeight = 0.1;

/** Names that are asked for again as their records grow old. */
export class DnsSource implements Source {
  readonly #parts: DnsSourceParts;

  constructor(parts: DnsSourceParts) {
    this.#parts = parts;
  }

  follow(wanted: Wanted, listener: SourceListener): Following {
    const service = 'service' in wanted ? wanted.service : undefined;
    if ('contract' in wanted) this.#parts.log.noContracts(wanted);
    const name = service === undefined ? undefined : this.#parts.nameOf(service);
    if (service === undefined || name === undefined) {
      listener.list([]);
      return { close() {} };
    }
    const contact = new Contact(this.#parts.log);
    return new Loop(this.#parts, {
      step: async (call) => {
        const waitMs = await this.#ask(service, name, listener, call);
        contact.worked();
        return waitMs;
      },
      failed: (thrown) => contact.failed(thrown),
    });
  }

  async close(): Promise<void> {}

  /** @returns how long the answer holds. */
  async #ask(service: string, name: string, listener: SourceListener, parent: Call): Promise<number> {
    const { dns, type, minTtlMs, maxTtlMs, timeoutMs, random } = this.#parts;
    const call = parent.child({ timeoutMs });
    const answer = await dns.ask({ name, type: types[type] }, call).finally(() => call.end());
    if (answer.kind === 'failed') {
      throw new FlotillaError('UNAVAILABLE', `the name servers cannot say what "${name}" is: ${answer.reason}`);
    }
    const records = answer.kind === 'found' ? answer.records : [];
    const { instances, leftOut } = readEntries(
      preferred(records),
      (record) => [this.#instanceOf(service, record, records)],
      (record) => `${record.type} record of ${name}`,
    );
    listener.leftOut(leftOut);
    if (listener.list(instances) === 'doubted') return doubtMs;
    const ttlMs = answer.kind === 'nothing' ? (answer.ttlMs ?? minTtlMs) : leastTtl(records, minTtlMs);
    // A little before its end, so that a fleet does not ask at once.
    return Math.min(Math.max(ttlMs, minTtlMs), maxTtlMs) * (1 - 0.1 * random());
  }

  #instanceOf(service: string, record: DnsRecord, all: readonly DnsRecord[]): unknown {
    const { protocol } = this.#parts;
    const [host, port] = record.type === 'SRV' ? [record.target, record.port] : [record.address, this.#parts.port];
    if (record.type === 'SRV' && host === '')
      throw new FlotillaError('INVALID_INPUT', 'the service is declared not to be had');
    return {
      id: formatHostPort({ host, port }),
      identity: identity(service),
      addresses: [{ protocol, host, port }],
      weight: weightOf(record, all),
    };
  }
}

/** Of SRV records only those of the lowest priority are to be called while they are there (RFC 2782, "Priority"). */
function preferred(records: readonly DnsRecord[]): readonly DnsRecord[] {
  const first = Math.min(...records.map((record) => (record.type === 'SRV' ? record.priority : 0)));
  const chosen = records.filter((record) => record.type !== 'SRV' || record.priority === first);
  const named = new Map(chosen.map((record) => [keyOf(record), record])); // one name may be given twice
  return [...named.values()];
}

function keyOf(record: DnsRecord): string {
  return record.type === 'SRV' ? `${record.target.toLowerCase()} ${record.port}` : record.address;
}

function weightOf(record: DnsRecord, all: readonly DnsRecord[]): number {
  if (record.type !== 'SRV') return 1;
  const weighed = all.some((other) => other.type === 'SRV' && other.weight > 0);
  return weighed ? Math.max(record.weight, leastWeight) : 1;
}

function leastTtl(records: readonly DnsRecord[], none: number): number {
  return records.length === 0 ? none : Math.min(...records.map(({ ttlMs }) => ttlMs));
}
