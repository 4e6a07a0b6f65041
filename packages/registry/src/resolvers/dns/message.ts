import { FlotillaError } from '@flotilla/core';

/** The kinds of records that are asked for (RFC 1035 §3.2.2, RFC 3596, RFC 2782). */
export type DnsType = 'A' | 'AAAA' | 'SRV';

/** What is asked. */
export interface DnsQuestion {
  /** Without a dot at its end. */
  readonly name: string;
  readonly type: DnsType;
}

/** One record of an answer. */
export type DnsRecord = { readonly ttlMs: number } & (
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      /** Without a dot at its end. */
      readonly target: string;
    }
);

/**
 * What a name server said.
 *
 * | kind | means |
 * |---|---|
 * | `found` | the records, none when the name has none of that kind |
 * | `nothing` | there is no such name (NXDOMAIN) |
 * | `failed` | the server could not or would not say: nothing is known |
 * | `truncated` | the answer did not fit: ask over TCP |
 */
export type DnsAnswer =
  | { readonly kind: 'found'; readonly records: readonly DnsRecord[] }
  /** How long that may be believed (RFC 2308 §5). Absent when the server did not say. */
  | { readonly kind: 'nothing'; readonly ttlMs?: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'truncated' };

/** What one answer may hold; more is not read. */
export const dnsLimits: Readonly<{ maxMessageBytes: number; maxRecords: number; maxAliases: number }> = Object.freeze({
  /** All that a message over TCP can be (RFC 1035 §4.2.2). */
  maxMessageBytes: 65_535,
  maxRecords: 4_096,
  maxAliases: 16,
});

/** Over UDP an answer may be this long (EDNS, RFC 6891 §6.2.5; the size of DNS Flag Day 2020). */
export const udpAnswerBytes = 1_232;

const typeCodes: Readonly<Record<DnsType | 'CNAME' | 'SOA' | 'OPT', number>> = Object.freeze({
  A: 1,
  CNAME: 5,
  SOA: 6,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
});
const headBytes = 12;
/** The longest that a name can be, in octets on the wire (RFC 1035 §3.1). */
const maxNameBytes = 255;
/** Pointers in one name; each has to lead backwards, so that this many is far more than an honest one needs. */
const maxPointers = 32;
/** A time to live above this is a negative number and means 0 (RFC 2181 §8). */
const maxTtl = 2 ** 31 - 1;

/**
 * A question as a message (RFC 1035 §4.1).
 * @param id from 0 to 65535; what comes back has to carry it.
 * @throws FlotillaError INVALID_INPUT for a name that cannot be asked for
 */
export function encodeQuestion({ name, type }: DnsQuestion, id: number): Uint8Array {
  const labels = encodeName(name);
  const bytes = new Uint8Array(headBytes + labels.length + 4 + 11);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, 0x0100); // recursion desired
  view.setUint16(4, 1);
  view.setUint16(10, 1);
  bytes.set(labels, headBytes);
  const end = headBytes + labels.length;
  view.setUint16(end, typeCodes[type]);
  view.setUint16(end + 2, 1); // class IN
  view.setUint16(end + 5, typeCodes.OPT); // after the root's empty name
  view.setUint16(end + 7, udpAnswerBytes);
  return bytes;
}

/**
 * Reads an answer.
 * @returns undefined for a message that is not the answer to that question: it is to be passed over, since anybody can send
 *   one over UDP.
 * @throws FlotillaError BAD_RESPONSE when it is the answer, and broken or over {@link dnsLimits}
 */
export function decodeAnswer(bytes: Uint8Array, question: DnsQuestion, id: number): DnsAnswer | undefined {
  if (bytes.length < headBytes) return undefined;
  const reader = new Reader(bytes);
  const [answeredId, flags, questions, answers, authorities] = [0, 0, 0, 0, 0].map(() => reader.uint16());
  if (answeredId !== id || flags === undefined || (flags & 0x8000) === 0 || questions !== 1) return undefined;
  reader.skip(2); // additional records are not needed
  if (!echoes(reader, question)) return undefined;
  if ((flags & 0x0200) !== 0) return { kind: 'truncated' };
  const code = flags & 0x000f;
  if (code !== 0 && code !== 3) return { kind: 'failed', reason: failureName(code) };
  if ((answers ?? 0) + (authorities ?? 0) > dnsLimits.maxRecords) {
    throw broken(`${answers} records; the limit is ${dnsLimits.maxRecords}`);
  }
  const found = readRecords(reader, answers ?? 0, question);
  if (code === 0) return { kind: 'found', records: found };
  const ttlMs = readNegativeTtl(reader, authorities ?? 0);
  return { kind: 'nothing', ...(ttlMs === undefined ? undefined : { ttlMs }) };
}

function echoes(reader: Reader, question: DnsQuestion): boolean {
  try {
    const name = reader.name();
    const [type, kind] = [reader.uint16(), reader.uint16()];
    return sameName(name, question.name) && type === typeCodes[question.type] && kind === 1;
  } catch {
    return false;
  }
}

/** The records of the name that was asked for, or of what it is an alias of (RFC 1034 §3.6.2), in whatever order they come. */
function readRecords(reader: Reader, count: number, { name, type }: DnsQuestion): DnsRecord[] {
  const aliases = new Map<string, { readonly to: string; readonly ttlMs: number }>();
  const named: { readonly owner: string; readonly record: DnsRecord }[] = [];
  for (let index = 0; index < count; index++) {
    const { owner, code, ttlMs, end } = readRecordHead(reader);
    if (code === typeCodes.CNAME) aliases.set(owner, { to: reader.name().toLowerCase(), ttlMs });
    else if (code === typeCodes[type]) named.push({ owner, record: readRecord(reader, type, ttlMs, end) });
    reader.jump(end);
  }
  let wanted = name.toLowerCase();
  let leastMs = Infinity;
  for (let step = 0; aliases.has(wanted); step++) {
    if (step === dnsLimits.maxAliases) throw broken(`more than ${dnsLimits.maxAliases} aliases, one of the other`);
    const alias = aliases.get(wanted);
    if (!alias) break;
    wanted = alias.to;
    leastMs = Math.min(leastMs, alias.ttlMs);
  }
  return named
    .filter(({ owner }) => owner === wanted)
    .map(({ record }) => ({ ...record, ttlMs: Math.min(record.ttlMs, leastMs) }));
}

/** How long it may be believed that there is no such name: the least of the SOA's own time and its last number. */
function readNegativeTtl(reader: Reader, count: number): number | undefined {
  for (let index = 0; index < count; index++) {
    const { code, ttlMs, end } = readRecordHead(reader);
    if (code === typeCodes.SOA) {
      reader.name();
      reader.name();
      reader.skip(16);
      return Math.min(ttlMs, reader.uint32() * 1_000);
    }
    reader.jump(end);
  }
  return undefined;
}

function readRecordHead(reader: Reader): { owner: string; code: number; ttlMs: number; end: number } {
  const owner = reader.name().toLowerCase();
  const [code, kind] = [reader.uint16(), reader.uint16()];
  const ttl = reader.uint32();
  const length = reader.uint16();
  const end = reader.at + length;
  reader.assertInside(end);
  return { owner, code: kind === 1 ? code : 0, ttlMs: ttl > maxTtl ? 0 : ttl * 1_000, end };
}

function readRecord(reader: Reader, type: DnsType, ttlMs: number, end: number): DnsRecord {
  if (type === 'SRV') {
    const [priority, weight, port] = [reader.uint16(), reader.uint16(), reader.uint16()];
    const target = reader.name();
    if (reader.at !== end) throw broken('a SRV record is longer or shorter than it says');
    return { type, ttlMs, priority, weight, port, target };
  }
  const length = type === 'A' ? 4 : 16;
  if (end - reader.at !== length) throw broken(`an ${type} record has ${end - reader.at} bytes`);
  const address = reader.take(length);
  return { type, ttlMs, address: type === 'A' ? address.join('.') : formatIpv6(address) };
}

/** Groups in hexadecimal, not shortened but for leading zeros; whoever compares addresses reads them first. */
function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  const url = URL.parse(`http://[${groups.join(':')}]`);
  return url ? url.hostname.slice(1, -1) : groups.join(':');
}

/** Reads forward, never past the end. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  assertInside(end: number): void {
    if (end > this.#bytes.length) throw broken('it ends in the middle of a record');
  }

  skip(length: number): void {
    this.jump(this.at + length);
  }

  jump(to: number): void {
    this.assertInside(to);
    this.at = to;
  }

  uint16(): number {
    this.assertInside(this.at + 2);
    const value = this.#view.getUint16(this.at);
    this.at += 2;
    return value;
  }

  uint32(): number {
    this.assertInside(this.at + 4);
    const value = this.#view.getUint32(this.at);
    this.at += 4;
    return value;
  }

  take(length: number): Uint8Array {
    this.assertInside(this.at + length);
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  /** A name, with the pointers of RFC 1035 §4.1.4: each leads to before where it stands, so that there is an end. */
  name(): string {
    const labels: string[] = [];
    let at = this.at;
    let after: number | undefined;
    let length = 0;
    for (let pointers = 0; ; ) {
      this.assertInside(at + 1);
      const size = this.#bytes[at] ?? 0;
      if (size >= 0xc0) {
        this.assertInside(at + 2);
        const to = this.#view.getUint16(at) & 0x3fff;
        after ??= at + 2;
        if (to >= at || ++pointers > maxPointers) throw broken('a name points in a circle');
        at = to;
        continue;
      }
      if (size > 63) throw broken('a name has a label of an unknown kind');
      at += 1;
      if (size === 0) break;
      this.assertInside(at + size);
      length += size + 1;
      if (length > maxNameBytes) throw broken(`a name is longer than ${maxNameBytes} bytes`);
      labels.push(labelOf(this.#bytes.subarray(at, at + size)));
      at += size;
    }
    this.at = after ?? at;
    return labels.join('.');
  }
}

/** Bytes that no host name has are written as they are told apart least: whoever uses the name will refuse it. */
function labelOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte > 0x20 && byte < 0x7f && byte !== 0x2e ? String.fromCharCode(byte) : '?',
  ).join('');
}

function encodeName(name: string): Uint8Array {
  const labels = name.replace(/\.$/, '').split('.');
  const bytes: number[] = [];
  for (const label of labels) {
    if (!/^[\x21-\x7e]{1,63}$/.test(label)) {
      throw new FlotillaError(
        'INVALID_INPUT',
        `"${name.slice(0, 300)}" is no name that a name server can be asked for`,
      );
    }
    bytes.push(label.length, ...Buffer.from(label, 'latin1'));
  }
  bytes.push(0);
  if (bytes.length > maxNameBytes) {
    throw new FlotillaError(
      'INVALID_INPUT',
      `"${name.slice(0, 300)}" is longer than the ${maxNameBytes} bytes of a name`,
    );
  }
  return Uint8Array.from(bytes);
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.replace(/\.$/, '').toLowerCase();
}

/** RFC 1035 §4.1.1, RFC 2136 §2.2. */
function failureName(code: number): string {
  return ({ 1: 'FORMERR', 2: 'SERVFAIL', 4: 'NOTIMP', 5: 'REFUSED' } as Record<number, string>)[code] ?? `code ${code}`;
}

function broken(detail: string): FlotillaError {
  return new FlotillaError('BAD_RESPONSE', `the answer of the name server is broken: ${detail}`);
}
