import type { AnyOperation, HttpMapping, JsonSchema } from '../contract/index.ts';
import { jsonSchemaOf } from '../contract/schema.ts';
import type { Components } from './components.ts';

/** One operation that is being described. */
export interface Described {
  /** `catalog.product`: its `operationId`, and what the names of its schemas begin with. */
  readonly id: string;
  readonly tag: string;
  readonly operation: AnyOperation;
  readonly mapping: HttpMapping;
  readonly components: Components;
}

/** A part of the document, as JSON. */
export type Json = { readonly [member: string]: unknown };

/** What the operation takes, as its validator says it. */
export function inputSchema({ operation }: Described): JsonSchema | undefined {
  return jsonSchemaOf(operation.in, 'input');
}

export function outputSchema({ operation }: Described): JsonSchema | undefined {
  return jsonSchemaOf(operation.out, 'output');
}
