/** A typed call of ours with everything that a service has by default: validation, balancing, retries, deadline, metrics, spans. */
import { FlotillaError } from '@flotilla/core';
import { service } from 'flotilla';
import { contract, query } from 'flotilla/contract';
import { z } from 'zod';
import { fixedResolver, metricSum, startApp } from './fleet.ts';
import { type CallSubject, productOf } from './subject.ts';

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
const catalog = contract({ name: 'catalog', version: 1 }, { product: query({ in: Asked, out: ProductSchema }) });

/**
 * Its calls over one of the protocols that an instance may advertise, balanced among ten instances, which one process
 * plays. @param apart with connections of their own
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
      });
      const { running, meter, tracer } = await startApp(app, fixedResolver('catalog', []));
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
    async connect(port) {
      const app = service('caller');
      const client = app.client(catalog);
      const { meter, tracer } = await startApp(
        app,
        fixedResolver('catalog', [port], { protocols: [protocol], instances: 10, apart }),
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
