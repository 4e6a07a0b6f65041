import type { Clock, Random } from '@flotilla/core';
import { type HttpHandler, HttpHeaders, type HttpRequest, type HttpResponse, readBody } from '@flotilla/http';

/**
 * A small stub of a Consul agent with its catalog, written from the API reference of Consul's HTTP API v1 (agent/service,
 * agent/check, health, catalog, "Blocking Queries", ACL). It is not Consul: no gossip, no Raft, no anti-entropy; one agent
 * that is its own catalog. What it checks, it checks as the reference says: metadata, tokens, indexes, TTL checks.
 */
export interface ConsulStub {
  readonly handler: HttpHandler;
  /** Puts an entry that no agent API would take, as a catalog may hold it. */
  inject(id: string, entry: unknown, tags?: readonly string[]): void;
  /** Takes a service instance out without anybody asking. */
  drop(id: string): void;
  /** The next answer about that service is empty. */
  emptyOnce(service: string): void;
  /** Indexes begin anew, lower than they were: a restored snapshot. */
  resetIndex(): void;
  /** All that is registered is forgotten, as an agent without data does when it is restarted. */
  forget(): void;
  /** Queries that came, by path with query. */
  readonly asked: string[];
  stop(): void;
}

interface Held {
  readonly id: string;
  readonly service: string;
  readonly tags: readonly string[];
  readonly entry: Record<string, unknown>;
  status: string;
  ttlMs: number;
  deregisterAfterMs: number;
  renewedAt: number;
}

const keyPattern = /^[A-Za-z0-9_-]{1,128}$/;
const jsonType: readonly [string, string] = ['content-type', 'application/json'];

export function consulStub(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly token?: string;
  /** How an agent answers for a check that it does not know. Default 404; agents before 1.11: 500. */
  readonly unknownCheckStatus?: number;
}): ConsulStub {
  const { clock, random, token, unknownCheckStatus = 404 } = options;
  const held = new Map<string, Held>();
  const empties = new Set<string>();
  const waiting = new Set<() => void>();
  const asked: string[] = [];
  let index = 10;
  /** Of each service, and of the catalog under the empty name. */
  const indexes = new Map<string, number>();
  const sweep = clock.setTimer(1_000, () => tick(), { background: true });
  let timer = sweep;

  const changed = (service: string): void => {
    index++;
    indexes.set(service, index);
    indexes.set('', index);
    for (const wake of [...waiting]) wake();
  };
  const tick = (): void => {
    const now = clock.now();
    for (const item of [...held.values()]) {
      const overdueMs = now - item.renewedAt - item.ttlMs;
      if (overdueMs > item.deregisterAfterMs) remove(item.id);
      else if (overdueMs > 0 && item.status !== 'critical') {
        item.status = 'critical';
        changed(item.service);
      }
    }
    timer = clock.setTimer(1_000, tick, { background: true });
  };
  const remove = (id: string): boolean => {
    const item = held.get(id);
    if (!item) return false;
    held.delete(id);
    changed(item.service);
    return true;
  };

  const register = (json: Record<string, unknown>): HttpResponse => {
    const { ID: id, Name: service, Meta: meta, Tags: tags, Check: check, Address, Port } = json;
    if (typeof id !== 'string' || typeof service !== 'string') return text(400, 'Missing service name');
    const mistake = metaMistake((meta ?? {}) as Record<string, unknown>);
    if (mistake !== undefined) return text(400, `Invalid Service Meta: ${mistake}`);
    const { TTL, Status, DeregisterCriticalServiceAfter } = (check ?? {}) as Record<string, unknown>;
    const before = held.get(id);
    held.set(id, {
      id,
      service,
      tags: (tags ?? []) as string[],
      entry: { ID: id, Service: service, Address, Port, Meta: meta, Tags: tags },
      status: before?.status ?? String(Status ?? 'critical'), // a check that is there keeps its status
      ttlMs: goDuration(TTL),
      deregisterAfterMs: goDuration(DeregisterCriticalServiceAfter),
      renewedAt: clock.now(),
    });
    changed(service);
    return json200('');
  };

  const updateCheck = (checkId: string, json: Record<string, unknown>): HttpResponse => {
    const item = held.get(checkId.replace(/^service:/, ''));
    if (!item)
      return text(
        unknownCheckStatus,
        `Unknown check ID "${checkId}". Ensure that the check ID is passed, not the check name.`,
      );
    item.renewedAt = clock.now();
    if (item.status !== json['Status']) {
      item.status = String(json['Status']);
      changed(item.service);
    }
    return json200('');
  };

  const health = (service: string): unknown[] => {
    if (empties.delete(service)) return [];
    return [...held.values()]
      .filter((item) => item.service === service)
      .map(({ id, entry, status }) => ({
        Node: { Node: 'stub', Address: '10.255.0.1', Datacenter: 'dc1' },
        Service: entry,
        Checks: [
          { Node: 'stub', CheckID: 'serfHealth', Status: 'passing', ServiceID: '' },
          { Node: 'stub', CheckID: `service:${id}`, Status: status, ServiceID: id },
        ],
      }));
  };

  const blocking = async (
    request: HttpRequest,
    key: string,
    answer: () => unknown,
    ended: Promise<void>,
  ): Promise<HttpResponse> => {
    const query = new URLSearchParams(request.query);
    const given = Number(query.get('index') ?? 0);
    const waitMs = goDuration(query.get('wait') ?? '5m');
    const indexOf = (): number => indexes.get(key) ?? 1;
    // A service that nobody has heard of is waited for by the index of the catalog.
    if (given > 0 && indexOf() <= given && !empties.has(key)) {
      await waitForChange(waitMs * (1 + random() / 16), () => indexOf() > given || empties.has(key), ended);
    }
    return json200(answer(), [['x-consul-index', String(Math.max(1, indexOf()))]]);
  };

  const waitForChange = (ms: number, over: () => boolean, ended: Promise<void>): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        alarm.cancel();
        waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (over()) done();
      };
      const alarm = clock.setTimer(ms, done, { background: true });
      waiting.add(look);
      void ended.then(done);
    });

  const handler: HttpHandler = async (request, call) => {
    const [version, area, kind, ...rest] = request.path.segments;
    const path = `${request.method} ${['', ...request.path.segments].join('/')}`;
    asked.push(request.query === '' ? path : `${path}?${request.query}`);
    if (version !== 'v1') return text(404, '');
    if (token !== undefined && request.headers.get('x-consul-token') !== token) {
      return text(
        403,
        "Permission denied: token with AccessorID '00000000-0000-0000-0000-000000000002' lacks permission",
      );
    }
    const ended = new Promise<void>((resolve) => call.onCancel(() => resolve()));
    if (request.method === 'GET' && area === 'health' && kind === 'service') {
      const [service = ''] = rest;
      return blocking(request, service, () => health(service), ended);
    }
    if (request.method === 'GET' && area === 'catalog' && kind === 'services') {
      return blocking(request, '', () => tagsByService(held.values()), ended);
    }
    if (request.method !== 'PUT' || area !== 'agent') return text(404, '');
    const bytes = await readBody(request.body, 1_048_576, call);
    const json = bytes.length === 0 ? {} : (JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>);
    const [verb, name = ''] = rest;
    if (kind === 'service' && verb === 'register') return register(json);
    if (kind === 'service' && verb === 'deregister')
      return remove(name) ? json200('') : text(404, `Unknown service ID "${name}"`);
    if (kind === 'check' && verb === 'update') return updateCheck(name, json);
    return text(404, '');
  };

  return {
    handler,
    asked,
    inject(id, entry, tags = []) {
      const service = String((entry as { Service?: unknown } | null)?.Service ?? 'orders');
      const forever = Number.MAX_SAFE_INTEGER;
      const times = { ttlMs: forever, deregisterAfterMs: forever, renewedAt: clock.now() };
      held.set(id, { id, service, tags, entry: entry as Record<string, unknown>, status: 'passing', ...times });
      changed(service);
    },
    drop: (id) => void remove(id),
    emptyOnce(service) {
      empties.add(service);
      for (const wake of [...waiting]) wake();
    },
    resetIndex() {
      index = 2;
      for (const key of indexes.keys()) indexes.set(key, 2);
      for (const wake of [...waiting]) wake();
    },
    forget() {
      for (const id of [...held.keys()]) remove(id);
    },
    stop: () => timer.cancel(),
  };
}

function tagsByService(items: Iterable<Held>): Record<string, string[]> {
  const tags: Record<string, string[]> = { consul: [] };
  for (const item of items) tags[item.service] = [...new Set([...(tags[item.service] ?? []), ...item.tags])];
  return tags;
}

function metaMistake(meta: Record<string, unknown>): string | undefined {
  const entries = Object.entries(meta);
  if (entries.length > 64) return 'Node metadata cannot contain more than 64 key/value pairs';
  for (const [key, value] of entries) {
    if (!keyPattern.test(key))
      return `Couldn't load metadata pair ('${key}', '${value}'): key contains invalid characters`;
    if (key.startsWith('consul-')) return `key prefix 'consul-' is reserved for internal use`;
    if (Buffer.byteLength(String(value)) > 512) return `value is too long (limit: 512 characters)`;
  }
  return undefined;
}

function goDuration(value: unknown): number {
  const [, number = '0', unit = 's'] = /^(\d+)(ms|s|m|h)$/.exec(String(value)) ?? [];
  return Number(number) * ({ ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? 1_000);
}

function json200(value: unknown, fields: readonly (readonly [string, string])[] = []): HttpResponse {
  const body = Buffer.from(value === '' ? '' : JSON.stringify(value));
  return {
    status: 200,
    headers: new HttpHeaders([[...jsonType], ...fields.map(([name, text]): [string, string] => [name, text])]),
    body,
  };
}

function text(status: number, words: string): HttpResponse {
  return { status, headers: new HttpHeaders([['content-type', 'text/plain']]), body: Buffer.from(words) };
}
