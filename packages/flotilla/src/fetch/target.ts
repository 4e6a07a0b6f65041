import { FlotillaError } from '@flotilla/core';
import { parseAddress } from '@flotilla/http';

/** Whom a URL means. */
export interface FetchTarget {
  /** Name of the service, in lower case: URLs know no other, and the registry finds names in any case. */
  readonly service: string;
  /** What its instances must speak: `https://` takes encrypted ones only, `http://` whatever they have. */
  readonly protocols: readonly ('http' | 'https')[];
}

const servicePattern = /^[a-z0-9._-]{1,255}$/;

/**
 * Reads the service out of a URL. Nothing but services of the fleet is ever reached, so a text from outside that ends up
 * in a URL leads to no other machine: an IP address, `localhost` and a port are refused, and any other host is a name
 * that the registry knows or not.
 *
 * @param service the name, when the host cannot say it (`_:` and other characters that hosts do not have)
 * @throws FlotillaError INVALID_INPUT, `executed` no, with what to write instead
 */
export function targetOf(url: URL, service?: string): FetchTarget {
  const { protocol, hostname, port } = url;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw refused(url, `the scheme is "${protocol}"; services are reached by http: or https:`);
  }
  const host = hostname.replace(/^\[|\]$/g, '');
  if (parseAddress(host) !== undefined || host === 'localhost' || host.endsWith('.localhost')) {
    throw refused(url, `"${host}" is a machine, no service; for other hosts take the global fetch`);
  }
  if (port !== '') {
    throw refused(url, `it names port ${port}, but instances have ports of their own: write ${protocol}//${host}/…`);
  }
  if (!servicePattern.test(host)) throw refused(url, `"${host.slice(0, 80)}" is not the name of a service`);
  return { service: service ?? host, protocols: protocol === 'https:' ? ['https'] : ['http', 'https'] };
}

function refused({ protocol, host, pathname }: URL, why: string): FlotillaError {
  const shown = `${protocol}//${host}${pathname}`.slice(0, 200);
  return new FlotillaError('INVALID_INPUT', `${shown} cannot be fetched from the fleet: ${why}`);
}
