/** Names and values that travel with a call through every hop (W3C Baggage). Frozen; a change makes a new map. */
export type Baggage = ReadonlyMap<string, string>;

/** What a peer can make us carry: more members are dropped, in the order in which they came. */
export const baggageLimits: { readonly maxMembers: number; readonly maxBytes: number } = Object.freeze({
  maxMembers: 64,
  maxBytes: 8_192,
});

/** The tenant is a member of the baggage, so that it survives hops that know nothing of us. */
export const tenantKey = 'flotilla.tenant';

export const emptyBaggage: Baggage = new Map();

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;

/** Reads the header `baggage` (W3C Baggage §3.3). Members that are not well formed are left out; properties are dropped. */
export function parseBaggage(header: string): Baggage {
  const members = new Map<string, string>();
  let bytes = 0;
  for (const member of header.slice(0, baggageLimits.maxBytes).split(',')) {
    const [pair = ''] = member.split(';', 1);
    const equals = pair.indexOf('=');
    const key = pair.slice(0, equals).trim();
    const value = equals < 0 ? undefined : decode(pair.slice(equals + 1).trim());
    if (value === undefined || !tokenPattern.test(key)) continue;
    bytes += member.length;
    if (members.size >= baggageLimits.maxMembers || bytes > baggageLimits.maxBytes) break;
    members.set(key, value);
  }
  return members.size === 0 ? emptyBaggage : members;
}

/**
 * Writes the header `baggage`; empty text for empty baggage. A member whose name is no token is left out: it could
 * become another header. Half characters (lone surrogates) become the replacement character. What goes beyond
 * {@link baggageLimits} is left out, member by member: as text a value may be many times as long.
 */
export function formatBaggage(baggage: Baggage): string {
  let text = '';
  for (const [key, value] of baggage) {
    if (!tokenPattern.test(key)) continue;
    const encoded = plainPattern.test(value) ? value : encodeURIComponent(value.toWellFormed());
    const member = text === '' ? `${key}=${encoded}` : `,${key}=${encoded}`;
    if (text.length + member.length <= baggageLimits.maxBytes) text += member;
  }
  return text;
}

/** What is its own percent-encoding: ids and names, nearly all that travels. */
const plainPattern = /^[A-Za-z0-9._~-]*$/;

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a stray percent sign: that member is not well formed
  }
}
