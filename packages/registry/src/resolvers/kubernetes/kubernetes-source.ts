import { type Call, FlotillaError, type Instance, identity, jittered, type Timer } from '@flotilla/core';
import { decodeLines, type HttpResponse } from '@flotilla/http';
import { list, record } from '../../field-checks.ts';
import { Contact } from '../contact.ts';
import { Gathered } from '../gathered.ts';
import { type HttpHosts, jsonOf, refusalOf } from '../http-hosts.ts';
import type { SourceLog } from '../log.ts';
import { Loop, type Moment } from '../loop.ts';
import { type Readable, readEntries } from '../readable.ts';
import { doubtMs, type Following, type Source, type SourceListener, type Wanted } from '../source.ts';
import {
  forZone,
  joinSlices,
  type PortChoice,
  readSlice,
  type SliceContent,
  type SliceEndpoint,
} from './endpoint-slices.ts';

/** What a {@link KubernetesSource} needs. */
export interface KubernetesSourceParts extends Moment {
  readonly hosts: HttpHosts;
  readonly log: SourceLog;
  /** Where a service is whose name does not say. */
  readonly namespace: string;
  readonly choice: PortChoice;
  /** The zone of whoever calls. Absent: hints are not looked at. */
  readonly zone?: string;
  readonly requestTimeoutMs: number;
  /** A watch is asked to end after this, ± 20 %. */
  readonly watchMs: number;
  /** A watch without a byte for this long is given up. */
  readonly silenceMs: number;
}

/** Slices of a list that come at once, and slices in all: 1,000 of 1,000 endpoints. */
const pageSize = 250;
const mostSlices = 1_000;
/** One event holds one slice; etcd takes no object over 1.5 MB. */
const maxEventBytes = 4_194_304;
const brokenOff: ReadonlySet<string> = new Set([
  'CONNECTION_LOST',
  'CONNECT_FAILED',
  'DEADLINE_EXCEEDED',
  'UNAVAILABLE',
  'RATE_LIMITED',
]);

/**
 * EndpointSlices of services, by list and watch (Kubernetes documentation, "Kubernetes API Concepts: Efficient detection of
 * changes"). Kubernetes knows no contracts.
 */
export class KubernetesSource implements Source {
  readonly #parts: KubernetesSourceParts;
  readonly #contact: Contact;

  constructor(parts: KubernetesSourceParts) {
    this.#parts = parts;
    this.#contact = new Contact(parts.log);
  }

  follow(wanted: Wanted, listener: SourceListener): Following {
    if ('contract' in wanted) {
      this.#parts.log.noContracts(wanted);
      listener.list([]);
      return { close() {} };
    }
    const service = new SliceWatch(wanted.service, listener, this.#contact, this.#parts);
    const loop = new Loop(this.#parts, service);
    return {
      close() {
        loop.close();
        service.stop();
      },
    };
  }

  async close(): Promise<void> {}
}

/**
 * One service.
 *
 * | state | does | exits |
 * |---|---|---|
 * | no version | lists, page by page | → watching |
 * | watching | takes events after the version | ended or broken → watching; 410 Gone, or an event that is an error → no version |
 */
class SliceWatch {
  readonly #service: string;
  readonly #segments: readonly string[];
  readonly #selector: string;
  readonly #listener: SourceListener;
  readonly #contact: Contact;
  readonly #parts: KubernetesSourceParts;
  readonly #slices = new Map<string, SliceContent>();
  readonly #readable = new WeakMap<SliceEndpoint, Readable>();
  readonly #changes: Gathered;
  #version: string | undefined;

  constructor(service: string, listener: SourceListener, contact: Contact, parts: KubernetesSourceParts) {
    const [name = '', namespace = parts.namespace] = service.split('.');
    this.#service = service;
    this.#segments = ['apis', 'discovery.k8s.io', 'v1', 'namespaces', namespace, 'endpointslices'];
    this.#selector = `kubernetes.io/service-name=${name}`;
    this.#listener = listener;
    this.#contact = contact;
    this.#parts = parts;
    this.#changes = new Gathered(parts.clock, () => this.#tell(true));
  }

  stop(): void {
    this.#changes.drop();
  }

  async step(call: Call): Promise<number> {
    if (this.#version === undefined) {
      const verdict = await this.#list(call);
      this.#contact.worked();
      if (verdict === 'believed') return 0;
      this.#version = undefined;
      return doubtMs;
    }
    const startedAt = call.clock.now();
    await this.#watch(this.#version, call);
    return call.clock.now() - startedAt < doubtMs ? doubtMs : 0;
  }

  failed(thrown: unknown): void {
    if (thrown instanceof FlotillaError && thrown.httpStatus === 410) {
      this.#restart(thrown.detail);
      return;
    }
    // A broken connection is gone on with where it broke; after an answer that is not understood nothing is sure.
    if (!(thrown instanceof FlotillaError && brokenOff.has(thrown.code))) this.#version = undefined;
    this.#contact.failed(thrown);
  }

  #restart(reason: string): void {
    this.#version = undefined;
    this.#parts.log.restarted({ target: this.#service, reason });
  }

  async #list(call: Call): Promise<'believed' | 'doubted'> {
    const { hosts, requestTimeoutMs } = this.#parts;
    const slices = new Map<string, SliceContent>();
    let page: string | undefined;
    let version: string | undefined;
    do {
      const query = { labelSelector: this.#selector, limit: `${pageSize}`, continue: page };
      const answer = await hosts.send({ method: 'GET', segments: this.#segments, query }, requestTimeoutMs, call);
      if (answer.status !== 200) throw refusalOf(answer, mayNotRead);
      const { metadata, items } = record(jsonOf(answer), 'EndpointSliceList');
      const { resourceVersion, continue: next } = record(metadata, 'metadata');
      if (typeof resourceVersion !== 'string') throw new FlotillaError('BAD_RESPONSE', 'a list has no resourceVersion');
      for (const slice of list(items ?? undefined, 'items', mostSlices, (item) => item)) this.#put(slices, slice);
      version ??= resourceVersion; // that of all pages
      page = typeof next === 'string' && next !== '' ? next : undefined;
    } while (page !== undefined && slices.size < mostSlices);
    call.throwIfCancelled();
    this.#slices.clear();
    for (const [name, content] of slices) this.#slices.set(name, content);
    this.#version = version;
    this.#changes.drop();
    return this.#tell(false);
  }

  async #watch(version: string, parent: Call): Promise<void> {
    const { hosts, requestTimeoutMs, watchMs, random } = this.#parts;
    const query = {
      labelSelector: this.#selector,
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: version,
      timeoutSeconds: `${Math.ceil(jittered(watchMs, random) / 1_000)}`,
    };
    const { response, call } = await hosts.open(
      { method: 'GET', segments: this.#segments, query },
      requestTimeoutMs,
      parent,
    );
    try {
      if (response.status !== 200) throw refusalOf({ ...response, body: new Uint8Array(0) }, mayNotRead);
      this.#contact.worked();
      for await (const line of decodeLines(this.#guarded(response, call), { maxLineBytes: maxEventBytes })) {
        this.#take(line);
        if (this.#version === undefined || parent.cancelled) return;
      }
    } finally {
      call.cancel();
      call.end();
    }
  }

  #take(line: string): void {
    const { type, object } = record(parse(line), 'event');
    const fields = record(object, 'event.object');
    if (type === 'ERROR') {
      const { code, message } = fields;
      this.#restart(`the watch ended with ${String(code)} ${String(message).slice(0, 200)}`);
      return;
    }
    const { resourceVersion, name } = record(fields['metadata'], 'metadata');
    if (typeof resourceVersion === 'string') this.#version = resourceVersion;
    if (type === 'BOOKMARK' || typeof name !== 'string') return;
    if (type === 'DELETED') this.#slices.delete(name);
    else if (type === 'ADDED' || type === 'MODIFIED') this.#put(this.#slices, object);
    else return; // of a newer API
    this.#changes.soon();
  }

  #put(slices: Map<string, SliceContent>, slice: unknown): void {
    const { name } = (slice as { metadata?: { name?: unknown } | null } | null)?.metadata ?? {};
    if (typeof name !== 'string' || (slices.size >= mostSlices && !slices.has(name))) return;
    try {
      slices.set(name, readSlice(slice, this.#parts.choice));
    } catch (cause) {
      slices.set(name, { endpoints: [], leftOut: [`slice "${name.slice(0, 80)}": ${(cause as Error).message}`] });
    }
  }

  #tell(certain: boolean): 'believed' | 'doubted' {
    const endpoints = forZone(joinSlices(this.#slices.values()), this.#parts.zone);
    const leftOut = Array.from(this.#slices.values(), (slice) => slice.leftOut).flat();
    const instances: Instance[] = [];
    for (const endpoint of endpoints) {
      const read = this.#read(endpoint);
      instances.push(...read.instances);
      leftOut.push(...read.leftOut);
    }
    this.#listener.leftOut(leftOut);
    return this.#listener.list(instances, certain);
  }

  /** Read once for each: an event is about one slice, and the others may hold thousands. */
  #read(endpoint: SliceEndpoint): Readable {
    const known = this.#readable.get(endpoint);
    if (known) return known;
    const read = readEntries(
      [endpoint],
      () => [this.#instanceOf(endpoint)],
      ({ id }) => `${JSON.stringify(id.slice(0, 80))} of ${this.#service}`,
    );
    this.#readable.set(endpoint, read);
    return read;
  }

  #instanceOf({ id, addresses, status, zone, metadata }: SliceEndpoint): unknown {
    return { id, identity: identity(this.#service), addresses, status, zone, metadata };
  }

  /** The bytes of a watch; ended when none comes for too long. */
  async *#guarded({ body }: HttpResponse, call: Call): AsyncGenerator<Uint8Array, void> {
    const { clock, silenceMs } = this.#parts;
    const silent = new FlotillaError('CONNECTION_LOST', `the API server was silent for ${silenceMs} ms`);
    const arm = (): Timer => clock.setTimer(silenceMs, () => call.cancel(silent), { background: true });
    let timer = arm();
    try {
      if (body === undefined || body instanceof Uint8Array) return;
      for await (const chunk of body) {
        timer.cancel();
        timer = arm();
        yield chunk;
      }
    } finally {
      timer.cancel();
    }
  }
}

const mayNotRead =
  'the API server does not let us read; bind a role with the verbs list and watch on endpointslices (discovery.k8s.io)';

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new FlotillaError('BAD_RESPONSE', 'a line of the watch is not JSON', { cause });
  }
}
