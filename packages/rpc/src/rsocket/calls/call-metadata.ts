import type { Call } from '@flotilla/core';
import type { CalledOperation } from '../../client/operation-request.ts';
import { checkContext, contextMediaType, formatContract, writeContextEntry } from '../../context/context-entry.ts';
import { contractHash } from '../../contract/index.ts';
import { endEntry, routingEntry } from '../composite-metadata.ts';
import { mimeType } from '../mime.ts';
import type { ByteSource, OutBuffer } from '../out-buffer.ts';

export const contextMime: ReturnType<typeof mimeType> = mimeType(contextMediaType);

/**
 * The metadata of a call: its route `contract.operation`, then its context. One object is used for all calls of a
 * connection: it is prepared, then written at once.
 */
export class CallMetadata implements ByteSource {
  #prepared: Prepared = { head: new Uint8Array(0), contract: '' };
  #call: Call | undefined;
  #timeoutMs = Infinity;

  /** @throws FlotillaError DEADLINE_EXCEEDED, INVALID_INPUT: nothing is sent then */
  prepare(operation: CalledOperation, call: Call): this {
    this.#timeoutMs = checkContext(call);
    this.#prepared = preparedFor(operation);
    this.#call = call;
    return this;
  }

  writeTo(out: OutBuffer): void {
    const call = this.#call;
    if (!call) return;
    this.#call = undefined; // it must not be held longer than it lasts
    const { head, contract } = this.#prepared;
    out.raw(head);
    out.u24(0);
    const begun = out.length;
    writeContextEntry(out, call, this.#timeoutMs, contract);
    endEntry(out, begun);
  }
}

/** What is the same for all calls of an operation: its routing entry and the head of the entry behind it. */
interface Prepared {
  readonly head: Uint8Array;
  readonly contract: string;
}

const prepared = new WeakMap<CalledOperation, Prepared>();

function preparedFor(operation: CalledOperation): Prepared {
  const known = prepared.get(operation);
  if (known) return known;
  const { contract, name } = operation;
  const made = {
    head: Buffer.concat([routingEntry(name), Buffer.from([contextMime.bytes.length - 1]), contextMime.bytes]),
    contract: formatContract(contract.version, contractHash(contract)),
  };
  prepared.set(operation, made);
  return made;
}
