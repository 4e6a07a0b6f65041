import type { Clock, Timer } from '@flotilla/core';
import { encodeLine, type HttpHandler, HttpHeaders, type HttpRequest, type HttpResponse } from '@flotilla/http';

/** One endpoint of a slice. */
export interface StubEndpoint {
  readonly addresses: readonly unknown[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly zone?: string;
  readonly nodeName?: string;
  readonly hints?: { readonly forZones: readonly { readonly name: string }[] };
  readonly targetRef?: { readonly kind: string; readonly name: string };
}

/** An EndpointSlice, without what the API server adds. */
export interface StubSlice {
  readonly service: string;
  readonly namespace?: string;
  readonly addressType?: string;
  readonly endpoints: readonly (StubEndpoint | unknown)[];
  readonly ports: readonly unknown[];
}

/**
 * A small stub of a Kubernetes API server that serves EndpointSlices (discovery.k8s.io/v1), written from the Kubernetes
 * documentation ("Kubernetes API Concepts") and API reference. It is not Kubernetes: no other resources, no admission, one
 * node. It conforms in what a client of list and watch depends on: resource versions, label selectors, pages, watch events,
 * bookmarks, the end of a watch by `timeoutSeconds`, 410 Gone for versions that were compacted, bearer tokens.
 */
export interface KubernetesStub {
  readonly handler: HttpHandler;
  put(name: string, slice: StubSlice): void;
  delete(name: string): void;
  /** Forgets the history: watches from an older version are answered with 410, those that are open end with an error. */
  compact(): void;
  /** The next list is empty. */
  emptyOnce(): void;
  /** Takes these tokens from now on. */
  tokens: Set<string> | undefined;
  /** Requests that came, by path with query. */
  readonly asked: string[];
  /** Watches that are open. */
  readonly watches: number;
  stop(): void;
}

interface Event {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: StoredSlice;
}

interface StoredSlice {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly resourceVersion: string;
  };
  readonly addressType: string;
  readonly endpoints: readonly unknown[];
  readonly ports: readonly unknown[];
}

interface OpenWatch {
  readonly matches: (slice: StoredSlice) => boolean;
  readonly send: (value: unknown) => void;
  readonly end: () => void;
}

/** Of a real server: about a minute. */
const bookmarkEveryMs = 60_000;

export function kubernetesStub({ clock }: { readonly clock: Clock }): KubernetesStub {
  const slices = new Map<string, StoredSlice>();
  const watches = new Set<OpenWatch>();
  const asked: string[] = [];
  let history: Event[] = [];
  let version = 100;
  /** Versions from here on are known. */
  let oldest = 100;
  let empty = false;
  let timer: Timer;
  const bookmark = (): void => {
    timer = clock.setTimer(
      bookmarkEveryMs,
      () => {
        const object = {
          kind: 'EndpointSlice',
          apiVersion: 'discovery.k8s.io/v1',
          metadata: { resourceVersion: `${version}` },
        };
        for (const watch of watches) watch.send({ type: 'BOOKMARK', object });
        bookmark();
      },
      { background: true },
    );
  };
  bookmark();

  const happened = (type: Event['type'], object: StoredSlice): void => {
    history.push({ version, type, object });
    for (const watch of watches) if (watch.matches(object)) watch.send({ type, object });
  };
  const stub = {
    asked,
    tokens: undefined as Set<string> | undefined,
    get watches() {
      return watches.size;
    },
    put(name: string, { service, namespace = 'default', addressType = 'IPv4', endpoints, ports }: StubSlice): void {
      version++;
      const labels = { 'kubernetes.io/service-name': service };
      const metadata = { name, namespace, labels, resourceVersion: `${version}` };
      const stored: StoredSlice = {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata,
        addressType,
        endpoints,
        ports,
      };
      const type = slices.has(name) ? 'MODIFIED' : 'ADDED';
      slices.set(name, stored);
      happened(type, stored);
    },
    delete(name: string): void {
      const stored = slices.get(name);
      if (!stored) return;
      version++;
      slices.delete(name);
      happened('DELETED', { ...stored, metadata: { ...stored.metadata, resourceVersion: `${version}` } });
    },
    compact(): void {
      version++;
      oldest = version;
      history = [];
      for (const watch of [...watches]) {
        watch.send({ type: 'ERROR', object: goneStatus() });
        watch.end();
      }
    },
    emptyOnce(): void {
      empty = true;
    },
    stop: () => timer.cancel(),
  };

  const list = (query: URLSearchParams, matches: (slice: StoredSlice) => boolean): HttpResponse => {
    const all = empty
      ? []
      : [...slices.values()].filter(matches).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    empty = false;
    const limit = Number(query.get('limit') ?? 0) || all.length;
    const from = Number(query.get('continue') ?? 0);
    const more = from + limit < all.length;
    const metadata = { resourceVersion: `${version}`, ...(more ? { continue: `${from + limit}` } : {}) };
    return json(200, { kind: 'EndpointSliceList', metadata, items: all.slice(from, from + limit) });
  };

  const watch = (
    query: URLSearchParams,
    matches: (slice: StoredSlice) => boolean,
    ended: Promise<void>,
  ): HttpResponse => {
    const from = Number(query.get('resourceVersion') ?? 0);
    if (from < oldest) return json(410, goneStatus());
    const queue: Uint8Array[] = [];
    let wake = (): void => {};
    let over = false;
    const open: OpenWatch = {
      matches,
      send(value) {
        queue.push(encodeLine(value));
        wake();
      },
      end() {
        over = true;
        watches.delete(open);
        alarm.cancel();
        wake();
      },
    };
    const alarm = clock.setTimer(Number(query.get('timeoutSeconds') ?? 300) * 1_000, open.end, { background: true });
    watches.add(open);
    void ended.then(open.end);
    for (const event of history)
      if (event.version > from && matches(event.object)) open.send({ type: event.type, object: event.object });
    const body = async function* (): AsyncGenerator<Uint8Array, void> {
      try {
        for (;;) {
          while (queue.length > 0) yield queue.shift() ?? new Uint8Array(0);
          if (over) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        open.end();
      }
    };
    return { status: 200, headers: new HttpHeaders([['content-type', 'application/json']]), body: body() };
  };

  const handler: HttpHandler = async (request, call) => {
    const { segments } = request.path;
    asked.push(`${request.method} ${['', ...segments].join('/')}?${request.query}`);
    const refusal = refuse(request, stub.tokens);
    if (refusal) return refusal;
    const [apis, group, apiVersion, , namespace = '', resource] = segments;
    if ([apis, group, apiVersion, resource].join('/') !== 'apis/discovery.k8s.io/v1/endpointslices')
      return json(404, status(404, 'NotFound', 'not here'));
    const query = new URLSearchParams(request.query);
    const [label = '', value = ''] = (query.get('labelSelector') ?? '').split('=');
    const matches = ({ metadata }: StoredSlice): boolean =>
      metadata.namespace === namespace && metadata.labels[label] === value;
    if (query.get('watch') === null) return list(query, matches);
    return watch(query, matches, new Promise<void>((resolve) => call.onEnd(() => resolve())));
  };
  return Object.assign(stub, { handler });
}

function refuse(request: HttpRequest, tokens: ReadonlySet<string> | undefined): HttpResponse | undefined {
  if (!tokens) return undefined;
  const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
  if (tokens.has(token)) return undefined;
  if (token === 'nobody')
    return json(
      403,
      status(403, 'Forbidden', 'endpointslices.discovery.k8s.io is forbidden: User "nobody" cannot list'),
    );
  return json(401, status(401, 'Unauthorized', 'Unauthorized'));
}

function goneStatus(): unknown {
  return status(410, 'Expired', 'too old resource version');
}

function status(code: number, reason: string, message: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

function json(code: number, value: unknown): HttpResponse {
  return {
    status: code,
    headers: new HttpHeaders([['content-type', 'application/json']]),
    body: Buffer.from(JSON.stringify(value)),
  };
}
