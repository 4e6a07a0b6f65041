import { FlotillaError } from '@flotilla/core';
import { prefixEnd } from './keys.ts';

/**
 * etcd's v3 API as its gRPC gateway gives it: JSON, `bytes` as base64, 64-bit numbers as text, absent fields for zeros
 * (etcd 3.4 documentation, "gRPC gateway"; `api/etcdserverpb/rpc.proto`).
 */

/** A key with its value. */
export interface EtcdPair {
  readonly key: string;
  readonly value: Buffer;
  /** Revision of the write that made the key. */
  readonly createRevision: number;
  /** Revision of the last write to it: what a compare fences with. */
  readonly modRevision: number;
  /** The lease that it ends with; '0': none. */
  readonly lease: string;
}

/** One change that a watch tells. */
export interface EtcdEvent {
  readonly kind: 'put' | 'delete';
  readonly key: string;
  /** Empty for `delete`. */
  readonly value: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly lease: string;
}

/** Answer of a range request. */
export interface EtcdRange {
  /** Of the store at the moment of the answer: a watch from the next one on misses nothing. */
  readonly revision: number;
  readonly pairs: readonly EtcdPair[];
  /** There are more keys than `limit`. */
  readonly more: boolean;
  /** Keys in the range, those beyond `limit` included. */
  readonly count: number;
}

/** Which keys: one, or all that begin with a text. */
export type EtcdKeys = { readonly key: string } | { readonly prefix: string };

/** A condition of a transaction. `modRevision` 0: the key does not exist. */
export interface EtcdCompare {
  readonly key: string;
  readonly modRevision: number;
}

/** A step of a transaction. */
export type EtcdStep =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly lease?: string | undefined }
  | ({ readonly kind: 'delete' } & EtcdKeys)
  | ({ readonly kind: 'get' } & EtcdKeys);

/** Answer of a transaction. */
export interface EtcdDone {
  readonly succeeded: boolean;
  readonly revision: number;
  /** What the `get` steps of the branch that was taken found, in their order. */
  readonly found: readonly (readonly EtcdPair[])[];
}

/** What a transaction compares, and does when every comparison holds, and else. */
export interface EtcdTransaction {
  readonly compare: readonly EtcdCompare[];
  readonly success: readonly EtcdStep[];
  readonly failure?: readonly EtcdStep[];
}

export type Json = Readonly<Record<string, unknown>>;

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function keysField(keys: EtcdKeys): Json {
  if ('key' in keys) return { key: base64(keys.key) };
  return { key: base64(keys.prefix), range_end: prefixEnd(keys.prefix).toString('base64') };
}

export function stepField(step: EtcdStep): Json {
  if (step.kind === 'get') return { request_range: keysField(step) };
  if (step.kind === 'delete') return { request_delete_range: keysField(step) };
  const { key, value, lease } = step;
  return { request_put: { key: base64(key), value: base64(value), ...(lease ? { lease } : undefined) } };
}

export function compareField({ key, modRevision }: EtcdCompare): Json {
  return { key: base64(key), target: 'MOD', result: 'EQUAL', mod_revision: String(modRevision) };
}

export function transactionField({ compare, success, failure = [] }: EtcdTransaction): Json {
  return { compare: compare.map(compareField), success: success.map(stepField), failure: failure.map(stepField) };
}

export function readRange(answer: Json): EtcdRange {
  return {
    revision: headerRevision(answer),
    pairs: list(answer['kvs']).map(readPair),
    more: answer['more'] === true,
    count: wholeNumber(answer['count'], 'count'),
  };
}

export function readDone(answer: Json): EtcdDone {
  const found = list(answer['responses']).flatMap((response) => {
    const range = response['response_range'];
    return range === undefined ? [] : [list(record(range, 'response_range')['kvs']).map(readPair)];
  });
  return { succeeded: answer['succeeded'] === true, revision: headerRevision(answer), found };
}

/** Answers of transactions that were steps of one: all of its revision, their own headers have none. */
export function readEach(answer: Json, count: number): EtcdDone[] {
  const revision = headerRevision(answer);
  const parts = list(answer['responses']).map((response) => record(response['response_txn'], 'response_txn'));
  if (parts.length !== count) throw odd('responses', `are ${parts.length}, ${count} were asked for`);
  return parts.map((part) => ({ ...readDone(part), revision }));
}

/** One message of a watch stream. */
export interface EtcdWatchMessage {
  /** Of the store when the message was made. */
  readonly revision: number;
  readonly created: boolean;
  /** Why the server ended the watch. */
  readonly cancelled?: { readonly compactRevision: number; readonly reason: string };
  readonly events: readonly EtcdEvent[];
}

export function readWatchMessage(result: Json): EtcdWatchMessage {
  const reason = result['cancel_reason'];
  const cancelled =
    result['canceled'] === true
      ? {
          compactRevision: wholeNumber(result['compact_revision'], 'compact_revision'),
          reason: typeof reason === 'string' ? reason.slice(0, 200) : '',
        }
      : undefined;
  return {
    revision: headerRevision(result),
    created: result['created'] === true,
    ...(cancelled ? { cancelled } : undefined),
    events: list(result['events']).map(readEvent),
  };
}

export function headerRevision(answer: Json): number {
  const header = answer['header'];
  return header === undefined ? 0 : wholeNumber(record(header, 'header')['revision'], 'header.revision');
}

/** An object of an answer. @throws FlotillaError BAD_RESPONSE */
export function record(value: unknown, name: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw odd(name, 'is no object');
}

export function wholeNumber(value: unknown, name: string): number {
  const number = value === undefined ? 0 : Number(value);
  if (!Number.isSafeInteger(number)) throw odd(name, 'is no whole number that fits');
  return number;
}

/** A 64-bit number that is only handed back: its digits. */
export function digits(value: unknown, name: string): string {
  if (value === undefined) return '0';
  if (typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value)) return value;
  throw odd(name, 'is no number');
}

function readPair(value: Json): EtcdPair {
  return {
    key: bytes(value['key'], 'key').toString(),
    value: bytes(value['value'], 'value'),
    createRevision: wholeNumber(value['create_revision'], 'create_revision'),
    modRevision: wholeNumber(value['mod_revision'], 'mod_revision'),
    lease: digits(value['lease'], 'lease'),
  };
}

function readEvent(value: Json): EtcdEvent {
  return { kind: value['type'] === 'DELETE' ? 'delete' : 'put', ...readPair(record(value['kv'], 'event.kv')) };
}

function list(value: unknown): readonly Json[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw odd('a list', 'is no list');
  return value.map((item) => record(item, 'an element'));
}

function bytes(value: unknown, name: string): Buffer {
  if (value === undefined) return Buffer.alloc(0);
  if (typeof value !== 'string') throw odd(name, 'is no text');
  return Buffer.from(value, 'base64');
}

function odd(name: string, what: string): FlotillaError {
  return new FlotillaError('BAD_RESPONSE', `etcd answered something not understood: ${name} ${what}`);
}
