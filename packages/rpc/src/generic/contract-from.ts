import { FlotillaError } from '@flotilla/core';
import {
  type AnyContract,
  type AnyOperation,
  type HttpMapping,
  type JsonSchema,
  type OperationKind,
  operationKinds,
  type Schema,
} from '../contract/index.ts';
import { checkJson } from './check-json.ts';

/** The operations of a contract as JSON, as `contractText` writes them, or as its description has them. */
interface OperationDocument {
  readonly name: string;
  readonly kind: OperationKind;
  readonly idempotent: boolean;
  readonly http: HttpMapping;
  readonly in?: JsonSchema | null;
  readonly input?: JsonSchema | null;
  readonly out?: JsonSchema | null;
  readonly output?: JsonSchema | null;
  readonly errors: readonly { readonly code: string; readonly status: number; readonly data?: JsonSchema | null }[];
}

/**
 * A contract made of what its service says of it, for a caller that does not have it. Clients of it behave as clients of the
 * contract itself; its schemas are the JSON Schemas that the document has, so whatever a validator can say beyond them is
 * the callee's affair.
 *
 * ```ts
 * const catalog = contractFrom({ name: 'catalog', version: 1 }, JSON.parse(contractText(theirs)));
 * ```
 *
 * @param operations as `contractText` has them, or `ContractDescription.operations`
 * @throws FlotillaError BAD_RESPONSE naming the operation that is not understood
 */
export function contractFrom(
  { name, version }: { readonly name: string; readonly version: number },
  operations: unknown,
): AnyContract {
  if (!Array.isArray(operations)) throw unreadable(name, 'its operations are no list');
  const made = new Map<string, AnyOperation>();
  const http = new Map<string, HttpMapping>();
  for (const document of operations) {
    const read = readOperation(name, document);
    made.set(read.name, operationOf(read));
    http.set(read.name, read.http);
  }
  return Object.freeze({ name, version, operations: Object.freeze(Object.fromEntries(made)), http });
}

/** A JSON Schema as a schema of any validator. It refuses what {@link checkJson} names. */
export function schemaFrom(document: JsonSchema): Schema {
  return Object.freeze({
    '~standard': {
      version: 1 as const,
      vendor: 'flotilla',
      validate(value: unknown) {
        const issues = checkJson(document, value);
        return issues.length === 0 ? { value } : { issues };
      },
      jsonSchema: { input: () => document, output: () => document },
    },
  });
}

function readOperation(contract: string, document: unknown): OperationDocument {
  const said = document as Partial<OperationDocument> | null;
  const called = typeof said === 'object' && said !== null ? said.name : undefined;
  if (!said || typeof called !== 'string' || !/^[A-Za-z]\w{0,99}$/.test(called)) {
    throw unreadable(contract, 'one of its operations has no name');
  }
  if (typeof said.kind !== 'string' || !Object.hasOwn(operationKinds, said.kind)) {
    throw unreadable(
      contract,
      `operation "${called}" is of kind "${String(said.kind).slice(0, 40)}"; is its service newer?`,
    );
  }
  const { http, errors = [] } = said;
  if (!isMapping(http)) throw unreadable(contract, `operation "${called}" does not say how it travels`);
  if (!Array.isArray(errors) || !errors.every((error) => typeof error?.code === 'string')) {
    throw unreadable(contract, `the errors of operation "${called}" have no codes`);
  }
  return { ...said, name: called, kind: said.kind, http, errors, idempotent: said.idempotent === true };
}

function isMapping(http: Partial<HttpMapping> | undefined): http is HttpMapping {
  if (typeof http?.path !== 'string' || typeof http.method !== 'string' || typeof http.status !== 'number')
    return false;
  const { places, texts, responseHeaders, setCookies, outputTexts } = http;
  return [places, texts, responseHeaders, setCookies, outputTexts].every(
    (part) => typeof part === 'object' && part !== null,
  );
}

function operationOf(document: OperationDocument): AnyOperation {
  const { kind, idempotent, http, errors } = document;
  const input = document.in ?? document.input;
  const output = document.out ?? document.output;
  return Object.freeze({
    kind,
    idempotent,
    // Without a JSON Schema anything may be sent and come back: whether there is any is known from where it travels.
    in: input ? schemaFrom(input) : http.rest === 'none' ? undefined : anything,
    out: output ? schemaFrom(output) : answers(document) ? anything : undefined,
    errors: Object.freeze(
      Object.fromEntries(
        errors.map(({ code, status, data }) => [code, { status, schema: data ? schemaFrom(data) : undefined }]),
      ),
    ),
    http: undefined,
    coerce: undefined,
    acknowledged: true, // who asks by hand wants to know
    unknownOptions: [],
  }) as AnyOperation;
}

/** A success without content is 204, or 202 of a notification. */
function answers({ kind, http }: OperationDocument): boolean {
  return operationKinds[kind].response !== 'none' && http.status !== 204;
}

const anything: Schema = schemaFrom({});

function unreadable(contract: string, why: string): FlotillaError {
  return new FlotillaError(
    'BAD_RESPONSE',
    `the contract "${contract}" cannot be read from what its service says: ${why}`,
    {
      executed: 'no',
    },
  );
}
