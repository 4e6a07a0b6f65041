import { createServer } from 'node:net';
import { FlotillaError } from '@flotilla/core';

/** How many ports after the wanted one are tried. */
const maxSteps = 50;

/**
 * The wanted port, or the next one that is free. 0 gives any free port.
 * @throws FlotillaError ADDRESS_IN_USE when none of the 50 after it is free.
 */
export async function freePort(host: string, wanted: number, taken: ReadonlySet<number>): Promise<number> {
  for (let step = 0; step <= maxSteps; step++) {
    const candidate = wanted === 0 ? 0 : wanted + step;
    const port = taken.has(candidate) ? undefined : await probe(host, candidate);
    if (port !== undefined && !taken.has(port)) return port;
  }
  throw new FlotillaError('ADDRESS_IN_USE', `no free port on ${host} from ${wanted} to ${wanted + maxSteps}`);
}

function probe(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}
