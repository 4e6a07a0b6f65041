import { coerceTexts } from './coerce.ts';
import type { AnyContract } from './contract.ts';
import { contractHash } from './fingerprint.ts';
import type { HttpMapping } from './mapping.ts';
import type { AnyOperation, OperationKind } from './operation.ts';
import { type JsonSchema, jsonSchemaOf } from './schema.ts';
import { fieldsOf, shapeOfSchemas } from './text-shape.ts';

/** An operation as JSON. */
export interface OperationDescription {
  readonly name: string;
  readonly kind: OperationKind;
  readonly idempotent: boolean;
  readonly http: HttpMapping;
  /** Null: there is none, or its validator gives no JSON Schema. */
  readonly input: JsonSchema | null;
  readonly output: JsonSchema | null;
  readonly errors: readonly { readonly code: string; readonly status: number; readonly data: JsonSchema | null }[];
}

/** A contract as JSON: enough to show it, and to call its operations by hand. */
export interface ContractDescription {
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly operations: readonly OperationDescription[];
}

/** What a process says of the contracts that it serves. */
export function describeContracts(contracts: readonly AnyContract[]): ContractDescription[] {
  return contracts.map((contract) => ({
    name: contract.name,
    version: contract.version,
    hash: contractHash(contract),
    operations: Object.entries(contract.operations).flatMap(([name, operation]) => {
      const http = contract.http.get(name);
      return http ? [describeOperation(name, operation, http)] : [];
    }),
  }));
}

/**
 * The input that a person wrote as texts, such as options of a command line. Numbers, booleans and lists follow the
 * operation's JSON Schema; the text of an object is JSON. A text that does not fit is passed on: the callee says what is wrong with it.
 */
export function inputFromTexts(
  operation: OperationDescription,
  texts: Readonly<Record<string, string | readonly string[]>>,
): unknown {
  const { rest, body } = operation.http;
  if (rest === 'none' && !(body && 'field' in body)) return undefined;
  const known = operation.input ? fieldsOf(operation.input) : undefined;
  const entries = Object.entries(texts).map(([field, given]) => {
    const list = typeof given === 'string' ? [given] : given;
    return [field, fieldValueOf(operation, known, field, list)];
  });
  return Object.fromEntries(entries);
}

function fieldValueOf(
  { input, http }: OperationDescription,
  known: ReturnType<typeof fieldsOf>,
  field: string,
  texts: readonly string[],
): unknown {
  const stated = Object.hasOwn(http.texts, field) ? http.texts[field] : undefined;
  const schemas = known?.schemas.get(field);
  if (stated) return coerceTexts(texts, stated);
  if (!schemas || !input) return texts.length === 1 ? texts[0] : texts;
  const shape = shapeOfSchemas(schemas, input, false);
  if (shape) return coerceTexts(texts, shape);
  const values = texts.map(jsonOrText);
  return values.length === 1 ? values[0] : values;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // the callee's validator names the field and what it expected
  }
}

function describeOperation(name: string, operation: AnyOperation, http: HttpMapping): OperationDescription {
  return {
    name,
    kind: operation.kind,
    idempotent: operation.idempotent,
    http,
    input: jsonSchemaOf(operation.in, 'input') ?? null,
    output: jsonSchemaOf(operation.out, 'output') ?? null,
    errors: Object.entries(operation.errors).map(([code, { status, schema }]) => ({
      code,
      status,
      data: jsonSchemaOf(schema, 'output') ?? null,
    })),
  };
}
