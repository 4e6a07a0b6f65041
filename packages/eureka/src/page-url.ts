import { FlotillaError, formatHostPort } from '@flotilla/core';
import type { EurekaInstance } from './document.ts';

type Place = Pick<EurekaInstance, 'hostName' | 'port' | 'securePort'>;

/** No credentials and no braces before the path: the first point elsewhere, the second are ours. */
const urlPattern = /^https?:\/\/[^\s\p{Cc}{}@/?#\\]+(?:[/?#][^\s\p{Cc}]*)?$/iu;
const urlLimit = 2_048;

/** @throws FlotillaError INVALID_INPUT unless `url` is absent, empty, or an http or https URL without credentials. */
export function checkPageUrl(field: string, url: string | undefined): void {
  if (url === undefined || url === '' || (url.length <= urlLimit && urlPattern.test(url))) return;
  throw new FlotillaError(
    'INVALID_INPUT',
    `${field} "${url.slice(0, 80)}" must be an http or https URL without credentials`,
  );
}

/** Whether a value is something that {@link toPageTemplate} could have made. */
export function isPageTemplate(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (value === '') return true;
  const url = value.replace(/^(https?:\/\/)\{host\}(:\{port\})?/, '$1h');
  return value.length <= urlLimit && urlPattern.test(url);
}

/**
 * A page's URL without what the instance's address says already: `http://h1:8080/actuator/info` of an instance at
 * `h1:8080` is `http://{host}:{port}/actuator/info`. So the bag repeats no address, and a moved instance moves its
 * pages. No URL has braces there, so nothing is ambiguous.
 */
export function toPageTemplate(url: string, place: Place): string {
  const [, scheme, authority, rest] = /^(https?):\/\/([^/?#]*)(.*)$/s.exec(url) ?? [];
  if (scheme === undefined || authority === undefined || rest === undefined) return url;
  const { host, hostPort } = authorityOf(scheme, place);
  if (authority === hostPort) return `${scheme}://{host}:{port}${rest}`;
  if (authority === host || authority.startsWith(`${host}:`)) {
    return `${scheme}://{host}${authority.slice(host.length)}${rest}`;
  }
  return url;
}

/** The URL that {@link toPageTemplate} made `template` of, for an instance that may have moved. */
export function fromPageTemplate(template: string, place: Place): string {
  const [whole, scheme, port] = /^(https?):\/\/\{host\}(:\{port\})?/.exec(template) ?? [];
  if (whole === undefined || scheme === undefined) return template;
  const { host, hostPort } = authorityOf(scheme, place);
  return `${scheme}://${port === undefined ? host : hostPort}${template.slice(whole.length)}`;
}

function authorityOf(scheme: string, place: Place): { readonly host: string; readonly hostPort: string } {
  const port = (scheme === 'https' ? place.securePort : place.port).$;
  const hostPort = formatHostPort({ host: place.hostName, port });
  return { hostPort, host: hostPort.slice(0, hostPort.lastIndexOf(':')) };
}
