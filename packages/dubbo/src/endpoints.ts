import { type Address, isHost, isProtocol } from '@flotilla/core';

/** The metadata entry that names an application's protocols and ports, all on the instance's one host. */
export const endpointsName = 'dubbo.endpoints';

/** Reads `[{"port":20880,"protocol":"dubbo"}, …]`; undefined for any other text. */
export function parseEndpoints(text: string | undefined, host: string): Address[] | undefined {
  const list = text === undefined || text.length > 65_536 ? undefined : parse(text);
  if (!Array.isArray(list)) return undefined;
  const addresses = list.map((item) => addressOf(item, host));
  return addresses.every((address) => address !== undefined) ? addresses : undefined;
}

/** Writes the addresses that are on `host`, members in Java's order. */
export function formatEndpoints(addresses: readonly Address[], host: string): string {
  const here = addresses.filter((address) => address.host === host);
  return JSON.stringify(here.map(({ port, protocol }) => ({ port, protocol })));
}

function addressOf(item: unknown, host: string): Address | undefined {
  const { port, protocol } = Object(item) as { port?: unknown; protocol?: unknown };
  if (typeof protocol !== 'string' || !isProtocol(protocol) || !isHost(host)) return undefined;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65_535) return undefined;
  return { protocol, host, port };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
