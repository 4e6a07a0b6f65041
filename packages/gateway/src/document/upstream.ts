import type { Upstream } from '../route-document.ts';
import { shown, type Value } from './value.ts';

const namePattern = /^[A-Za-z0-9._:-]{1,255}$/;
const hostPattern = /^(?:[0-9A-Za-z](?:[0-9A-Za-z._-]{0,253}[0-9A-Za-z])?|\[[0-9A-Fa-f:.]{2,45}\])$/;
const shapes = 'service://name, contract://name or http://host:port';

/** Reads `to`: `service://web`, `contract://catalog`, `http://127.0.0.1:9000`. */
export function readUpstream(value: Value): Upstream | undefined {
  const text = value.text();
  if (text === undefined) return undefined;
  const [, scheme, rest = ''] = /^([a-z]+):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === 'service' || scheme === 'contract') return readName(value, scheme, rest);
  if (scheme === 'http' || scheme === 'https') return readAddress(value, scheme, rest);
  return value.mistake(`must be ${shapes}, got "${shown(text)}"`);
}

/** The text that {@link readUpstream} reads back as the same upstream. */
export function formatUpstream(upstream: Upstream): string {
  if (upstream.kind !== 'address') return `${upstream.kind}://${upstream.name}`;
  const { protocol, host, port } = upstream;
  return `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function readName(value: Value, kind: 'service' | 'contract', name: string): Upstream | undefined {
  if (namePattern.test(name)) return { kind, name };
  return value.mistake(`"${shown(name)}" is not the name of a ${kind}: letters, digits and . _ : -, without a path`);
}

function readAddress(value: Value, protocol: 'http' | 'https', rest: string): Upstream | undefined {
  if (/[@?#]/.test(rest)) return value.mistake('takes no user, query or fragment: only host and port');
  const [authority = '', ...path] = rest.split('/');
  if (path.join('') !== '') return value.mistake('takes no path; add a filter "rewritePath" for one');
  const [, host = '', digits] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(authority) ?? [];
  const port = digits === undefined ? (protocol === 'http' ? 80 : 443) : Number(digits);
  if (!hostPattern.test(host) || port < 1 || port > 65_535) {
    return value.mistake(`"${shown(authority)}" is not a host and a port from 1 to 65535`);
  }
  return { kind: 'address', protocol, host: host.replace(/^\[|\]$/g, '').toLowerCase(), port };
}
