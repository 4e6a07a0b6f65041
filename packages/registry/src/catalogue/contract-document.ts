import { FlotillaError } from '@flotilla/core';
import { list, oneText, record, text, wrong } from '../field-checks.ts';
import { type MessageShape, messageShape } from './message-shape.ts';

/** An operation of a contract, as the catalogue compares it. */
export interface CatalogueOperation {
  readonly name: string;
  /** `query`, `command`, `stream`, `upload`, `duplex`, `notify`. */
  readonly kind: string;
  /** Fingerprint of all that the contract says of it. */
  readonly hash: string;
  /** Method and path, as `GET /products/{id}`; empty when unknown. */
  readonly http: string;
  /** Undefined: its validator gives no JSON Schema. */
  readonly input: MessageShape | undefined;
  readonly output: MessageShape | undefined;
}

/** What a contract says, under its fingerprint. */
export interface CatalogueContract {
  readonly hash: string;
  readonly operations: ReadonlyMap<string, CatalogueOperation>;
  /** The text that it was read from. */
  readonly text: string;
  /** Of the text. */
  readonly bytes: number;
}

/** The longest text of a contract. */
export const maxDocumentBytes = 131_072;
const maxOperations = 500;

/**
 * Reads what an instance says of a contract: the canonical JSON of its operations.
 * @throws FlotillaError INVALID_INPUT naming what is wrong, also when `hash` is not the text's fingerprint.
 */
export function readContract(hash: string, source: string): CatalogueContract {
  const bytes = Buffer.byteLength(source);
  if (bytes > maxDocumentBytes) throw wrong('contract', `at most ${maxDocumentBytes} bytes`, bytes);
  const found = fingerprint(source);
  if (found !== hash) {
    throw new FlotillaError('INVALID_INPUT', `contract: its text has the fingerprint ${found}, not "${hash}"`);
  }
  const operations = list(JSON.parse(source), 'contract', maxOperations, readOperation);
  return { hash, operations: new Map(operations.map((operation) => [operation.name, operation])), text: source, bytes };
}

function readOperation(value: unknown, field: string): CatalogueOperation {
  const fields = record(value, field);
  return {
    name: text(fields['name'], `${field}.name`),
    kind: text(fields['kind'], `${field}.kind`),
    // The text is canonical, so the part is too.
    hash: fingerprint(JSON.stringify(value)),
    http: addressOf(fields['http'], `${field}.http`),
    input: shapeOf(fields['in']),
    output: shapeOf(fields['out']),
  };
}

function addressOf(value: unknown, field: string): string {
  if (value === undefined || value === null) return '';
  const { method, path } = record(value, field);
  return `${oneText(method, `${field}.method`)} ${oneText(path, `${field}.path`)}`;
}

function shapeOf(schema: unknown): MessageShape | undefined {
  return schema === undefined || schema === null ? undefined : messageShape(schema);
}

/** FNV-1a with 64 bits over the UTF-8 bytes (draft-eastlake-fnv), as the contracts' own fingerprint. */
export function fingerprint(source: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(source)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}
