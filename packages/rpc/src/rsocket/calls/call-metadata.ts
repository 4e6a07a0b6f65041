import type { Call } from '@flotilla/core';
import type { CalledOperation } from '../../client/operation-request.ts';
import { contextMediaType, formatContext, formatContract } from '../../context/context-entry.ts';
import { contractHash } from '../../contract/index.ts';
import { routingEntry } from '../composite-metadata.ts';
import { mimeType } from '../mime.ts';
import type { ByteSource, OutBuffer } from '../out-buffer.ts';

export const contextMime: ReturnType<typeof mimeType> = mimeType(contextMediaType);

/**
 * The metadata of a call: its route `contract.operation`, then its context. One object is used for all calls of a
 * connection: it is prepared, then written at once.
 */
export class CallMetadata implements ByteSource {
  #head: Uint8Array = new Uint8Array(0);
  #context = '';

  /** @throws FlotillaError DEADLINE_EXCEEDED, INVALID_INPUT: nothing is sent then */
  prepare(operation: CalledOperation, call: Call): this {
    const { head, contract } = preparedFor(operation);
    this.#context = formatContext(call, contract);
    this.#head = head;
    return this;
  }

  writeTo(out: OutBuffer): void {
    const context = this.#context;
    out.raw(this.#head);
    out.u24(context.length); // ASCII: as many bytes as characters
    out.text(context);
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
