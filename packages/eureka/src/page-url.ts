import { FlotillaError, formatHostPort } from '@flotilla/core';
import type { EurekaInstance } from './document.ts';

/** Where an instance is, as its document says. */
export type Place = Pick<EurekaInstance, 'hostName' | 'port' | 'securePort'>;

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
  if (value === '' || knownTemplates.has(value)) return true;
  if (!mayBeTemplate(value)) return false;
  if (knownTemplates.size >= mostKnown) knownTemplates.clear();
  knownTemplates.add(value);
  return true;
}

/** A fleet has a handful of them, and a list asks for each of its instances. */
const knownTemplates = new Set<string>();
const mostKnown = 256;

function mayBeTemplate(value: string): boolean {
  const url = value.replace(/^(https?:\/\/)\{host\}(:\{port\})?/, '$1h');
  return value.length <= urlLimit && urlPattern.test(url);
}

/**
 * A page's URL without what the instance's address says already: `http://h1:8080/actuator/info` of an instance at
 * `h1:8080` is `http://{host}:{port}/actuator/info`. So the bag repeats no address, and a moved instance moves its
 * pages. No URL has braces there, so nothing is ambiguous.
 */
export function toPageTemplate(url: string, place: Place): string {
  const scheme = url.startsWith('http://') ? 'http' : url.startsWith('https://') ? 'https' : undefined;
  if (scheme === undefined) return url;
  const from = scheme.length + '://'.length;
  const { host, hostPort } = authorityOf(scheme, place);
  if (!url.startsWith(host, from)) return url;
  const isWhole = url.startsWith(hostPort, from) && endsAuthority(url, from + hostPort.length);
  if (isWhole) return `${scheme}://{host}:{port}${url.slice(from + hostPort.length)}`;
  const after = from + host.length;
  return url[after] === ':' || endsAuthority(url, after) ? `${scheme}://{host}${url.slice(after)}` : url;
}

function endsAuthority(url: string, at: number): boolean {
  return at === url.length || url[at] === '/' || url[at] === '?' || url[at] === '#';
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
