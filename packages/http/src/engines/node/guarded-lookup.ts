import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { FlotillaError } from '@flotilla/core';

/**
 * Looks a name up, and leaves out the addresses that are refused: what was checked is what is dialled, whatever the name
 * means a moment later. When none is left the connection fails.
 */
export function guardedLookup(refuses: (address: string) => string | undefined): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) {
        done(error, []);
        return;
      }
      const taken = found.filter(({ address }) => refuses(address) === undefined);
      const [first] = taken;
      if (!first) done(refusal(hostname, found, refuses), []);
      else if (options.all) done(null, taken);
      else done(null, first.address, first.family);
    });
  };
}

function refusal(
  hostname: string,
  found: readonly LookupAddress[],
  refuses: (address: string) => string | undefined,
): FlotillaError {
  const [{ address } = { address: '' }] = found;
  return new FlotillaError(
    'CONNECT_FAILED',
    `"${hostname}" means ${address}, which is not dialled: ${refuses(address)}`,
  );
}
