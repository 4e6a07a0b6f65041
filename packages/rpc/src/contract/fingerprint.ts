import type { AnyContract } from './contract.ts';
import { jsonSchemaOf } from './schema.ts';

const hashes = new WeakMap<AnyContract, string>();

/**
 * Field of a request over HTTP: {@link contractHash} of the contract as the caller knows it. Only with it does a callee say,
 * when the input does not fit, in what its own contract differs; so strangers behind a gateway are not told.
 */
export const contractField = 'flotilla-contract';

/** What a contract says on the wire as canonical JSON: the text of which {@link contractHash} is the fingerprint. */
export function contractText(contract: AnyContract): string {
  return canonicalJson(shapesOf(contract));
}

/**
 * Fingerprint of what a contract says on the wire: kinds, addresses, errors, and JSON Schemas where validators give
 * them. The same text means the same shapes; it is what an instance registers. 16 hexadecimal digits, made on first
 * use.
 */
export function contractHash(contract: AnyContract): string {
  let hash = hashes.get(contract);
  if (hash === undefined) {
    hash = fnv1a64(contractText(contract));
    hashes.set(contract, hash);
  }
  return hash;
}

/** JSON with sorted member names: equal values give equal texts. Members that are `undefined` are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/**
 * FNV-1a with 64 bits over the UTF-8 bytes (draft-eastlake-fnv). It tells shapes apart; it keeps no secrets.
 * In two halves, because 64-bit products do not fit a number: prime = 2^40 + 0x1b3.
 */
export function fnv1a64(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of new TextEncoder().encode(text)) {
    low = (low ^ byte) >>> 0;
    const product = low * 0x1b3; // at most 41 bits
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 0x1_0000_0000) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

function shapesOf(contract: AnyContract): unknown {
  return Object.entries(contract.operations).map(([name, operation]) => ({
    name,
    kind: operation.kind,
    idempotent: operation.idempotent,
    http: contract.http.get(name),
    in: jsonSchemaOf(operation.in, 'input'),
    out: jsonSchemaOf(operation.out, 'output'),
    errors: Object.entries(operation.errors).map(([code, { status, schema }]) => ({
      code,
      status,
      data: jsonSchemaOf(schema, 'output'),
    })),
  }));
}
