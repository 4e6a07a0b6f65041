/** Our gateway with one route to two instances of a service: routing, balancing, metrics and spans on. */
import { nullLogger, systemClock, systemRandom } from '@flotilla/core';
import { createGateway, outsideCalls, readRoutes } from '@flotilla/gateway';
import { nodeNetwork } from '@flotilla/http/node';
import { prometheusMeter } from '@flotilla/telemetry';
import { fixedResolver, metricSum, RecordingTracer } from '../calls/fleet.ts';
import { serveHarness } from '../harness/program.ts';

const ports = process.argv.slice(2).map(Number);
const foundation = { clock: systemClock, random: systemRandom, logger: nullLogger };
const meter = prometheusMeter();
const tracer = new RecordingTracer();
const network = nodeNetwork({
  ...foundation,
  limits: { maxHeaderFields: 100, maxBodyBytes: Infinity },
  encodedSlash: 'keep',
  makeCall: outsideCalls(foundation),
});
const gateway = createGateway({
  ...foundation,
  network,
  resolver: fixedResolver('catalog', ports),
  meter,
  tracer,
  accessLog: false,
});
gateway.apply(
  readRoutes(
    'routes:\n' +
      '  - { id: orders, path: /orders/**, to: service://orders, auth: public }\n' +
      '  - { id: catalog, path: /catalog/**, to: service://catalog, auth: public }\n',
    'routes',
  ),
);
const listener = await network.listen({ host: '127.0.0.1', port: 0 }, gateway.handler);
serveHarness(
  { port: listener.port },
  {
    count: async () => ({
      metered: await metricSum(meter, 'flotilla_gateway_requests_total'),
      traced: tracer.ended,
    }),
  },
);
