/** A typed call of ours with everything that a service has by default: validation, balancing, retries, deadline, metrics, spans. */
import { FlotillaError } from '@flotilla/core';
import { keepObjectsYoung, service } from 'flotilla';
import { contract, query, stream } from 'flotilla/contract';
import { z } from 'zod';
import { fixedResolver, metricSum, startApp } from './fleet.ts';
import { type CallSubject, largeBytes, productOf } from './subject.ts';

keepObjectsYoung(); // as every process of a fleet

/** The limit of the server is there and follows the load, but refuses none of the 1,024 at a time: what a call costs is measured. */
const unshed = 'server:\n  concurrency: { minLimit: 2048, maxLimit: 4096 }\n';

const validated = { inputs: 0, outputs: 0 };

const Asked = counted(z.object({ id: z.string(), quantity: z.int().min(1).max(1_000) }), 'inputs');
const ProductSchema = counted(
  z.object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    priceCents: z.int(),
    currency: z.string(),
    inStock: z.boolean(),
  }),
  'outputs',
);
const catalog = contract(
  { name: 'catalog', version: 1 },
  {
    product: query({ in: Asked, out: ProductSchema }),
    large: query({ out: z.object({ text: z.string() }) }),
    ticks: stream({ out: z.object({ tick: z.int(), text: z.string() }) }),
    stalled: query({ out: z.boolean() }),
  },
);

const largeText = 'x'.repeat(largeBytes);

/**
 * Its calls over one of the protocols that an instance may advertise, balanced among ten instances, which one process
 * plays; among as many as there are ports, where there are several. @param apart with connections of their own
 */
export function subjectOver(protocol: 'http' | 'rsocket', apart = false): CallSubject {
  return {
    async serve() {
      let handled = 0;
      const app = service('catalog');
      app.handle(catalog, {
        product({ id }) {
          handled++;
          return productOf(id);
        },
        large: () => ({ text: largeText }),
        async *ticks() {
          for (let tick = 0; ; tick++) yield { tick, text: 'as long as the answer of a small call is, more or less' };
        },
        stalled: () => new Promise(() => {}),
      });
      const { running, meter, tracer } = await startApp(app, fixedResolver('catalog', []), unshed);
      return {
        port: Number(new URL(running.url).port),
        handled: () => handled,
        counters: async () => ({
          validatedInputs: validated.inputs,
          validatedOutputs: validated.outputs,
          tracedByServer: tracer.ended,
          deadlineAtServer: tracer.armed,
          meteredByServer: await metricSum(meter, 'flotilla_server_calls_total'),
        }),
      };
    },
    async connect(ports, concurrency) {
      const app = service('caller');
      // The bound that every client has is 1,000 for each instance; who wants more says so.
      const client = app.client(catalog, concurrency < 1_000 ? {} : { maxConcurrent: 2 * concurrency });
      const instances = ports.length === 1 ? 10 : 1;
      const { meter, tracer } = await startApp(
        app,
        fixedResolver('catalog', ports, { protocols: [protocol], instances, apart }),
      );
      return {
        call: (id, quantity) => client.product({ id, quantity }),
        async invalid(id) {
          try {
            await client.product({ id, quantity: 0 });
          } catch (thrown) {
            return thrown instanceof FlotillaError && thrown.code === 'INVALID_INPUT';
          }
          return false;
        },
        large: async () => (await client.large()).text.length,
        async streamed(ms) {
          const until = performance.now() + ms;
          let elements = 0;
          for await (const { tick } of client.ticks()) {
            if (tick !== elements++) throw new Error(`element ${tick} came as number ${elements}`);
            if (performance.now() > until) break;
          }
          return elements;
        },
        stalled: () => client.stalled(undefined, undefined, { timeoutMs: 4_000 }),
        counters: async () => ({
          tracedByClient: tracer.ended,
          meteredByClient: await metricSum(meter, 'flotilla_client_calls_total'),
        }),
      };
    },
  };
}

export const subject: CallSubject = subjectOver('http');

/** The same schema, whose runs are counted. */
function counted<S extends z.ZodType>(schema: S, what: keyof typeof validated): S {
  const standard = schema['~standard'];
  const { validate } = standard;
  Object.defineProperty(schema, '~standard', {
    value: {
      ...standard,
      validate(value: unknown) {
        validated[what]++;
        return validate(value);
      },
    },
  });
  return schema;
}
