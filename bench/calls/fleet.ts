/** What a process of ours is made of in the bench: everything real but the registry and the place where spans go. */
import { loadConfig } from '@flotilla/config';
import {
  type Call,
  type Instance,
  identity,
  nullLogger,
  type Registration,
  type Resolver,
  type Span,
  systemClock,
  systemRandom,
  type Tracer,
} from '@flotilla/core';
import { NodeLoad } from '@flotilla/resilience/node';
import { rsocketTransport } from '@flotilla/rpc/rsocket';
import { createHealth, type PrometheusMeter, prometheusMeter } from '@flotilla/telemetry';
import {
  type App,
  fastNetwork,
  plainTransport,
  policiesOf,
  type RunningService,
  type ServiceRuntime,
  startService,
} from 'flotilla';
import { serviceSchema } from 'flotilla/settings';

/** Keeps the last spans in memory, as an exporter keeps them until it sends; and counts them. */
export class RecordingTracer implements Tracer {
  readonly #last: (RecordedSpan | undefined)[] = new Array(1_024);
  ended = 0;
  /** Spans whose call had a deadline when they began. */
  armed = 0;

  start(name: string, kind: string, call: Call): Span {
    if (call.deadline !== Infinity) this.armed++;
    return new RecordedSpan(this, name, kind, call);
  }

  record(span: RecordedSpan): void {
    this.#last[this.ended++ % this.#last.length] = span;
  }
}

class RecordedSpan implements Span {
  readonly #tracer: RecordingTracer;
  readonly name: string;
  readonly kind: string;
  readonly spanId: string;
  readonly startedAt: number;
  readonly attributes: (string | number | boolean)[] = [];
  endedAt = 0;
  code = '';

  constructor(tracer: RecordingTracer, name: string, kind: string, call: Call) {
    this.#tracer = tracer;
    this.name = name;
    this.kind = kind;
    this.spanId = call.trace.spanId;
    this.startedAt = call.startedAt;
  }

  setAttribute(name: string, value: string | number | boolean): void {
    this.attributes.push(name, value);
  }

  end(outcome: { readonly code: string } | undefined): void {
    this.endedAt = performance.now();
    this.code = outcome?.code ?? 'OK';
    this.#tracer.record(this);
  }
}

/**
 * A resolver that knows `ports` of this machine, and nothing else; each serves the contract of the service's name.
 * @param protocols what each port speaks. @param instances how many there are behind a port. @param apart each has an address of the loopback network of its own,
 * so that there are as many connections
 */
export function fixedResolver(
  service: string,
  ports: readonly number[],
  {
    protocols = ['http'],
    instances: count = 1,
    apart = false,
  }: { readonly protocols?: readonly string[]; readonly instances?: number; readonly apart?: boolean } = {},
): Resolver {
  const instances = ports.flatMap((port) =>
    Array.from({ length: count }, (_, n) =>
      instanceAt(service, port, n, apart ? `127.0.0.${n + 1}` : '127.0.0.1', protocols),
    ),
  );
  return {
    watch(_target, update) {
      update({ instances, warming: false });
      return { close() {} };
    },
  };
}

function instanceAt(
  service: string,
  port: number,
  number: number,
  host: string,
  protocols: readonly string[],
): Instance {
  return {
    id: `${service}-${port}-${number}`,
    identity: identity(service),
    incarnation: 1,
    addresses: protocols.map((protocol) => ({ protocol, host, port })),
    contracts: [{ name: service, version: 1, hash: '' }],
    status: 'up',
    weight: 1,
    revision: 1,
    metadata: {},
    bags: {},
  };
}

export interface StartedApp {
  readonly running: RunningService;
  readonly meter: PrometheusMeter;
  readonly tracer: RecordingTracer;
}

/** A process has one, however many services the bench starts in it. */
const load = new NodeLoad();

/** Starts an application as `run()` does, with a fixed resolver instead of a registry. @param config YAML over the defaults */
export async function startApp(app: App<Record<never, never>>, resolver: Resolver, config = ''): Promise<StartedApp> {
  const meter = prometheusMeter();
  const tracer = new RecordingTracer();
  const foundation = { clock: systemClock, random: systemRandom, logger: nullLogger };
  const { network, connector } = fastNetwork(foundation);
  const runtime: ServiceRuntime = {
    ...foundation,
    network,
    fast: rsocketTransport(connector, plainTransport({ ...foundation, network }), foundation),
    bindOf: (_, port) => ({ host: '0.0.0.0', port }), // all addresses of the loopback network
    discovery: { resolver, registrar: { register: () => noRegistration }, close: async () => {} },
    meter,
    tracer,
    health: createHealth(),
    advertise: (host) => ({ host, reason: 'the bench runs on one machine' }),
  };
  const { values } = loadConfig(serviceSchema(undefined), { files: [{ name: 'bench', text: config, at: [] }] });
  const policies = policiesOf(values, { ...foundation, meter, load });
  return { running: await startService(app, values, { ...runtime, policies }), meter, tracer };
}

/** The sum of all series of a metric. */
export async function metricSum(meter: PrometheusMeter, name: string): Promise<number> {
  let sum = 0;
  for (const line of (await meter.render()).split('\n')) {
    if (line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}

const noRegistration: Registration = {
  announced: Promise.resolve(),
  setStatus: async () => {},
  setWeight: async () => {},
  deregister: async () => {},
};
