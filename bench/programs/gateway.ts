/**
 * Our gateway with one route to the instances of a service: routing, balancing, metrics and spans on.
 * Arguments: what the instances speak, `http` or `rsocket`, and their ports.
 */
import { nullLogger, systemClock, systemRandom } from '@flotilla/core';
import { createGateway, outsideCalls, readRoutes } from '@flotilla/gateway';
import { nodeNetwork } from '@flotilla/http/node';
import { overRSocket } from '@flotilla/rpc/rsocket';
import { nodeConnector } from '@flotilla/rpc/rsocket/node';
import { prometheusMeter } from '@flotilla/telemetry';
import { keepObjectsYoung } from 'flotilla';
import { fixedResolver, metricSum, RecordingTracer } from '../calls/fleet.ts';
import { serveHarness } from '../harness/program.ts';

keepObjectsYoung(); // as every process of a fleet does
const [transport = 'http', ...ports] = process.argv.slice(2);
const isFast = transport === 'rsocket';
const foundation = { clock: systemClock, random: systemRandom, logger: nullLogger };
const meter = prometheusMeter();
const tracer = new RecordingTracer();
const plain = nodeNetwork({
  ...foundation,
  limits: { maxHeaderFields: 100, maxBodyBytes: Infinity },
  encodedSlash: 'keep',
  makeCall: outsideCalls(foundation),
});
const network = isFast ? overRSocket(plain, nodeConnector(foundation)) : plain;
const gateway = createGateway({
  ...foundation,
  network,
  resolver: fixedResolver('catalog', ports.map(Number), { protocols: isFast ? ['http', 'rsocket'] : ['http'] }),
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
