/**
 * The bytes of an IP address: 4 for IPv4, 16 for IPv6. IPv4 that is written as IPv6 (`::ffff:10.0.0.1`, as dual-stack
 * sockets show it) is IPv4, so that one host has one address. Brackets and a zone (`fe80::1%eth0`) are left out.
 * Strict otherwise: no leading zeros, no octal, no short forms (RFC 6943 §3.1.1 says why).
 *
 * @returns undefined when `text` is no address
 */
export function parseAddress(text: string): Uint8Array | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const [address = ''] = bare.split('%', 1);
  if (address.length > 45) return undefined;
  return address.includes(':') ? unmapped(parseV6(address)) : parseV4(address);
}

/** The one way to write an address: for IPv6 that of RFC 5952. */
export function formatAddress(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : formatV6(bytes);
}

const v4Pattern = /^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(?:\.(?!$)|$)){4}$/;

function parseV4(text: string): Uint8Array | undefined {
  if (!v4Pattern.test(text)) return undefined;
  const parts = text.split('.');
  if (parts.some((part) => part.length > 1 && part.startsWith('0'))) return undefined;
  return Uint8Array.from(parts, Number);
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [before, after] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (!before || (halves.length === 2 && !after)) return undefined;
  const length = before.length + (after?.length ?? 0);
  // "::" stands for at least one group of zeros (RFC 5952 §4.2.2 forbids writing it for one; reading it is fine).
  if (halves.length === 1 ? length !== 16 : length > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(before);
  if (after) bytes.set(after, 16 - after.length);
  return bytes;
}

/** The bytes of `a:b:c`; the last group may be an IPv4 address. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      const v4 = last && index === groups.length - 1 ? parseV4(group) : undefined;
      if (!v4) return undefined;
      bytes.push(...v4);
    }
  }
  return bytes;
}

/** RFC 4291 §2.5.5.2 */
function unmapped(bytes: Uint8Array | undefined): Uint8Array | undefined {
  const mapped = bytes?.[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
  return mapped ? bytes.slice(12) : bytes;
}

function formatV6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  const zeros = longestZeros(groups);
  if (!zeros) return groups.join(':');
  return `${groups.slice(0, zeros.start).join(':')}::${groups.slice(zeros.end).join(':')}`;
}

/** The first of the longest runs of at least two groups of zero (RFC 5952 §4.2). */
function longestZeros(groups: readonly string[]): { start: number; end: number } | undefined {
  let best: { start: number; end: number } | undefined;
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === '0') end++;
    if (end - start > Math.max(1, best ? best.end - best.start : 0)) best = { start, end };
    start = Math.max(start, end);
  }
  return best;
}
