/** A service of ours as an upstream of the gateway: 150 bytes for every request, over HTTP/1.1 and RSocket on one port. */
import { nullLogger, systemClock, systemRandom } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, type HttpResponse } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { httpTongue } from '@flotilla/rpc/rsocket/node';
import { keepObjectsYoung } from 'flotilla';
import { serveHarness } from '../harness/program.ts';

keepObjectsYoung();
const [text = ''] = process.argv.slice(2);
const body = Buffer.from(text);
const headers = new HttpHeaders([
  ['content-type', 'application/json'],
  ['content-length', String(body.length)],
]);
const needs = { clock: systemClock, random: systemRandom, logger: nullLogger };
let answered = 0;

async function handler({ path }: HttpRequest): Promise<HttpResponse> {
  if (!path.text.startsWith('/catalog/')) return { status: 404, headers: new HttpHeaders(), body: undefined };
  answered++;
  return { status: 200, headers, body };
}

const network = nodeNetwork({
  ...needs,
  limits: { maxRequestsPerConnection: Infinity },
  tongues: (_, __, serving) => [httpTongue(serving)],
});
const listener = await network.listen({ host: '127.0.0.1', port: 0 }, handler);
serveHarness({ port: listener.port }, { answered: () => ({ answered }) });
