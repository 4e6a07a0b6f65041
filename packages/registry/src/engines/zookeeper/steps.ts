import type { JuteReader, JuteWriter } from './jute.ts';
import { type Acl, op, readStat, refusal, writeAcl, zookeeperCode } from './protocol.ts';

/** How a node is made. */
export interface CreateOptions {
  /** Ends with the session. Default false. */
  readonly ephemeral?: boolean;
  /** The server appends ten digits that rise. Default false. */
  readonly sequential?: boolean;
  /** Default: `creator` for a client with a user, else `open`. */
  readonly acl?: Acl;
}

/** A step of a transaction. `version` -1, the default: whatever it is. */
export type ZooKeeperStep =
  | ({ readonly kind: 'create'; readonly path: string; readonly data: string } & CreateOptions)
  | { readonly kind: 'set'; readonly path: string; readonly data: string; readonly version?: number }
  | { readonly kind: 'delete'; readonly path: string; readonly version?: number }
  | { readonly kind: 'check'; readonly path: string; readonly version: number };

/** The body of a request that makes a node (CreateRequest). @param usual its ACL unless it names one. */
export function writeCreation(
  writer: JuteWriter,
  path: string,
  data: string,
  { ephemeral = false, sequential = false, acl }: CreateOptions,
  usual: Acl,
): void {
  writer.text(path).buffer(Buffer.from(data));
  writeAcl(writer, acl ?? usual);
  writer.int((ephemeral ? 1 : 0) + (sequential ? 2 : 0));
}

/** The body of a transaction (MultiTransactionRecord): each step behind a header, then a header that ends it. */
export function writeSteps(writer: JuteWriter, steps: readonly ZooKeeperStep[], usual: Acl): void {
  const begin = (type: number): JuteWriter => writer.int(type).bool(false).int(-1);
  for (const step of steps) {
    const { kind, path } = step;
    if (kind === 'create') writeCreation(begin(op.create), path, step.data, step, usual);
    else if (kind === 'set') {
      const data = Buffer.from(step.data);
      begin(op.setData)
        .text(path)
        .buffer(data)
        .int(step.version ?? -1);
    } else
      begin(kind === 'delete' ? op.delete : op.check)
        .text(path)
        .int(step.version ?? -1);
  }
  writer.int(-1).bool(true).int(-1);
}

/** @throws FlotillaError with the code of the first step that failed */
export function readSteps(reader: JuteReader, what: string): void {
  let failed = 0;
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) break;
    if (type === -1) {
      const code = reader.int();
      const decisive = code !== 0 && code !== zookeeperCode.runtimeInconsistency;
      if (decisive && failed === 0) failed = code;
    } else if (type === op.create) reader.text();
    else if (type === op.setData) readStat(reader);
  }
  if (failed !== 0) throw refusal(failed, what);
}
