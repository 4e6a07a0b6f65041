import { FlotillaError } from '@flotilla/core';
import type { JuteReader, JuteWriter } from './jute.ts';

/** Operations (`ZooDefs.OpCode`). */
export const op = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  auth: 100,
  addWatch: 106,
  closeSession: -11,
} as const;

/** Transaction numbers with a meaning of their own (`ClientCnxn`). */
export const xid = { notification: -1, ping: -2, auth: -4 } as const;

/** Outcomes that a caller decides by (`KeeperException.Code`). */
export const zookeeperCode = {
  runtimeInconsistency: -2,
  connectionLoss: -4,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  authFailed: -115,
  unimplemented: -6,
} as const;

/** What ZooKeeper knows of a node besides its data. */
export interface Stat {
  /** Transaction that made it. */
  readonly createdZxid: number;
  /** Transaction that wrote its data last. */
  readonly modifiedZxid: number;
  /** How often its data was written since it was made: what `set` and `delete` compare with. */
  readonly version: number;
  /** Session that it ends with; 0n: none. */
  readonly ephemeralOwner: bigint;
  readonly children: number;
}

export function readStat(reader: JuteReader): Stat {
  const createdZxid = reader.number();
  const modifiedZxid = reader.number();
  reader.long(); // ctime
  reader.long(); // mtime
  const version = reader.int();
  reader.int(); // cversion
  reader.int(); // aversion
  const ephemeralOwner = reader.long();
  reader.int(); // dataLength
  const children = reader.int();
  reader.long(); // pzxid
  return { createdZxid, modifiedZxid, version, ephemeralOwner, children };
}

/** Who may do what to a node: everybody everything, or only who made it. */
export type Acl = 'open' | 'creator';

const allPermissions = 31;

export function writeAcl(writer: JuteWriter, acl: Acl): void {
  writer.int(1).int(allPermissions);
  if (acl === 'open') writer.text('world').text('anyone');
  else writer.text('auth').text('');
}

/** What happened to a node (`Watcher.Event.EventType`). */
export type NodeEventKind = 'created' | 'deleted' | 'changed' | 'children';

const eventKinds: Readonly<Record<number, NodeEventKind>> = { 1: 'created', 2: 'deleted', 3: 'changed', 4: 'children' };

/** @returns undefined for events of the session, which the connection itself tells. */
export function readEvent(reader: JuteReader): { readonly kind: NodeEventKind; readonly path: string } | undefined {
  const kind = eventKinds[reader.int()];
  reader.int(); // state
  const path = reader.text();
  return kind && { kind, path };
}

const names: Readonly<Record<number, string>> = {
  [zookeeperCode.noNode]: 'there is no such node',
  [zookeeperCode.noAuth]: 'this user may not do that (the node’s ACL)',
  [zookeeperCode.badVersion]: 'the node was written by somebody else meanwhile',
  [zookeeperCode.nodeExists]: 'the node is there already',
  [zookeeperCode.notEmpty]: 'the node has children',
  [zookeeperCode.sessionExpired]: 'the session has expired',
  [zookeeperCode.authFailed]: 'user and password were refused',
  [zookeeperCode.unimplemented]: 'the server does not know this operation',
  [zookeeperCode.runtimeInconsistency]: 'not done, because another part of the transaction failed',
};

/** `data.zookeeperCode` tells ZooKeeper's own code: see {@link zookeeperCode}. */
export function refusal(code: number, what: string): FlotillaError {
  const detail = `ZooKeeper refused to ${what}: ${names[code] ?? `error ${code}`}`;
  const details = { data: { zookeeperCode: code }, executed: 'no' as const };
  if (code === zookeeperCode.noAuth) return new FlotillaError('FORBIDDEN', detail, details);
  if (code === zookeeperCode.authFailed) return new FlotillaError('UNAUTHENTICATED', detail, details);
  if (code === zookeeperCode.sessionExpired) return new FlotillaError('CONNECTION_LOST', detail, details);
  return new FlotillaError('INVALID_INPUT', detail, details);
}

/** ZooKeeper's own code of an error that it answered. */
export function codeOf(error: unknown): number | undefined {
  if (!(error instanceof FlotillaError)) return undefined;
  const { data } = error;
  return typeof data === 'object' && data !== null && 'zookeeperCode' in data ? Number(data.zookeeperCode) : undefined;
}
