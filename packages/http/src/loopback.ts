/**
 * True for hosts that only this machine can reach: `localhost`, `::1` with or without brackets, `127.0.0.0/8`, also
 * mapped into IPv6. What decides on it is whether a port may be open without credentials, so a name is never looked up.
 */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  if (bare === 'localhost' || bare === '::1') return true;
  const [, ipv4] = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/.exec(bare) ?? [];
  return ipv4?.startsWith('127.') ?? false;
}
