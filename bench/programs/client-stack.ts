/**
 * What a call costs between the typed client and the connection: spans and metrics, deadline, retry, balancing,
 * limits. The endpoints answer from memory, in the same turn. `client-stack.ts [without]`: leaves one filter out by its name;
 * `cluster` leaves the balancing out, `everything` all of it.
 */

import { createCluster } from '@flotilla/balance';
import {
  asOneInstant,
  Call,
  compose,
  composeEndpoint,
  type Endpoint,
  nullLogger,
  systemClock,
  systemRandom,
} from '@flotilla/core';
import { Policies } from '@flotilla/resilience';
import { calledOperations, type OperationRequest, type OperationResponse } from '@flotilla/rpc';
import { contract, query } from '@flotilla/rpc/contract';
import { prometheusMeter } from '@flotilla/telemetry';
import { callFilters, connectionFilters, typedCalls } from 'flotilla';
import { fixedResolver, metricSum, RecordingTracer } from '../calls/fleet.ts';
import { allocatedBytes } from '../harness/allocation.ts';
import { serveHarness } from '../harness/program.ts';

const foundation = { clock: systemClock, random: systemRandom, logger: nullLogger };
const meter = prometheusMeter();
const tracer = new RecordingTracer();
const target = { service: 'catalog' };
const catalog = contract({ name: 'catalog', version: 1 }, { product: query({}) });
const operation = calledOperations(catalog).get('product');
if (!operation) throw new Error('the contract has no such operation');
const answered = { calls: 0, armed: 0 };
const guard = new Policies({ clock: systemClock, meter }).client('catalog');
/** Calls whose memory is counted. */
const sampled = 20_000;

const [without = ''] = process.argv.slice(2);
const kept = ({ name }: { readonly name: string }): boolean => without !== 'everything' && name !== without;

const cluster = createCluster<OperationRequest, OperationResponse>({
  ...foundation,
  target,
  meter,
  resolver: fixedResolver('catalog', [1, 2, 3]),
  protocols: ['http'],
  connect: (_address, instance) =>
    composeEndpoint(
      connectionFilters(instance.id, guard)
        .filter(kept)
        .map(({ filter }) => filter),
      memoryEndpoint(),
    ),
});
const around = callFilters(target, guard, { meter, tracer, logger: nullLogger }, typedCalls);
// As it is in a process; or, to leave out one part, with the policies of the operation as a list of their own.
const parts = [...around.slice(0, 1), ...guard.callFilters(operation.info, { ...typedCalls, meter })];
const filters = (without === '' ? around : parts.filter(kept)).map(({ filter }) => filter);
const handle = compose(filters, innermost());
cluster.start();

const request: OperationRequest = { operation, input: undefined };
const { attributes } = operation;

serveHarness(
  {},
  {
    run: ({ ms }) => run(Number(ms)),
    allocate: async () => ({ operations: sampled, bytes: await allocatedBytes(() => many(sampled)) }),
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
    await many(100);
    operations += 100;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { operations, wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
}

async function many(calls: number): Promise<void> {
  for (let i = 0; i < calls; i++) {
    // As a typed client makes it and hands it on.
    const call = new Call({ ...foundation, expendable: true, attributes });
    await asOneInstant(call.clock, call.startedAt, handle, request, call);
  }
}

/** The cluster, or, when that is left out, what stands behind it. */
function innermost(): typeof cluster.handle {
  if (without !== 'cluster' && without !== 'everything') return cluster.handle;
  const around = connectionFilters('alone', guard)
    .filter(kept)
    .map(({ filter }) => filter);
  return composeEndpoint(around, memoryEndpoint()).handle;
}

function memoryEndpoint(): Endpoint<OperationRequest, OperationResponse> {
  return {
    status: 'open',
    load: 0,
    handle(_request, call) {
      answered.calls++;
      if (call.deadline !== Infinity) answered.armed++;
      // As RSocket answers a call.
      const promise = new Promise<undefined>((resolve) => {
        queueMicrotask(() => {
          call.end();
          resolve(undefined);
        });
      });
      call.told = { promise, instead: undefined };
      return promise;
    },
    close: async () => {},
  };
}
