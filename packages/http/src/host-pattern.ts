/** Which hosts a route serves; names in lower case. */
export type HostPattern =
  | { readonly kind: 'exact'; readonly host: string }
  | { /** `.example` for `*.example`. */ readonly kind: 'below'; readonly suffix: string }
  | { readonly kind: 'every' };

const name = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const ipv6 = /^\[[0-9a-f:.]{2,45}\]$/;

/** @returns undefined when `text` is no host: `shop.example`, `10.0.0.1`, `[::1]`, or `*.example` */
export function parseHostPattern(text: string): HostPattern | undefined {
  const host = text.toLowerCase();
  if (host.length > 253) return undefined;
  if (host.startsWith('*.')) return name.test(host.slice(2)) ? { kind: 'below', suffix: host.slice(1) } : undefined;
  return name.test(host) || ipv6.test(host) ? { kind: 'exact', host } : undefined;
}

/** The host of an authority as routes compare it: lower case, no port, no dot at the end. */
export function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.lastIndexOf(':');
  const host = (end > 0 ? authority.slice(0, end) : authority).toLowerCase();
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

/** The suffixes of which `*.suffix` patterns take `host`, longest first: `a.b.c` → `.b.c`, `.c`. */
export function suffixesOf(host: string): string[] {
  const suffixes: string[] = [];
  for (let dot = host.indexOf('.'); dot >= 0 && suffixes.length < 127; dot = host.indexOf('.', dot + 1)) {
    if (dot > 0) suffixes.push(host.slice(dot));
  }
  return suffixes;
}
