import type { FieldPlace, JsonSchema, TextShape } from '../contract/index.ts';
import { fieldsOf } from '../contract/text-shape.ts';
import { type Described, inputSchema, type Json } from './described.ts';

/**
 * The input fields that travel one by one, and the key of an idempotent command.
 * @param pathNames what the path calls its parameters: two operations at one path may call them differently
 */
export function parametersOf(described: Described, pathNames: ReadonlyMap<string, string>): readonly Json[] {
  const { mapping, operation } = described;
  const placed = Object.entries(mapping.places).map(([field, place]) => parameter(described, field, place, pathNames));
  const inQuery = mapping.rest === 'query' ? restOf(described) : [];
  const rest = inQuery.map((field) => parameter(described, field, { in: 'query' }, pathNames));
  const keyed = operation.idempotent && (operation.kind === 'command' || operation.kind === 'notify');
  return [...placed, ...rest, ...(keyed ? [idempotencyKey] : [])];
}

const idempotencyKey: Json = Object.freeze({
  name: 'idempotency-key',
  in: 'header',
  description: 'Names the command, so that one that is sent again is recognised.',
  schema: { type: 'string' },
});

/** Fields of the query are those that have a shape and no other place. */
function restOf({ mapping }: Described): string[] {
  return Object.keys(mapping.texts).filter((field) => !Object.hasOwn(mapping.places, field));
}

function parameter(
  described: Described,
  field: string,
  place: FieldPlace,
  pathNames: ReadonlyMap<string, string>,
): Json {
  const { mapping, components, id } = described;
  const root = inputSchema(described);
  const shape = Object.hasOwn(mapping.texts, field) ? mapping.texts[field] : undefined;
  const schema = (root && components.field(`${id}.input`, root, field)) ?? schemaOfShape(shape);
  // A list that is absent is an empty one.
  const required = place.in === 'path' || (isRequired(root, field) && shape?.list !== 'always');
  return {
    name: 'name' in place ? place.name : place.in === 'path' ? (pathNames.get(field) ?? field) : field,
    in: place.in,
    ...(required && { required }),
    ...(place.in === 'query' && shape && shape.list !== 'never' && { style: 'form', explode: true }),
    schema,
  };
}

function isRequired(root: JsonSchema | undefined, field: string): boolean {
  return root !== undefined && fieldsOf(root)?.required.has(field) === true;
}

/** Of a field whose validator says nothing, but `coerce` does. */
export function schemaOfShape(shape: TextShape | undefined): JsonSchema {
  if (!shape) return { type: 'string' };
  const one: JsonSchema = {
    ...(shape.types.length === 1 && { type: shape.types[0] }),
    ...(shape.types.length > 1 && { type: shape.types }),
    ...(shape.literals.length > 0 && { enum: shape.literals }),
  };
  return shape.list === 'always' ? { type: 'array', items: one } : one;
}
