/**
 * What a call costs between the typed client and the connection: spans and metrics, deadline, retry, balancing,
 * limits. The endpoints answer at once, from memory.
 */
import { createCluster } from '@flotilla/balance';
import {
  Call,
  compose,
  composeEndpoint,
  type Endpoint,
  idempotentAttribute,
  nullLogger,
  systemClock,
  systemRandom,
} from '@flotilla/core';
import { calledOperations, type OperationRequest, type OperationResponse } from '@flotilla/rpc';
import { contract, query } from '@flotilla/rpc/contract';
import { prometheusMeter } from '@flotilla/telemetry';
import { callFilters, connectionFilters } from 'flotilla';
import { fixedResolver, metricSum, RecordingTracer } from '../calls/fleet.ts';
import { serveHarness } from '../harness/program.ts';

const foundation = { clock: systemClock, random: systemRandom, logger: nullLogger };
const meter = prometheusMeter();
const tracer = new RecordingTracer();
const target = { service: 'catalog' };
const catalog = contract({ name: 'catalog', version: 1 }, { product: query({}) });
const operation = calledOperations(catalog).get('product');
if (!operation) throw new Error('the contract has no such operation');
const answered = { calls: 0, armed: 0 };

const cluster = createCluster<OperationRequest, OperationResponse>({
  ...foundation,
  target,
  meter,
  resolver: fixedResolver('catalog', [1, 2, 3]),
  protocols: ['http'],
  connect: (_address, instance) =>
    composeEndpoint(
      connectionFilters(instance.id, {}).map(({ filter }) => filter),
      memoryEndpoint(),
    ),
});
const filters = callFilters<OperationRequest, OperationResponse>(target, {}, { meter, tracer, logger: nullLogger }).map(
  ({ filter }) => filter,
);
const handle = compose(filters, cluster.handle);
cluster.start();

const request: OperationRequest = { operation, input: undefined };

serveHarness(
  {},
  {
    run: ({ ms }) => run(Number(ms)),
    count: async () => ({
      answered: answered.calls,
      armed: answered.armed,
      traced: tracer.ended,
      metered: await metricSum(meter, 'flotilla_client_calls_total'),
    }),
  },
);

async function run(ms: number): Promise<object> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let operations = 0;
  while (performance.now() < startedAt + ms) {
    for (let i = 0; i < 100; i++) {
      const call = new Call(foundation);
      call.set(idempotentAttribute, true);
      await handle(request, call);
    }
    operations += 100;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { operations, wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
}

function memoryEndpoint(): Endpoint<OperationRequest, OperationResponse> {
  return {
    status: 'open',
    load: 0,
    async handle(_request, call) {
      answered.calls++;
      if (call.deadline !== Infinity) answered.armed++;
      call.end();
      return undefined;
    },
    close: async () => {},
  };
}
