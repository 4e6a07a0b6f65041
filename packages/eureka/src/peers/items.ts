import { FlotillaError, type Instance } from '@flotilla/core';
import type { InstanceKey } from '@flotilla/registry';
import { type EurekaInstance, type EurekaStatus, eurekaStatuses } from '../document.ts';
import { type Fields, malformed, member, objectOf, optionalInteger, optionalText } from '../fields.ts';
import { decodeInstance } from '../instance.ts';

/** What one registry tells another (`PeerEurekaReplicationResource`, `ReplicationInstance`). */
export type ReplicationAction = 'Heartbeat' | 'Register' | 'Cancel' | 'StatusUpdate' | 'DeleteStatusOverride';

export const replicationActions: readonly ReplicationAction[] = Object.freeze([
  'Heartbeat',
  'Register',
  'Cancel',
  'StatusUpdate',
  'DeleteStatusOverride',
]);

/** What our registries tell each other beside it. A Java server refuses a batch with a member that it does not know. */
export interface PeerNote {
  /** Text form of the identity: an application's name tells no namespace, group and version. */
  readonly service: string;
  /** See {@link OwnersWord.saidAt}. */
  readonly saidAt: number;
  /** See {@link OperatorsWord.overriddenAt}. */
  readonly overriddenAt: number;
  /** How long ago the sender heard of the owner. */
  readonly heardAgoMs: number;
  /** Of Cancel: the incarnation that ended. */
  readonly incarnation: number;
  /** What the owner gave, where its life counts as a later one; 0: what is listed. */
  readonly declaredIncarnation: number;
}

/** One task as it is written, members in a Java server's order; what is absent is left out. */
export interface ReplicationItem {
  readonly appName: string;
  readonly id: string;
  readonly lastDirtyTimestamp?: number;
  readonly overriddenStatus?: EurekaStatus;
  readonly status?: EurekaStatus;
  readonly instanceInfo?: EurekaInstance;
  readonly action: ReplicationAction;
  readonly flotilla?: PeerNote;
}

/** One task as it was read. Statuses are any text here: an illegal one fails its own task only. */
export interface ReceivedItem {
  readonly appName: string | undefined;
  readonly id: string | undefined;
  readonly lastDirtyTimestamp: number | undefined;
  readonly overriddenStatus: string | undefined;
  readonly status: string | undefined;
  readonly instance: Instance | FlotillaError | undefined;
  readonly action: ReplicationAction | undefined;
  readonly note: PeerNote | undefined;
}

/** What came of one task. */
export interface ItemResult {
  readonly statusCode: number;
  readonly responseEntity?: EurekaInstance;
  /** For ours alone: the instance is gone, and which incarnation would have to be exceeded. */
  readonly flotilla?: { readonly goneIncarnation: number };
}

const members: ReadonlySet<string> = new Set([
  'appName',
  'id',
  'lastDirtyTimestamp',
  'overriddenStatus',
  'status',
  'instanceInfo',
  'action',
  'flotilla',
]);

/**
 * Reads a batch: `{"replicationList": [...]}`. As strict as a Java server, which refuses all of it for one member that it
 * does not know; nothing of a refused batch is done.
 * @param now epoch milliseconds: stands for timestamps that are absent.
 * @throws FlotillaError MALFORMED_REQUEST; BODY_TOO_LARGE above `maxItems`; INTERNAL for a list or an item that is null,
 * since that is what a Java server answers (500).
 */
export function readBatch(document: unknown, now: number, maxItems: number): ReceivedItem[] {
  const root = objectOf(document, 'the document');
  const extra = Object.keys(root).find((name) => name !== 'replicationList');
  if (extra !== undefined) throw malformed(extra.slice(0, 80), 'absent', root[extra]);
  const list = member(root, 'replicationList');
  if (list === undefined || list === null) throw new FlotillaError('INTERNAL', 'the batch has no "replicationList"');
  if (!Array.isArray(list)) throw malformed('replicationList', 'a list', list);
  if (list.length > maxItems) {
    throw new FlotillaError(
      'BODY_TOO_LARGE',
      `"replicationList" has ${list.length} items; the limit is ${maxItems} in one batch`,
    );
  }
  return list.map((item: unknown) => readItem(item, now));
}

function readItem(value: unknown, now: number): ReceivedItem {
  if (value === null) throw new FlotillaError('INTERNAL', 'the batch has an item that is null');
  const fields = objectOf(value, 'replicationList item');
  const extra = Object.keys(fields).find((name) => !members.has(name));
  if (extra !== undefined) throw malformed(`replicationList.${extra.slice(0, 80)}`, 'absent', fields[extra]);
  return {
    appName: optionalText(fields, 'appName'),
    id: optionalText(fields, 'id'),
    lastDirtyTimestamp: optionalInteger(fields, 'lastDirtyTimestamp', Number.MAX_SAFE_INTEGER),
    overriddenStatus: optionalText(fields, 'overriddenStatus'),
    status: optionalText(fields, 'status'),
    instance: readInstance(fields, now),
    action: readAction(fields),
    note: readNote(member(fields, 'flotilla')),
  };
}

function readAction(fields: Fields): ReplicationAction | undefined {
  const text = optionalText(fields, 'action');
  if (text === undefined) return undefined;
  const action = replicationActions.find((candidate) => candidate === text);
  if (!action) throw malformed('replicationList.action', `one of ${replicationActions.join(', ')}`, text);
  return action;
}

/** What can be parsed and does not fit fails its own task only. */
function readInstance(fields: Fields, now: number): ReceivedItem['instance'] {
  const document = member(fields, 'instanceInfo');
  if (document === undefined || document === null) return undefined;
  try {
    return decodeInstance(document, now, optionalText(fields, 'appName'));
  } catch (error) {
    if (error instanceof FlotillaError && error.code === 'INVALID_INPUT') return error;
    throw error;
  }
}

/** @throws FlotillaError MALFORMED_REQUEST */
export function readNote(value: unknown): PeerNote | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = objectOf(value, 'flotilla');
  const number = (name: string): number => {
    const found = optionalInteger(fields, name, Number.MAX_SAFE_INTEGER) ?? 0;
    if (found < 0) throw malformed(`flotilla.${name}`, '0 or more', found);
    return found;
  };
  return {
    service: optionalText(fields, 'service') ?? '',
    saidAt: number('saidAt'),
    overriddenAt: number('overriddenAt'),
    heardAgoMs: number('heardAgoMs'),
    incarnation: number('incarnation'),
    declaredIncarnation: number('declaredIncarnation'),
  };
}

/** What a peer answered to each task, in their order. @throws FlotillaError BAD_RESPONSE when it is no such list. */
export function readResults(document: unknown, expected: number): ReadResult[] {
  const list = isObject(document) ? member(document, 'responseList') : undefined;
  if (!Array.isArray(list) || list.length !== expected) {
    const got = Array.isArray(list) ? `${list.length} results` : 'no "responseList"';
    throw new FlotillaError('BAD_RESPONSE', `the peer answered ${got} to a batch of ${expected} tasks`);
  }
  return list.map((item: unknown) => {
    const fields: Fields = isObject(item) ? item : {};
    const ours = member(fields, 'flotilla');
    const gone = isObject(ours) ? member(ours, 'goneIncarnation') : undefined;
    return {
      statusCode: Number(member(fields, 'statusCode')) || 500,
      entity: member(fields, 'responseEntity'),
      goneIncarnation: typeof gone === 'number' && Number.isSafeInteger(gone) && gone >= 0 ? gone : undefined,
    };
  });
}

/** {@link ItemResult} as it came. */
export interface ReadResult {
  readonly statusCode: number;
  readonly entity: unknown;
  readonly goneIncarnation: number | undefined;
}

/** A status by its exact name; undefined for any other text. */
export function statusNamed(text: string | undefined): EurekaStatus | undefined {
  return eurekaStatuses.find((status) => status === text);
}

/** Names of instances in a request of one of ours: `[[service, id], …]`. @throws FlotillaError MALFORMED_REQUEST, BODY_TOO_LARGE */
export function readKeys(document: unknown, most: number): InstanceKey[] {
  const list = member(objectOf(document, 'the document'), 'keys');
  if (!Array.isArray(list)) throw malformed('keys', 'a list', list);
  if (list.length > most) throw new FlotillaError('BODY_TOO_LARGE', `"keys" has ${list.length}; the limit is ${most}`);
  return list.map((pair: unknown) => {
    const [service, id]: unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof service !== 'string' || typeof id !== 'string') throw malformed('keys', 'pairs of service and id', pair);
    return { service, id };
  });
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
